/** What the log says a reload changed. */
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { changesBetween, describeChanges, isUnchanged } from "../../src/config/Changes.ts"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { Written } from "./arbitraries.ts"

const client = (name: string, more: { readonly [key: string]: Written } = {}): Written => ({
  name,
  base_url: "http://a",
  model_match: { type: "exact", value: ["m"] },
  ...more,
})

const config = (clients: ReadonlyArray<Written>, more: { readonly [key: string]: Written } = {}) =>
  Schema.decodeUnknownSync(GatewayConfig)({ ...more, openai_clients: clients })

const between = (before: GatewayConfig, after: GatewayConfig) =>
  describeChanges(changesBetween(before, after))

describe("changesBetween", () => {
  it("names clients that were added, removed and changed, a changed key too, without telling it", () => {
    const before = config([client("a", { api_key: "one" }), client("b"), client("c")])
    const after = config([client("a", { api_key: "two" }), client("c"), client("d"), client("e")])
    expect(between(before, after)).toBe("2 clients added (d, e), 1 client removed (b), 1 client changed (a)")
  })

  it("tells of settings and of order", () => {
    const before = config([client("a"), client("b")])
    expect(between(before, config([client("a"), client("b")], { retry: { rounds: 3 } }))).toBe(
      "settings changed",
    )
    expect(between(before, config([client("b"), client("a")]))).toBe("clients reordered")
    expect(between(before, config([client("a"), client("b", { priority: 1 })]))).toBe(
      "nothing that matters changed",
    )
  })

  it("calls the same configuration unchanged, and no other", () => {
    const before = config([client("a", { extra_body: { x: 1 }, headers: { h: "v" } })])
    expect(
      isUnchanged(
        changesBetween(before, config([client("a", { extra_body: '{"x": 1}', headers: { h: "v" } })])),
      ),
    ).toBe(true)
    expect(
      isUnchanged(
        changesBetween(before, config([client("a", { extra_body: { x: 2 }, headers: { h: "v" } })])),
      ),
    ).toBe(false)
    expect(isUnchanged(changesBetween(before, config([])))).toBe(false)
  })
})
