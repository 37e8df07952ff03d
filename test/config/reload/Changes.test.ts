/** What the log says a reload changed. */
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import {
  changesBetween,
  describeChanges,
  isUnchanged,
  keyListsOf,
  takesAway,
} from "../../../src/config/reload/Changes.ts"
import { GatewayConfig } from "../../../src/config/schema/GatewayConfig.ts"
import type { Written } from "../arbitraries.ts"

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
      "retry.rounds changed",
    )
    expect(between(before, config([client("b"), client("a")]))).toBe("clients reordered")
    expect(between(before, config([client("a"), client("b", { priority: 1 })]))).toBe(
      "nothing that matters changed",
    )
  })

  it("names the settings that changed and never tells their values", () => {
    const before = config([client("a")], { server: { access_keys: ["one"] }, thinking_format: "strip" })
    const after = config([client("a")], { server: { access_keys: ["two"] }, audit: { bodies: "none" } })
    expect(between(before, after)).toBe("thinking_format, server.access_keys, audit.bodies changed")
    expect(between(after, before)).not.toMatch(/one|two/)
  })

  it("tells whether clients or access keys were taken away", () => {
    const keys = (access_keys: ReadonlyArray<string>) => ({ server: { access_keys: [...access_keys] } })
    const before = config([client("a"), client("b")], keys(["one", "two"]))
    expect(takesAway(before, config([client("b"), client("a")], keys(["two", "one"])))).toBe(false)
    expect(
      takesAway(before, config([client("a"), client("b"), client("c")], keys(["one", "two", "3"]))),
    ).toBe(false)
    expect(takesAway(before, config([client("a")], keys(["one", "two"])))).toBe(true)
    expect(takesAway(before, config([client("a"), client("b")], keys(["one"])))).toBe(true)
    expect(takesAway(before, config([client("a"), client("b")]))).toBe(true)
  })

  it("tells whether operators' keys were taken away, and which lists hold keys", () => {
    const keys = (admin: ReadonlyArray<string>) => ({ admin: { keys: [...admin] } })
    const before = config([client("a")], keys(["one", "two"]))
    expect(takesAway(before, config([client("a")], keys(["two", "one", "3"])))).toBe(false)
    expect(takesAway(before, config([client("a")], keys(["one"])))).toBe(true)
    expect(keyListsOf(before)).toEqual(["admin.keys"])
    const both = config([client("a")], { ...keys(["one"]), server: { access_keys: ["two"] } })
    expect(keyListsOf(both)).toEqual(["server.access_keys", "admin.keys"])
    expect(keyListsOf(config([client("a")]))).toEqual([])
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
