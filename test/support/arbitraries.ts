/** Upstreams for tests: one with sensible values to be overridden, and generators of arbitrary ones. */
import * as Redacted from "effect/Redacted"
import fc from "fast-check"
import { dialects } from "../../src/routing/Dialect.ts"
import type { ModelMatch, Timeouts, Upstream } from "../../src/routing/Upstream.ts"

/** The timeouts a configuration that says nothing gets. */
export const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  answerMs: 600_000,
  idleMs: 300_000,
  totalMs: 1_800_000,
}

/** An upstream that serves every model whose name contains "gpt", changed by what is given. */
export const makeUpstream = (given: Partial<Upstream> = {}): Upstream => ({
  name: "upstream",
  baseUrl: "http://127.0.0.1:9/v1",
  query: "",
  paths: {},
  proxy: undefined,
  keyHeader: undefined,
  apiKey: Redacted.make("sk-of-the-configuration"),
  passesKey: true,
  dialects: ["chat", "responses", "messages"],
  dialectsAssumed: false,
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
  timeouts: defaultTimeouts,
  concurrency: undefined,
  hedgeAfterMs: undefined,
  resume: undefined,
  ...given,
})

/** An `exact` match. */
export const exactly = (...values: ReadonlyArray<string>): ModelMatch => ({ type: "exact", values })

/** A `keyword` match. */
export const containing = (...values: ReadonlyArray<string>): ModelMatch => ({ type: "keyword", values })

/** Few enough model names that generated matches, requests and fallbacks meet. */
export const modelArb: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom("gpt-4", "gpt-4o", "gpt-3.5", "deepseek-chat", "org/llama-3", "o3"),
  },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }) },
)

export const matchArb: fc.Arbitrary<ModelMatch> = fc.oneof(
  fc.record({
    type: fc.constant("exact" as const),
    values: fc.array(modelArb, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    type: fc.constant("keyword" as const),
    values: fc.array(fc.oneof(fc.constantFrom("gpt", "gpt-4", "4", "chat", "/", "pt-"), modelArb), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
)

/** Any finite weight, extremes and standby included. */
export const weightArb: fc.Arbitrary<number> = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 }) },
  { weight: 1, arbitrary: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1e300, 1e-300, Number.MIN_VALUE, Number.MAX_VALUE) },
)

const timeoutArb = fc.integer({ min: 1, max: 3_600_000 })

export const upstreamArb: fc.Arbitrary<Upstream> = fc.record({
  name: fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
  baseUrl: fc.webUrl({ validSchemes: ["http", "https"] }).map((url) => url.replace(/\/+$/, "")),
  apiKey: fc.option(
    fc.string({ minLength: 1 }).map((key) => Redacted.make(`sk-${key}`)),
    {
      nil: undefined,
    },
  ),
  query: fc.constantFrom("", "?api-version=2024-10-21"),
  paths: fc.constantFrom({}, { embeddings: "//embed" }),
  proxy: fc.constant(undefined),
  keyHeader: fc.constantFrom(undefined, "api-key"),
  passesKey: fc.boolean(),
  dialects: fc.subarray([...dialects]),
  dialectsAssumed: fc.boolean(),
  match: matchArb,
  weight: weightArb,
  fallback: fc.option(modelArb, { nil: undefined }),
  model: fc.option(modelArb, { nil: undefined, freq: 3 }),
  specialPrefix: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  stop: fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }),
  maxTokens: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
  maxTokensMember: fc.constantFrom("auto", "max_tokens", "max_completion_tokens"),
  asksUsage: fc.boolean(),
  requestCleaning: fc.record({
    mergeUserMessages: fc.boolean(),
    dropEmptyMessages: fc.boolean(),
    stripHistoryThink: fc.constantFrom([], ["think"]),
  }),
  headers: fc.constantFrom({}, { "x-custom": "v" }),
  extraBody: fc.constantFrom({}, { top_k: 40 }),
  thinkingTags: fc.constantFrom(["think"], ["thought", "think"]),
  onUnsupported: fc.constantFrom("drop", "reject"),
  cacheMarks: fc.constantFrom("auto", "keep"),
  abilities: fc.constantFrom({}, { prefill: false }),
  thinkingFormat: fc.constantFrom(
    undefined,
    "passthrough" as const,
    "strip" as const,
    "think_tag" as const,
    "reasoning" as const,
    "reasoning_content" as const,
  ),
  timeouts: fc.record({
    connectMs: timeoutArb,
    firstByteMs: timeoutArb,
    answerMs: timeoutArb,
    idleMs: timeoutArb,
    totalMs: timeoutArb,
  }),
  concurrency: fc.option(
    fc.record({
      max: fc.integer({ min: 1, max: 100 }),
      maxWaiting: fc.nat(100),
      maxWaitMs: fc.integer({ min: 1, max: 10_000 }),
    }),
    { nil: undefined },
  ),
  hedgeAfterMs: fc.option(timeoutArb, { nil: undefined }),
  resume: fc.constantFrom(undefined, { body: {}, message: { prefix: true } }),
})

/**
 * The upstreams of one configuration: names are unique, and a fallback may name an upstream (itself too, or in a circle), a model
 * or nothing at all.
 */
export const upstreamsArb = (
  size: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<ReadonlyArray<Upstream>> =>
  fc
    .uniqueArray(upstreamArb, { maxLength: 8, ...size, selector: (upstream) => upstream.name })
    .chain((upstreams) =>
      fc
        .tuple(
          ...upstreams.map(({ fallback }) =>
            fc.oneof(fc.constant(fallback), fc.constantFrom(...upstreams.map((other) => other.name))),
          ),
        )
        .map((fallbacks) => upstreams.map((upstream, i) => ({ ...upstream, fallback: fallbacks[i] }))),
    )

/** The clients of GPT_API's README. */
export const readmeUpstreams: ReadonlyArray<Upstream> = [
  makeUpstream({
    name: "official_openai",
    weight: 10,
    match: containing("gpt-4", "gpt-3.5"),
    fallback: "deepseek_backup",
  }),
  makeUpstream({ name: "deepseek_service", match: exactly("deepseek-chat") }),
  makeUpstream({ name: "deepseek_backup", weight: 999, match: exactly("deepseek-chat-fallback") }),
]
