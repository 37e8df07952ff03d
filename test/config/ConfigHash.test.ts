import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { makeSnapshot } from "../../src/config/Snapshots.ts"
import { GatewayConfig } from "../../src/config/schema/GatewayConfig.ts"

const decode = Schema.decodeUnknownSync(GatewayConfig)

const upstream = {
  name: "a",
  base_url: "https://a.example/v1",
  api_key: "sk-0123456789abcdef0123456789abcdef",
  model_match: { type: "keyword", value: ["gpt"] },
}

const hashOf = (written: object, generation = 1) =>
  makeSnapshot(decode(written), { generation, loadedAt: generation, env: {} }).hash

const plain = hashOf({ openai_clients: [upstream] })

describe("the hash of a configuration", () => {
  it("is short, and the same at every start", () => {
    expect(plain).toMatch(/^[0-9a-f]{12}$/)
    expect(hashOf({ openai_clients: [upstream] }, 2)).toBe(plain)
  })

  it.each([
    [
      "another order of keys",
      { openai_clients: [Object.fromEntries(Object.entries(upstream).toReversed())] },
    ],
    ["a default written out", { openai_clients: [upstream], audit: { bodies: "full" } }],
    ["another key", { openai_clients: [{ ...upstream, api_key: "sk-ffffffffffffffffffffffffffffffff" }] }],
  ])("is not changed by %s", (_, written) => {
    expect(hashOf(written)).toBe(plain)
  })

  it.each([
    ["another address", { openai_clients: [{ ...upstream, base_url: "https://b.example/v1" }] }],
    ["a weight", { openai_clients: [{ ...upstream, priority: 7 }] }],
    ["no key at all", { openai_clients: [{ ...upstream, api_key: null }] }],
    ["a setting of the gateway", { openai_clients: [upstream], audit: { bodies: "none" } }],
  ])("is changed by %s", (_, written) => {
    expect(hashOf(written)).not.toBe(plain)
  })

  it("does not depend on a secret that stands in a header, an address or a body", () => {
    const withSecrets = (secret: string) =>
      hashOf({
        openai_clients: [
          {
            ...upstream,
            base_url: `https://a.example/v1?api-key=${secret}`,
            headers: { "x-goog-api-key": secret },
            extra_body: { auth_token: secret },
          },
        ],
      })
    expect(withSecrets("one-secret-0123456789")).toBe(withSecrets("another-secret-9876543210"))
  })
})
