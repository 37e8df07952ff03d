/** From the decoded file to what requests are served with. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { makeSnapshot } from "../../src/config/Snapshots.ts"
import { GatewayConfig } from "../../src/config/schema/GatewayConfig.ts"
import { route } from "../../src/routing/Route.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import { runs } from "../support/Runs.ts"
import { type Written, writtenConfig } from "./arbitraries.ts"

const decode = Schema.decodeUnknownSync(GatewayConfig)

const snapshotOf = (written: Written) =>
  makeSnapshot(decode(written), { generation: 3, loadedAt: 7, env: {} })

const client: { readonly [key: string]: Written } = {
  name: "a",
  base_url: "https://a.example/v1//",
  model_match: { type: "keyword", value: ["gpt"] },
}

const firstOf = (written: Written) => snapshotOf(written).routes.upstreams[0]

describe("makeSnapshot", () => {
  it("says what the defaults are", () => {
    const { breaker, retry, routes, ...snapshot } = snapshotOf({ openai_clients: [] })
    expect(routes.upstreams).toEqual([])
    expect(breaker).toEqual({ failures: 5, openMs: 10_000, maxOpenMs: 120_000 })
    expect(retry).toMatchObject({ rounds: 2, baseDelayMs: 200, maxDelayMs: 5000 })
    expect(snapshot).toEqual({
      generation: 3,
      loadedAt: 7,
      hash: expect.stringMatching(/^[0-9a-f]{12}$/),
      strategy: "random",
      passthrough: [],
      thinkingFormat: undefined,
      givesUsage: "asked",
      streamStart: "first_event",
      stripThinkModels: ["deepseek"],
      modelsCache: { ttlSeconds: 600 },
      server: {
        maxBodyBytes: 52_428_800,
        maxUploadBytes: 536_870_912,
        maxSpooledBytes: 4_294_967_296,
        maxInFlight: 16_384,
        maxBufferedBytes: 536_870_912,
        requestTimeoutMs: 3_600_000,
        accessKeys: { digests: new Set() },
        trustProxy: false,
        maxConnections: 20_000,
        maxConnectionsPerAddress: 0,
        receiveMs: 60_000,
        sendMs: 60_000,
        origins: { all: true, named: new Set() },
      },
      audit: { bodies: "full", maxBodyBytes: 1_048_576, retentionMonths: 0 },
      metrics: { names: new Set(["sluice"]), modelNamed: expect.any(Function) },
      adminKeys: { digests: new Set() },
      secrets: noSecrets,
    })
  })

  it("tells a thinking_format that is written out from one that is absent", () => {
    expect(snapshotOf({ thinking_format: "passthrough", openai_clients: [] }).thinkingFormat).toBe(
      "passthrough",
    )
  })

  it("keeps the query of a base_url apart, the header of the key, and the proxy that the environment names", () => {
    const config = decode({
      server: { trust_proxy: ["10.0.0.0/8"] },
      openai_clients: [
        { ...client, base_url: "https://a.example/v1/?api-version=1&x=?", auth: "api-key" },
        { ...client, name: "b", auth: { header: "X-Key" }, proxy_url: "http://me:secret@own:1" },
        { ...client, name: "c", proxy_url: false, headers: { "Api-Key": "k" } },
      ],
    })
    const env = { HTTPS_PROXY: "http://env:3128" }
    const { routes, server } = makeSnapshot(config, { generation: 1, loadedAt: 0, env })
    expect(
      routes.upstreams.map(({ baseUrl, keyHeader, passesKey, proxy, query }) => [
        baseUrl,
        query,
        keyHeader,
        proxy?.shown,
        passesKey,
      ]),
    ).toEqual([
      ["https://a.example/v1", "?api-version=1&x=?", "api-key", "http://env:3128", true],
      ["https://a.example/v1", "", "x-key", "http://own:1", true],
      ["https://a.example/v1", "", undefined, undefined, false],
    ])
    expect(server.trustProxy).toMatchObject([{ length: 128 - 24 }])
  })

  it("takes over the dialects that are named, none of them too, and is told apart where none were", () => {
    const dialectsOf = (given: object) => {
      const upstream = firstOf({ openai_clients: [{ ...client, ...given }] })
      return [upstream?.dialects, upstream?.dialectsAssumed]
    }
    expect(dialectsOf({ dialects: ["messages", "chat"] })).toEqual([["messages", "chat"], false])
    expect(dialectsOf({ dialects: [] })).toEqual([[], false])
    expect(dialectsOf({ dialects: null })).toEqual([["chat", "responses"], true])
  })

  it("takes from a preset what an upstream does not say itself", () => {
    const knownOf = (given: object) => {
      const { base_url: _, ...rest } = client
      const upstream = firstOf({ openai_clients: [{ ...rest, ...given }] })
      const { asksUsage, baseUrl, dialects, dialectsAssumed, keyHeader, maxTokensMember, paths } =
        upstream ?? {}
      return [baseUrl, keyHeader, dialects, dialectsAssumed, paths, maxTokensMember, asksUsage]
    }
    const azure = "https://me.openai.azure.com/openai/v1"
    expect(knownOf({ preset: "azure", base_url: azure })).toEqual([
      azure,
      "api-key",
      ["chat", "responses"],
      false,
      {},
      "max_completion_tokens",
      true,
    ])
    expect(knownOf({ preset: "cohere", paths: { models: "/models" }, auth: { header: "X-K" } })).toEqual([
      "https://api.cohere.ai/compatibility/v1",
      "x-k",
      ["chat"],
      false,
      { models: "/models", rerank: "//v2/rerank" },
      "auto",
      false,
    ])
    const own = { dialects: ["chat"], stream_usage: true, max_tokens_member: "auto", auth: "bearer" }
    expect(knownOf({ preset: "anthropic", ...own })).toEqual([
      "https://api.anthropic.com/v1",
      undefined,
      ["chat"],
      false,
      {},
      "auto",
      true,
    ])
    // A server of one's own may be of any version.
    expect(knownOf({ preset: "vllm" })[3]).toBe(true)
    expect(knownOf({ preset: "vllm", dialects: ["chat"] })[3]).toBe(false)
  })

  it("takes what its models take from a preset, and what it says itself over it", () => {
    const abilitiesOf = (given: object) => firstOf({ openai_clients: [{ ...client, ...given }] })?.abilities
    expect(abilitiesOf({})).toEqual({})
    expect(abilitiesOf({ preset: "vllm" })).toEqual({ topK: true })
    expect(abilitiesOf({ preset: "vllm", abilities: { prefill: false } })).toEqual({
      topK: true,
      prefill: false,
    })
    expect(abilitiesOf({ preset: "vllm", abilities: { top_k: false } })).toEqual({ topK: false })
    expect(abilitiesOf({ preset: "openai" })).toEqual({})
  })

  it("fills in what an upstream leaves out", () => {
    expect(firstOf({ openai_clients: [client] })).toEqual({
      name: "a",
      baseUrl: "https://a.example/v1",
      query: "",
      paths: {},
      proxy: undefined,
      apiKey: undefined,
      keyHeader: undefined,
      passesKey: true,
      dialects: ["chat", "responses"],
      dialectsAssumed: true,
      match: { type: "keyword", values: ["gpt"] },
      weight: 1,
      fallback: undefined,
      model: undefined,
      specialPrefix: undefined,
      stop: [],
      maxTokens: undefined,
      maxTokensMember: "auto",
      asksUsage: true,
      requestCleaning: { mergeUserMessages: true, dropEmptyMessages: true, stripHistoryThink: ["think"] },
      headers: {},
      extraBody: {},
      thinkingFormat: undefined,
      thinkingTags: ["think"],
      onUnsupported: "drop",
      cacheMarks: "auto",
      abilities: {},
      timeouts: {
        connectMs: 10_000,
        firstByteMs: 300_000,
        answerMs: 600_000,
        idleMs: 300_000,
        totalMs: 1_800_000,
      },
      concurrency: undefined,
      hedgeAfterMs: undefined,
      resume: undefined,
    })
  })

  it("takes over what an upstream says, header names in lower case", () => {
    const upstream = firstOf({
      openai_clients: [
        {
          ...client,
          api_key: "sk-1",
          priority: 0,
          fallback: "b",
          model: "m",
          special_prefix: "p",
          stop: ["s"],
          max_tokens: 5,
          headers: { "X-Custom": "V" },
          extra_body: '{"top_k": 40}',
          thinking_format: "strip",
          thinking_tags: ["thought"],
          on_unsupported: "reject",
          cache_marks: "keep",
          abilities: { forced_tools: "never", efforts: ["low", "max"], max_output: 9, prefill: null },
          max_concurrent: 2,
          max_waiting: 3,
          hedge_after_ms: 4,
          resume: true,
          resume_message: { prefix: true },
        },
      ],
    })
    expect(upstream).toMatchObject({
      apiKey: Redacted.make("sk-1"),
      weight: 0,
      fallback: "b",
      model: "m",
      specialPrefix: "p",
      stop: ["s"],
      maxTokens: 5,
      headers: { "x-custom": "V" },
      extraBody: { top_k: 40 },
      thinkingFormat: "strip",
      thinkingTags: ["thought"],
      onUnsupported: "reject",
      cacheMarks: "keep",
      abilities: { forcedTools: "never", efforts: ["low", "max"], maxOutput: 9 },
      concurrency: { max: 2, maxWaiting: 3, maxWaitMs: 1_000 },
      hedgeAfterMs: 4,
      resume: { body: {}, message: { prefix: true } },
    })
  })

  it("merges request_cleaning field by field, and takes over what is switched off", () => {
    const upstream = firstOf({
      request_cleaning: { merge_user_messages: false, drop_empty_messages: false },
      openai_clients: [
        {
          ...client,
          request_cleaning: { merge_user_messages: true, strip_history_think: null },
          stream_usage: false,
          max_tokens_member: "max_completion_tokens",
          pass_key: false,
        },
      ],
    })
    expect(upstream).toMatchObject({
      requestCleaning: { mergeUserMessages: true, dropEmptyMessages: false, stripHistoryThink: ["think"] },
      asksUsage: false,
      maxTokensMember: "max_completion_tokens",
      passesKey: false,
    })
  })

  it("merges timeouts field by field", () => {
    const upstream = firstOf({
      timeouts: { idle_ms: 5, total_ms: 6 },
      openai_clients: [{ ...client, timeouts: { connect_ms: 1, idle_ms: 2, total_ms: null } }],
    })
    expect(upstream?.timeouts).toEqual({
      connectMs: 1,
      firstByteMs: 300_000,
      answerMs: 600_000,
      idleMs: 2,
      totalMs: 6,
    })
  })

  it("retries the statuses that are listed, alone or by class", () => {
    const { retryOn } = snapshotOf({
      retry: { retry_on: [429, "5xx", "408", "3XX"] },
      openai_clients: [],
    }).retry
    const retried = Array.from({ length: 500 }, (_, i) => i + 100).filter(retryOn)
    expect(retried.filter((status) => status < 500)).toEqual([
      ...Array.from({ length: 100 }, (_, i) => i + 300),
      408,
      429,
    ])
    expect(retried.filter((status) => status >= 500)).toHaveLength(100)
  })

  it("law: every client becomes an upstream in its place, found by its own match values", () => {
    fc.assert(
      fc.property(writtenConfig, (written) => {
        const config = decode(written)
        const { routes } = makeSnapshot(config, { generation: 1, loadedAt: 0, env: {} })
        expect(routes.upstreams.map(({ name }) => name)).toEqual(
          config.openai_clients.map(({ name }) => name),
        )
        for (const upstream of routes.upstreams) {
          for (const value of upstream.match.values) expect(route(routes, value)).toContain(upstream)
        }
      }),
      { numRuns: runs(50) },
    )
  })
})
