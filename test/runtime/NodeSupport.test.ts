/** What an operator is told of the Node that runs. */
import { describe, expect, it } from "@effect/vitest"
import { nodeAdvice } from "../../src/runtime/NodeSupport.ts"

describe("a Node", () => {
  it.each(["22.23.4", "22.24.0", "24.22.1", "24.22.2", "24.30.0", "26.12.1", "26.13.0", "27.0.0", "28.1.2"])(
    "without a hole that is known is fine: %s",
    (version) => {
      expect(nodeAdvice(version)).toBeUndefined()
    },
  )

  it.each([
    ["22.23.3", "22.23.4"],
    ["22.0.0", "22.23.4"],
    ["24.21.0", "24.22.1"],
    ["24.22.0", "24.22.1"],
    ["26.12.0", "26.12.1"],
  ])("with one is to be updated: %s to %s", (version, least) => {
    expect(nodeAdvice(version)).toBe(
      `Node ${version} has known security holes, which are closed in ${least}: update it`,
    )
  })

  it.each([
    ["20.20.2", " since April 2026"],
    ["20.19.2", " since April 2026"],
    ["21.7.3", " since June 2024"],
    ["23.11.1", " since June 2025"],
    ["25.9.0", " since June 2026"],
    ["18.20.8", ""],
  ])("that is out of support is to be replaced: %s", (version, since) => {
    expect(nodeAdvice(version)).toBe(
      `Node ${version} is out of support${since}, and holes found since then stay open in it: use Node 24`,
    )
  })
})
