/**
 * The configuration file as an Effect Schema: the one truth about its keys, their defaults, bounds and meaning. Loading, error
 * messages, the JSON Schema for editors and docs/configuration.md are all derived from it.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { parseNetwork } from "../domain/Address.ts"
import { isJsonObject, type Json } from "../domain/Json.ts"
import { isDirect, parseProxy } from "../domain/OutgoingProxy.ts"
import { connectionNames } from "../domain/RequestHeaders.ts"

/**
 * Marks a part of the schema whose values are credentials or may hold some: no message repeats them.
 *
 * `title` says everywhere what kind of value is expected ("a whole number of at least 1"): error messages and docs use it.
 */
export const confidential: unique symbol = Symbol.for("sluice/config/confidential")

/** Leftovers of GPT_API at the top level: accepted with a warning, and ignored. */
export const leftovers: ReadonlyArray<string> = ["check_config", "performance_test"]

/** The endings of endpoint URLs, which `base_url` must not repeat: Sluice appends them itself. */
export const endpointPaths: ReadonlyArray<string> = ["/chat/completions", "/completions", "/models"]

// Kinds of values

/** The longest delay Node's timers take. */
const longestTimer = 2_147_483_647

/** Longer chains of proxies there are none. */
const mostProxies = 32

/** V8's longest string is a little longer; a larger body could not be parsed. */
const largestBody = 512_000_000

/** 1,000 for a whole number; `toLocaleString` would load Node's data of all languages for it, 26 ms of the start. */
const grouped = (value: number): string => String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ",")

/** A whole number in a range, which messages and docs name. */
const whole = (minimum: number, maximum: number) => {
  const title = `a whole number from ${grouped(minimum)} to ${grouped(maximum)}`
  return Schema.Number.pipe(
    Schema.filter((value) => Number.isInteger(value) && value >= minimum && value <= maximum, {
      title,
      jsonSchema: { type: "integer", title, minimum, maximum },
    }),
  )
}

const milliseconds = whole(1, longestTimer)

const nonEmptyText = (title: string) =>
  Schema.String.pipe(Schema.filter((value) => value !== "", { title, jsonSchema: { minLength: 1 } }))

const weight = Schema.Number.pipe(
  Schema.filter((value) => Number.isFinite(value) && value >= 0, {
    title: "a number of at least 0",
    jsonSchema: { minimum: 0 },
  }),
)

const strategy = Schema.Literal("random", "deterministic", "least_connections")

const thinkingFormat = Schema.Literal("passthrough", "strip", "think_tag", "reasoning", "reasoning_content")

const maxTokensMember = Schema.Literal("auto", "max_tokens", "max_completion_tokens")

const statusPattern = /^[1-5](\d\d|[xX]{2})$/

const retryStatus = Schema.Union(
  whole(100, 599),
  Schema.String.pipe(
    Schema.filter((value) => statusPattern.test(value), { jsonSchema: { pattern: statusPattern.source } }),
  ),
).annotations({ title: 'an HTTP status from 100 to 599 or a class of them such as "5xx"' })

// What a header can carry: visible ASCII, no white space (RFC 6750 says so for bearer tokens).
const tokenText = /^[\x21-\x7e]*$/

const unsendable = "holds white space or characters that a header cannot carry; check for a stray line feed"

const upstreamKey = Schema.String.pipe(
  Schema.filter((value) => tokenText.test(value) || `the key ${unsendable}`),
).annotations({
  title: "a string",
  jsonSchema: { type: "string", examples: [`\${OPENAI_API_KEY}`] },
  [confidential]: true,
})

const accessKey = Schema.String.pipe(
  Schema.filter((value) => {
    if (value === "")
      return "an empty access key would let everybody in; leave access_keys empty to ask for none"
    return tokenText.test(value) || `the access key ${unsendable}`
  }),
).annotations({
  title: "a string",
  jsonSchema: { type: "string", examples: [`\${ACCESS_KEY}`] },
  [confidential]: true,
})

