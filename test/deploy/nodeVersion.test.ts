/** Which Node is refused before anything is compiled for it. */
import { describe, expect, it } from "@effect/vitest"
import { engines } from "../../package.json"
import { tooOld } from "../../scripts/nodeVersion.js"

describe("a Node", () => {
  it.each(["16.20.2", "18.20.8", "20.18.3", "20.19.0", "20.19.1"])(
    "that is too old is refused, in words: %s",
    (running) => {
      expect(tooOld(running, engines.node)).toContain(
        `Sluice needs Node 20.19.2 or later, best 24; this is ${running}.`,
      )
    },
  )

  it.each(["20.19.2", "20.20.0", "22.0.0", "24.21.0"])("that is new enough is not: %s", (running) => {
    expect(tooOld(running, engines.node)).toBeUndefined()
  })
})
