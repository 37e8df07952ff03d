// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment look like this
/** Valid configurations as they are written, from the smallest to ones that use every key. */

import fc from "fast-check"
import { stringify } from "yaml"
import { strategyNames } from "../../src/routing/strategies/Strategies.ts"

/** A text that expands to `text`, whatever it holds. */
export const escapeReferences = (text: string): string => text.replaceAll("${", () => "$${")

/** What a file can hold. */
export type Written =
  | null
  | boolean
  | number
  | string
  | ReadonlyArray<Written>
  | { readonly [key: string]: Written }

export const isMap = (value: Written): value is { readonly [key: string]: Written } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom(
    "${X}",
    "$${",
    "a: b",
    "# no comment",
    "- x",
    "null",
    "12",
    "yes",
    "line\nbreak",
    "\ttab",
    "{",
    "*a",
    "<<",
    "é",
  ),
)

const filled = text.filter((value) => value !== "")

/** What may be a model's name: one line. */
const oneLine = text.filter((value) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value))

const name = fc.oneof(fc.stringMatching(/^[a-z_]{1,8}$/), fc.constantFrom("官方", "a b", "true", "1", "x: y"))

const token = fc.stringMatching(/^[\x21-\x7e]{0,12}$/)

const milliseconds = fc.integer({ min: 1, max: 2_147_483_647 })

const json = fc
  .jsonValue({ maxDepth: 2 })
  .map(
    (value): Written =>
      JSON.parse(JSON.stringify(value, (key, it) => (key === "__proto__" ? undefined : it))),
  )

const jsonMap = fc.dictionary(
  fc.string({ maxLength: 6 }).filter((key) => key !== "__proto__" && key !== "<<"),
  json,
  { maxKeys: 3 },
)

/** A map with any of these keys. */
const some = (
  model: Record<string, fc.Arbitrary<Written>>,
): fc.Arbitrary<{ readonly [key: string]: Written }> =>
  fc
    .record(model)
    .chain((whole) => fc.subarray(Object.entries(whole)).map((entries) => Object.fromEntries(entries)))

const cleanings = {
  merge_user_messages: fc.boolean(),
  drop_empty_messages: fc.boolean(),
  strip_history_think: fc.boolean(),
}

const timeoutsOfAttempts = {
  connect_ms: milliseconds,
  first_byte_ms: milliseconds,
  answer_ms: milliseconds,
  idle_ms: fc.oneof(milliseconds, fc.constant(null)),
  total_ms: milliseconds,
}

const thinkingFormat = fc.constantFrom("passthrough", "strip", "think_tag", "reasoning", "reasoning_content")

const thinkingTags = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_:-]{1,32}$/), {
  minLength: 1,
  maxLength: 8,
})

const headers = fc.dictionary(
  fc.stringMatching(/^x-[a-z0-9]{1,6}$/),
  fc.stringMatching(/^[\x20-\x7e]{0,10}$/),
  { maxKeys: 3 },
)

const client = fc
  .tuple(
    fc.record({
      base_url: fc.constantFrom("https://api.example.com/v1", "http://localhost:8080", "HTTP://[::1]:1/v1/"),
      model_match: fc.record({
        type: fc.constantFrom("keyword", "exact"),
        value: fc.array(
          oneLine.filter((value) => value !== ""),
          { minLength: 1, maxLength: 3 },
        ),
      }),
    }),
    some({
      api_key: fc.oneof(token, fc.constant(null)),
      priority: fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e6, noNaN: true })),
      fallback: fc.constantFrom<Written>(false, null, ""),
      model: oneLine,
      special_prefix: text,
      stop: fc.array(filled, { maxLength: 2 }),
      max_tokens: fc.integer({ min: 1, max: 100_000 }),
      max_tokens_member: fc.constantFrom("auto", "max_tokens", "max_completion_tokens"),
      stream_usage: fc.boolean(),
      request_cleaning: some(cleanings),
      pass_key: fc.boolean(),
      headers,
      extra_body: fc.oneof(
        jsonMap,
        jsonMap.map((map) => JSON.stringify(map)),
        fc.constant(""),
      ),
      thinking_format: thinkingFormat,
      thinking_tags: thinkingTags,
      on_unsupported: fc.constantFrom("drop", "reject"),
      cache_marks: fc.constantFrom("auto", "keep"),
      abilities: some({
        sampling: fc.constantFrom("always", "while_not_thinking", "never"),
        top_k: fc.boolean(),
        efforts: fc.subarray(["none", "low", "max"]),
        forced_tools: fc.constantFrom("always", "never"),
        most_stops: fc.nat(4),
        max_output: fc.integer({ min: 1, max: 200_000 }),
        schemas: fc.boolean(),
      }),
      timeouts: some(timeoutsOfAttempts),
      max_concurrent: fc.integer({ min: 1, max: 1_000_000 }),
      max_waiting: fc.nat(1_000_000),
      max_wait_ms: milliseconds,
      hedge_after_ms: milliseconds,
      resume: fc.boolean(),
      resume_body: jsonMap,
      resume_message: jsonMap,
    }),
  )
  .map(([required, optional]): { readonly [key: string]: Written } => ({ ...required, ...optional }))