/** Why a `base_url` cannot be used, or `undefined`. Never repeats it: it may hold a password. */
const urlProblem = (value: string): string | undefined => {
  if (!/^https?:\/\//i.test(value)) return "expected a URL that begins with http:// or https://"
  if (/[\s\p{Cc}]/u.test(value)) return "a URL holds no white space"
  if (!URL.canParse(value))
    return "expected a URL such as https://api.openai.com/v1; its host or port is not valid"
  const url = new URL(value)
  if (url.username !== "" || url.password !== "") {
    return "a base_url carries no user or password; use api_key, or headers for another kind of credentials"
  }
  if (value.includes("#")) return "a base_url has no fragment (#…): it would not be sent"
  return undefined
}

const baseUrl = Schema.String.pipe(Schema.filter((value) => urlProblem(value))).annotations({
  title: "an http(s) URL",
  jsonSchema: { pattern: "^[Hh][Tt][Tt][Pp][Ss]?://" },
})

/** What is wrong with a `proxy_url`, or `undefined`. */
const proxyProblem = (value: string | false): string | undefined =>
  value === false || isDirect(value) ? undefined : Either.getOrUndefined(Either.flip(parseProxy(value)))

const proxyUrl = Schema.Union(Schema.String, Schema.Literal(false)).pipe(
  Schema.filter((value) => proxyProblem(value), {
    title: "the URL of a proxy, or false",
    jsonSchema: { title: "the URL of a proxy, or false", anyOf: [{ type: "string" }, { type: "boolean" }] },
    [confidential]: true,
  }),
)

const trustTitle = "true, false, a number of proxies, or a list of networks"

const trustProxy = Schema.Union(Schema.Boolean, Schema.Number, Schema.Array(Schema.String))
  .pipe(
    Schema.filter((value): string | undefined => {
      if (typeof value === "boolean") return undefined
      if (typeof value === "number") {
        return Number.isInteger(value) && value >= 0 && value <= mostProxies
          ? undefined
          : `expected a whole number of proxies from 0 to ${mostProxies}`
      }
      const wrong = value.find((network) => parseNetwork(network) === undefined)
      return wrong === undefined
        ? undefined
        : `${JSON.stringify(wrong)} is no network; write one such as 10.0.0.0/8 or fd00::/8, or an address`
    }),
  )
  .annotations({ title: trustTitle })

/** RFC 9110, 5.6.2. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** RFC 9110, 5.5, as Node checks it. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

const headerProblems = (headers: { readonly [name: string]: unknown }): ReadonlyArray<Schema.FilterIssue> => {
  const seen = new Set<string>()
  return Object.entries(headers).flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    const repeated = seen.has(lower)
    seen.add(lower)
    const message = !headerName.test(name)
      ? "not a legal header name: letters, digits and !#$%&'*+-.^_`|~ only"
      : connectionNames.has(lower)
        ? "this header belongs to the connection or the body's framing; Sluice sets it itself, remove it"
        : repeated
          ? "this header is given twice; header names are the same in upper and lower case"
          : headerValueProblem(value)
    return message === undefined ? [] : [{ path: [name], message }]
  })
}

const headerValueProblem = (value: unknown): string | undefined => {
  if (typeof value !== "string") return "expected a string; write numbers, true and false in quotes"
  return headerValue.test(value)
    ? undefined
    : "the value holds characters that a header cannot carry (line feeds, or beyond Latin-1)"
}

// The filter stands before the values are known to be strings, so that what is wrong with names and values shows at once.
const headers = Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(
  Schema.filter(headerProblems, {
    title: "a map of header names to strings",
    jsonSchema: {
      type: "object",
      title: "a map of header names to strings",
      additionalProperties: { type: "string" },
    },
    [confidential]: true,
  }),
  Schema.compose(Schema.Record({ key: Schema.String, value: Schema.String }), { strict: false }),
)

const auth = Schema.Union(
  Schema.Literal("bearer", "x-api-key", "api-key"),
  Schema.Struct({
    header: Schema.String.pipe(
      Schema.filter((name) => headerName.test(name) && !connectionNames.has(name.toLowerCase()), {
        title: "the name of a header",
      }),
    ).annotations({ description: "The header that holds the key alone." }),
  }),
).annotations({ title: "bearer, x-api-key, api-key, or a map of header" })

const isJson = (value: unknown): value is Json =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value)) ||
  (Array.isArray(value) && value.every(isJson)) ||
  (isJsonObject(value) && Object.values(value).every(isJson))

const jsonObject = Schema.declare(isJsonObject, { jsonSchema: { type: "object" } }).pipe(
  Schema.filter((value) => isJson(value) || "holds .nan or .inf, which JSON has no word for"),
)

const parsedObject = Schema.parseJson()

/** A map, or a string of JSON that is an object; a blank string is an empty map, as in GPT_API. */
const extraBody = Schema.transformOrFail(Schema.Union(jsonObject, Schema.String), jsonObject, {
  strict: true,
  decode: (value, _, ast) => {
    if (typeof value !== "string") return ParseResult.succeed(value)
    if (value.trim() === "") return ParseResult.succeed({})
    const parsed = Option.getOrUndefined(Schema.decodeOption(parsedObject)(value))
    return isJsonObject(parsed) && isJson(parsed)
      ? ParseResult.succeed(parsed)
      : // Without the value: JSON.parse's own message quotes it.
        ParseResult.fail(new ParseResult.Type(ast, undefined, "the string is not JSON of an object"))
  },
  encode: (value) => ParseResult.succeed(value),
}).annotations({ title: "a map, or a string of JSON that is an object", [confidential]: true })

// Keys

interface About<A> {
  readonly description: string
  readonly examples?: readonly [A, ...ReadonlyArray<A>]
}

/** A key with a default; a key without a value (YAML's null) counts as absent. */
const setting = <A, I>(schema: Schema.Schema<A, I>, absent: NoInfer<A>, about: About<NoInfer<A>>) =>
  Schema.optionalWith(schema, { nullable: true, default: () => absent }).annotations({
    description: about.description,
    ...(about.examples === undefined ? {} : { examples: [...about.examples] }),
    default: absent,
  })

/** A key that may be absent; a key without a value counts as absent. */
const optional = <A, I>(schema: Schema.Schema<A, I>, about: About<NoInfer<A>>) =>
  Schema.optionalWith(schema, { nullable: true }).annotations({
    description: about.description,
    ...(about.examples === undefined ? {} : { examples: [...about.examples] }),
  })

const given = <A>(value: Option.Option<A>): Option.Option<Exclude<A, null | false | "">> =>
  Option.filter(value, (it): it is Exclude<A, null | false | ""> => it !== null && it !== false && it !== "")

/** A text that may be absent; `""` counts as absent. */
const optionalText = (about: About<string>) =>
  Schema.optionalToOptional(Schema.NullOr(Schema.String), Schema.String, {
    decode: given,
    encode: (value) => value,
  }).annotations({
    description: about.description,
    ...(about.examples === undefined ? {} : { examples: [...about.examples] }),
  })

// Sections

const LoadBalancing = Schema.Struct({
  strategy: setting(strategy, "random", {
    description:
      "How the clients that match a model are ordered for each request. `random` draws by weight; `deterministic` sends the same conversation to the same client, so that its prefix cache is warm; `least_connections` takes the client with the fewest requests under way per weight.",
    examples: ["deterministic"],
  }),
})

const ResponseCleaning = Schema.Struct({
  strip_think_models: setting(Schema.Array(nonEmptyText("a part of a model name")), ["deepseek"], {
    description:
      "Parts of model names: a model whose name contains one has `<think>…</think>` removed from its answers, unless a `thinking_format` is set for it.",
    examples: [["deepseek", "qwq"]],
  }),
})

const cleaningKeys = {
  merge_user_messages: "Joins consecutive `user` messages into one, nothing dropped.",
  drop_empty_messages: "Leaves out messages with nothing in them (never tool messages or tool calls).",
  strip_history_think:
    "Removes closed `<think>…</think>` from assistant messages before the last `user` message; what follows it, as in a loop of tool calls, keeps its thinking.",
} as const

const globalCleaning = (key: keyof typeof cleaningKeys) =>
  setting(Schema.Boolean, true, { description: cleaningKeys[key], examples: [false] })

const clientCleaning = (key: keyof typeof cleaningKeys) =>
  optional(Schema.Boolean, {
    description: `${cleaningKeys[key]} Absent: the global \`request_cleaning.${key}\`.`,
    examples: [false],
  })

const RequestCleaning = Schema.Struct({
  merge_user_messages: globalCleaning("merge_user_messages"),
  drop_empty_messages: globalCleaning("drop_empty_messages"),
  strip_history_think: globalCleaning("strip_history_think"),
})

const ClientRequestCleaning = Schema.Struct({
  merge_user_messages: clientCleaning("merge_user_messages"),
  drop_empty_messages: clientCleaning("drop_empty_messages"),
  strip_history_think: clientCleaning("strip_history_think"),
})
const ModelsCache = Schema.Struct({
  ttl_seconds: setting(whole(0, 31_536_000), 600, {
    description: "How long the answer of `/v1/models` is kept, in seconds. 0 asks the upstreams every time.",
    examples: [60],
  }),
})

const defaultRetryOn: ReadonlyArray<number | string> = [401, 403, 404, 408, 425, 429, "5xx"]

const Retry = Schema.Struct({
  rounds: setting(whole(1, 100), 2, {
    description:
      "How often the whole plan is walked, the first time included. 1 never waits and never repeats.",
    examples: [3],
  }),
  base_delay_ms: setting(whole(0, longestTimer), 200, {
    description:
      "The wait before the second round, in milliseconds; it doubles each round, with full jitter.",
    examples: [500],
  }),
  max_delay_ms: setting(whole(0, longestTimer), 5000, {
    description:
      "The longest wait between rounds, in milliseconds; also the longest `retry-after` that is waited out.",
    examples: [10_000],
  }),
  retry_on: setting(Schema.Array(retryStatus), defaultRetryOn, {
    description:
      "The HTTP statuses of an upstream that are worth another target: statuses, or classes such as `5xx`. What says with another status what others say with theirs counts as both: a 413 or 498 of a rate limit as 429, a 402 or a 400 of a wrong key as 401. A prompt that a moderation flagged counts as 400, whatever its status.",
    examples: [[429, "5xx"]],
  }),
})

const Breaker = Schema.Struct({
  failures: setting(whole(0, 1_000_000), 5, {
    description:
      "How many transient failures in a row (no connection, broken off, timed out, 408, 425, 5xx) set a client aside. It is then asked only after all others, until a probe goes well. A refused `api_key` and an account without credit do so at once. Rate limits (429) and missing models (404) set aside only that model at that client, at once where they say `retry-after` or that the model is missing. 0 never does.",
    examples: [10],
  }),
  open_ms: setting(milliseconds, 10_000, {
    description:
      "How long a client is set aside before one request probes it, in milliseconds; doubled each time the probe fails.",
    examples: [30_000],
  }),
  max_open_ms: setting(milliseconds, 120_000, {
    description: "The longest such wait, in milliseconds; also the longest `retry-after` that is heeded.",
    examples: [600_000],
  }),
})

const timeoutKeys = {
  connect_ms: { absent: 10_000, description: "Until the connection to the upstream stands, TLS included." },
  first_byte_ms: {
    absent: 300_000,
    description:
      "Until the first event of a stream that says something; each sign of life before it (a comment, a ping, a role) begins the wait anew.",
  },
  answer_ms: { absent: 600_000, description: "Until the last byte of a plain answer." },
  idle_ms: { absent: 300_000, description: "The longest silence inside an answer." },
  total_ms: { absent: 1_800_000, description: "One attempt as a whole." },
} as const

const globalTimeout = (key: keyof typeof timeoutKeys) =>
  setting(milliseconds, timeoutKeys[key].absent, {
    description: `${timeoutKeys[key].description} In milliseconds.`,
    examples: [timeoutKeys[key].absent / 2],
  })

const clientTimeout = (key: keyof typeof timeoutKeys) =>
  optional(milliseconds, {
    description: `${timeoutKeys[key].description} In milliseconds; absent: the global \`timeouts.${key}\`.`,
    examples: [timeoutKeys[key].absent / 2],
  })

const Timeouts = Schema.Struct({
  request_ms: setting(milliseconds, 3_600_000, {
    description:
      "One request as a whole: all its attempts, the waits between them, and the answer. A caller's `x-request-timeout-ms` header can only shorten it. In milliseconds.",
    examples: [600_000],
  }),
  connect_ms: globalTimeout("connect_ms"),
  first_byte_ms: globalTimeout("first_byte_ms"),
  answer_ms: globalTimeout("answer_ms"),
  idle_ms: globalTimeout("idle_ms"),
  total_ms: globalTimeout("total_ms"),
})

const ClientTimeouts = Schema.Struct({
  connect_ms: clientTimeout("connect_ms"),
  first_byte_ms: clientTimeout("first_byte_ms"),
  answer_ms: clientTimeout("answer_ms"),
  idle_ms: clientTimeout("idle_ms"),
  total_ms: clientTimeout("total_ms"),
})

const noAccessKeys: ReadonlyArray<Redacted.Redacted<string>> = []

const Server = Schema.Struct({
  max_body_bytes: setting(whole(1, largestBody), 52_428_800, {
    description: "The largest request body taken, in bytes; a larger one is answered 413.",
    examples: [10_485_760],
  }),
  max_in_flight: setting(whole(1, 1_000_000), 16_384, {
    description: "How many requests may be under way at once; more are answered 503 with `retry-after`.",
    examples: [1_000],
  }),
  max_buffered_bytes: setting(whole(1, Number.MAX_SAFE_INTEGER), 536_870_912, {
    description:
      "How much memory the bodies of all requests under way, and the plain answers being read for them, may take together, in bytes; beyond it requests are answered 503 with `retry-after`.",
    examples: [1_073_741_824],
  }),
  access_keys: setting(Schema.Array(Schema.Redacted(accessKey)), noAccessKeys, {
    description:
      "Keys of which callers must send one as `Authorization: Bearer …`. Empty: everybody who reaches the port is served.",
  }),
  trust_proxy: setting(trustProxy, false, {
    description:
      "Which proxies are believed about the caller's address in `x-forwarded-for`, read from the right, or else in `x-real-ip`: the last so many, or those in a list of networks (`[10.0.0.0/8]`). `true` believes all, and so whatever a caller sends where a proxy only appends.",
    examples: [1],
  }),
})

const Audit = Schema.Struct({
  bodies: setting(Schema.Literal("full", "none"), "full", {
    description: "Whether requests and answers are kept in the audit rows.",
    examples: ["none"],
  }),
  max_body_bytes: setting(whole(0, largestBody), 1_048_576, {
    description: "How much of one body is kept at most, in bytes.",
    examples: [65_536],
  }),
  retention_months: setting(whole(0, 1200), 0, {
    description: "How many months of archives are kept. 0 keeps them for ever.",
    examples: [12],
  }),
})

const ModelMatch = Schema.Struct({
  type: Schema.Literal("keyword", "exact").annotations({
    description:
      "`keyword`: the model name contains one of the values; `exact`: it equals one. Case-sensitive.",
  }),
  value: Schema.Array(
    nonEmptyText("a non-empty model name or part of one (an empty one would match every model)"),
  )
    .pipe(
      Schema.filter((values) => values.length > 0, {
        title: "a list of at least one model name or keyword",
        jsonSchema: { minItems: 1 },
      }),
    )
    .annotations({
      description: "Model names (`exact`) or parts of them (`keyword`).",
      examples: [["gpt-4", "gpt-3.5"]],
    }),
})

const clientName = Schema.String.pipe(
  Schema.filter((value) => value.trim() !== "" && value.length <= 200 && !/\p{Cc}/u.test(value), {
    title: "a non-empty name of at most 200 characters without control characters",
    jsonSchema: { minLength: 1, maxLength: 200 },
  }),
)

const Client = Schema.Struct({
  name: clientName.annotations({
    description: "What the client is called in headers, logs, audit rows and `fallback`. Unique.",
    examples: ["official_openai"],
  }),
  base_url: baseUrl.annotations({
    description:
      "Where it answers: `/chat/completions` and so on are appended to its path. http or https, without credentials; a query such as Azure's `?api-version=…` stays behind every path.",
    examples: ["https://api.openai.com/v1"],
  }),
  api_key: Schema.optionalToOptional(Schema.NullOr(upstreamKey), Schema.Redacted(Schema.String), {
    decode: given,
    encode: (value) => value,
  }).annotations({
    description:
      'The key sent to it as `Authorization: Bearer …`. Absent or `""`: the caller\'s own key is passed through.',
  }),
  auth: setting(auth, "bearer", {
    description:
      "The header its key is sent in: `bearer` is `Authorization: Bearer …`, `x-api-key` and `api-key` (Azure) hold the key alone, and so does any other by `{ header: NAME }`.",
    examples: ["api-key"],
  }),
  proxy_url: optional(proxyUrl, {
    description:
      'The proxy its calls go through, `http://user:password@host:port` or https. `""`, `false` or `direct`: none. Absent: what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment say.',
    examples: ["http://proxy.example:3128"],
  }),
  model_match: ModelMatch.annotations({
    description: "Which models it serves.",
    title: "a map of type and value",
  }),
  priority: setting(weight, 1, {
    description:
      "Its weight: the share of traffic among the clients that match. 0 = standby, tried only after all others.",
    examples: [10],
  }),
  fallback: Schema.optionalToOptional(
    Schema.Union(Schema.String, Schema.Literal(false), Schema.Null).annotations({
      title: "a client's name, a model name, or false",
    }),
    Schema.String,
    { decode: given, encode: (value) => value },
  ).annotations({
    description:
      "Where to go when every client that matches has failed: a client's name, else a model name, which is routed in turn. `false` or absent: nowhere.",
    examples: ["deepseek_backup"],
  }),
  model: optionalText({
    description: "The model name sent upstream, whatever was asked. Absent: the name asked.",
    examples: ["gpt-4o"],
  }),
  special_prefix: optionalText({
    description: "Text put before the first non-empty text of each answer.",
    examples: ["[DeepSeek]\n"],
  }),
  stop: optional(
    Schema.Array(nonEmptyText("a non-empty string")).annotations({ title: "a list of strings" }),
    { description: "Stop words added to each request, before its own.", examples: [["<|endoftext|>"]] },
  ),
  max_tokens: optional(whole(1, longestTimer), {
    description: "A cap on the tokens of an answer; also sent where the request says nothing.",
    examples: [4096],
  }),
  max_tokens_member: setting(maxTokensMember, "auto", {
    description:
      "What `max_tokens` is sent as where the request has no limit of its own: `auto` is `max_tokens`, and where the client refuses that for a model, the other name, which is remembered.",
    examples: ["max_completion_tokens"],
  }),
  stream_usage: setting(Schema.Boolean, true, {
    description:
      "Asks for the usage of streams (`stream_options.include_usage`) though the caller did not, so that the audit knows their tokens. Where the client refuses it for a model, it is left out, which is remembered. `false`: never.",
    examples: [false],
  }),
  request_cleaning: optional(ClientRequestCleaning, {
    description: "Overrides the global `request_cleaning`, key by key.",
  }),
  pass_key: setting(Schema.Boolean, true, {
    description:
      "Whether it may be sent the caller's own key where it has no `api_key`. `false`: it is sent none, as servers without keys want it.",
    examples: [false],
  }),
  headers: optional(headers, {
    description: "Headers added to each request to it. Not those of the connection (`host` may be set).",
    examples: [{ "X-Custom": "v" }],
  }),
  extra_body: optional(extraBody, {
    description:
      "Members added to the request's body where the request does not say them: a map, or a string of JSON.",
    examples: [{ top_k: 40 }],
  }),
  thinking_format: optional(thinkingFormat, {
    description: "How reasoning reaches the caller; absent: the global `thinking_format`.",
    examples: ["strip"],
  }),
  timeouts: optional(ClientTimeouts, { description: "Overrides the global `timeouts`, key by key." }),
  max_concurrent: optional(whole(1, 1_000_000), {
    description:
      "How many requests it is sent at once, answers under way included. More wait for a free place, see `max_waiting` and `max_wait_ms`; then the next client is asked. Absent: as many as come.",
    examples: [32],
  }),
  max_waiting: setting(whole(0, 1_000_000), 100, {
    description: "How many requests may wait for a place of `max_concurrent`. 0: none does.",
    examples: [20],
  }),
  max_wait_ms: setting(milliseconds, 1_000, {
    description: "How long a request waits for a place of `max_concurrent`, in milliseconds.",
    examples: [5_000],
  }),
  hedge_after_ms: optional(milliseconds, {
    description:
      "When its first byte is not there after so many milliseconds, the next client of the plan is asked as well; the first answer wins and the other call is cancelled. Both may be charged. Absent: one attempt at a time.",
    examples: [3_000],
  }),
  resume: setting(Schema.Boolean, false, {
    description:
      "It may go on with a streamed answer that another client broke off: it is sent the text until there as the last assistant message. Only for models that continue such a message; tool calls are never resumed.",
    examples: [true],
  }),
  resume_body: optional(extraBody, {
    description: "Members that such a request needs in its body.",
    examples: [{ continue_final_message: true, add_generation_prompt: false }],
  }),
  resume_message: optional(extraBody, {
    description: "Members that the last assistant message of such a request needs.",
    examples: [{ prefix: true }],
  }),
})

/** The whole file. */
export const GatewayConfig = Schema.Struct({
  load_balancing: setting(LoadBalancing, LoadBalancing.make({}), {
    description: "How traffic is spread over the clients that match a model.",
  }),
  // Without a decoding default: `passthrough` written out switches `strip_think_models` off, an absent key does not.
  thinking_format: optional(thinkingFormat, {
    description:
      "How reasoning reaches the caller. `passthrough` leaves it as the upstream sends it; `strip` removes it; `think_tag` puts it into the content between `<think>` and `</think>`; `reasoning` and `reasoning_content` put it into the member of that name. Absent: passthrough, except for the models of `response_cleaning.strip_think_models`.",
    examples: ["reasoning_content"],
  }).annotations({ default: "passthrough" }),
  usage: setting(Schema.Literal("asked", "always"), "asked", {
    description:
      "Which callers get the usage of a stream: those who asked for it (`stream_options.include_usage`), or all. Sluice knows it either way, for the audit.",
    examples: ["always"],
  }),
  response_cleaning: setting(ResponseCleaning, ResponseCleaning.make({}), {
    description: "What is removed from answers.",
  }),
  request_cleaning: setting(RequestCleaning, RequestCleaning.make({}), {
    description: "What is tidied in the messages of requests.",
  }),
  models_cache: setting(ModelsCache, ModelsCache.make({}), { description: "The cache of `/v1/models`." }),
  retry: setting(Retry, Retry.make({}), { description: "What happens after an attempt has failed." }),
  breaker: setting(Breaker, Breaker.make({}), {
    description: "When a client that fails is set aside: no longer asked in its turn, but after all others.",
  }),
  timeouts: setting(Timeouts, Timeouts.make({}), { description: "How long one attempt may take." }),
  server: setting(Server, Server.make({}), { description: "What callers may do." }),
  audit: setting(Audit, Audit.make({}), { description: "What the audit rows keep." }),
  openai_clients: Schema.Array(Client.annotations({ title: "a map that describes a client" })).annotations({
    description: "The upstreams, in OpenAI's dialect. May be empty; then every model is unknown.",
    title: "a list of clients",
  }),
})

export interface GatewayConfig extends Schema.Schema.Type<typeof GatewayConfig> {}

/** One entry of `openai_clients`. */
export interface ClientConfig extends Schema.Schema.Type<typeof Client> {}