const settings = some({
  load_balancing: some({ strategy: fc.constantFrom(...strategyNames) }),
  thinking_format: thinkingFormat,
  thinking_tags: thinkingTags,
  usage: fc.constantFrom("asked", "always"),
  response_cleaning: some({ strip_think_models: fc.array(filled, { maxLength: 3 }) }),
  request_cleaning: some(cleanings),
  models_cache: some({ ttl_seconds: fc.nat(100_000) }),
  retry: some({
    rounds: fc.integer({ min: 1, max: 100 }),
    base_delay_ms: fc.nat(),
    max_delay_ms: fc.nat(),
    retry_on: fc.array(fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom("5xx", "4XX", "429"))),
  }),
  breaker: some({
    failures: fc.nat(1_000_000),
    open_ms: fc.integer({ min: 1, max: 2_147_483_647 }),
    max_open_ms: fc.integer({ min: 1, max: 2_147_483_647 }),
  }),
  timeouts: some({ request_ms: milliseconds, ...timeoutsOfAttempts }),
  server: some({
    max_in_flight: fc.integer({ min: 1, max: 1_000_000 }),
    max_buffered_bytes: fc.integer({ min: 1 }),
    max_body_bytes: fc.integer({ min: 1, max: 512_000_000 }),
    access_keys: fc.array(
      token.filter((key) => key !== ""),
      { maxLength: 2 },
    ),
    trust_proxy: fc.boolean(),
  }),
  audit: some({
    bodies: fc.constantFrom("full", "none"),
    max_body_bytes: fc.nat(512_000_000),
    retention_months: fc.nat(1200),
  }),
})

/** A configuration that loads: names are unique, fallbacks lead to another client. */
export const writtenConfig: fc.Arbitrary<{ readonly [key: string]: Written }> = fc
  .tuple(
    settings,
    fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(client, fc.nat()), { minLength: 4, maxLength: 4 }),
  )
  .map(([rest, names, clients]) => ({
    ...rest,
    openai_clients: names.map((name, position) => {
      const [entry, draw] = clients[position] ?? [{}, 0]
      const other = names[draw % names.length]
      const fallback: Written =
        entry.fallback === null && other !== undefined && other !== name ? other : false
      return { ...entry, name, ...("fallback" in entry ? { fallback } : {}) }
    }),
  }))

/** `value` with `change` applied to each text that is not a key. */
export const mapTexts = (value: Written, change: (text: string) => string): Written => {
  if (typeof value === "string") return change(value)
  if (Array.isArray(value)) return value.map((item: Written) => mapTexts(item, change))
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, it]) => [key, mapTexts(it, change)]))
    : value
}

/** Ways in which YAML can be laid out. */
export const layout = fc.record({
  indent: fc.constantFrom(2, 3, 4),
  collectionStyle: fc.constantFrom("any" as const, "block" as const, "flow" as const),
  defaultStringType: fc.constantFrom("PLAIN" as const, "QUOTE_DOUBLE" as const, "QUOTE_SINGLE" as const),
})

export type Layout = typeof layout extends fc.Arbitrary<infer A> ? A : never

/** As YAML, with nothing in it that refers to the environment. */
export const writeLiterally = (config: Written, layout: Layout): string =>
  stringify(mapTexts(config, escapeReferences), { ...layout, lineWidth: 0, aliasDuplicateObjects: false })
