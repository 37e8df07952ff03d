/** The kinds of values that keys of the configuration take: what is one, and what to say of what is none. */
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { originFrom } from "../../access/WebPage.ts"
import { dialects } from "../../routing/Dialect.ts"
import { strategyNames } from "../../routing/strategies/Strategies.ts"
import { isPlaceholder } from "../../secrets/PlaceholderKey.ts"
import { parseNetwork } from "../../wire/Address.ts"
import { connectionNames } from "../../wire/Headers.ts"
import { isJsonObject, type Json } from "../../wire/Json.ts"
import { fixed } from "./FixedWords.ts"

/**
 * Marks a part of the schema whose values are credentials or may hold some: no message repeats them.
 *
 * `title` says everywhere what kind of value is expected ("a whole number of at least 1"): error messages and docs use it.
 */
export const confidential: unique symbol = Symbol.for("sluice/config/confidential")

/** The longest delay Node's timers take. */
export const longestTimer = 2_147_483_647

/** Longer chains of proxies there are none. */
const mostProxies = 32

/** V8's longest string is a little longer; a larger body could not be parsed. */
export const largestBody = 512_000_000

/** 1,000 for a whole number; `toLocaleString` would load Node's data of all languages for it, 26 ms of the start. */
const grouped = (value: number): string => String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ",")

/** A whole number in a range, which messages and docs name. */
export const whole = (minimum: number, maximum: number) => {
  const title = `a whole number from ${grouped(minimum)} to ${grouped(maximum)}`
  return Schema.Number.pipe(
    Schema.filter((value) => Number.isInteger(value) && value >= minimum && value <= maximum, {
      title,
      jsonSchema: { type: "integer", title, minimum, maximum },
    }),
  )
}

export const milliseconds = whole(1, longestTimer)

/** Line ends, other controls, and marks that turn writing around: in a name they can only mislead. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u

/** As many characters as the name of a model has at most that a caller may ask for. */
const longestName = 1_024

const wrongName = fixed(
  `a name of a model or client is one line of at most ${longestName} characters, without control characters or marks of direction` as const,
)

/** What is wrong with a text that stands in logs, rows and requests as a name. */
export const nameProblem = (value: string): string | undefined =>
  value.length > longestName || unprintable.test(value) ? wrongName : undefined

export const oneLine = Schema.String.pipe(Schema.filter((value) => nameProblem(value)))

export const nonEmptyText = (title: string) =>
  Schema.String.pipe(Schema.filter((value) => value !== "", { title, jsonSchema: { minLength: 1 } }))

export const weight = Schema.Number.pipe(
  Schema.filter((value) => Number.isFinite(value) && value >= 0, {
    title: "a number of at least 0",
    jsonSchema: { minimum: 0 },
  }),
)

export const strategy = Schema.Literal(...strategyNames)

export const thinkingFormat = Schema.Literal(
  "passthrough",
  "strip",
  "think_tag",
  "reasoning",
  "reasoning_content",
)

const tagName = /^[A-Za-z0-9_:-]{1,32}$/

/** The names of tags that thinking stands between. Each is searched for at every `<`, so there are few. */
export const thinkingTags = Schema.Array(
  Schema.String.pipe(
    Schema.filter((value) => tagName.test(value), {
      title: "the name of a tag without `<` and `>`: 1 to 32 letters, digits, `_`, `-` or `:`",
      jsonSchema: { pattern: tagName.source },
    }),
  ),
).pipe(
  Schema.filter((names) => names.length > 0 && names.length <= 8, {
    title: "a list of 1 to 8 names of tags",
    // That none is there twice is checked with the file at hand, which tells where.
    jsonSchema: { minItems: 1, maxItems: 8, uniqueItems: true },
  }),
)

const repeatedDialect = fixed("this dialect is listed twice")

export const dialectList = Schema.Array(Schema.Literal(...dialects))
  .pipe(
    Schema.filter(
      (named): ReadonlyArray<Schema.FilterIssue> =>
        named.flatMap((dialect, at) =>
          named.indexOf(dialect) === at ? [] : [{ path: [at], message: repeatedDialect }],
        ),
    ),
  )
  .annotations({ title: "a list of dialects" })

export const maxTokensMember = Schema.Literal("auto", "max_tokens", "max_completion_tokens")

const statusPattern = /^[1-5](\d\d|[xX]{2})$/

export const retryStatus = Schema.Union(
  whole(100, 599),
  Schema.String.pipe(
    Schema.filter((value) => statusPattern.test(value), { jsonSchema: { pattern: statusPattern.source } }),
  ),
).annotations({ title: 'an HTTP status from 100 to 599 or a class of them such as "5xx"' })

// What a header can carry: visible ASCII, no white space (RFC 6750 says so for bearer tokens).
const tokenText = /^[\x21-\x7e]*$/

/** Node and most servers take 16 KiB of headers in all. */
const longestKey = 8_000

const longKey = fixed(`a key has at most ${longestKey} characters: more is not sent in a header` as const)

const unsendableKey = fixed(
  "the key holds white space or characters that a header cannot carry; check for a stray line feed, or a `Bearer` before it",
)

const placeholderKey = fixed(
  "this is what examples have in a key's place, so anybody may guess it; make a key of your own, for instance with `openssl rand -hex 32`",
)

export const upstreamKey = Schema.String.pipe(
  Schema.filter((value) => (value.length > longestKey ? longKey : tokenText.test(value) || unsendableKey)),
).annotations({
  title: "a string",
  jsonSchema: { type: "string", examples: [`\${OPENAI_API_KEY}`] },
  [confidential]: true,
})

/** A key that is asked for, and what is said of one that keeps nobody out or cannot be sent. */
const askedKey = (variable: string, empty: string, unsendable: string) =>
  Schema.String.pipe(
    Schema.filter((value) => {
      if (value === "") return empty
      if (value.length > longestKey) return longKey
      if (isPlaceholder(value)) return placeholderKey
      return tokenText.test(value) || unsendable
    }),
  ).annotations({
    title: "a string",
    jsonSchema: { type: "string", examples: [variable] },
    [confidential]: true,
  })

export const accessKey = askedKey(
  `\${ACCESS_KEY}`,
  fixed("an empty access key would let everybody in; leave access_keys empty to ask for none"),
  fixed(
    "the access key holds white space or characters that a header cannot carry; check for a stray line feed, or a `Bearer` before it",
  ),
)

export const adminKey = askedKey(
  `\${ADMIN_KEY}`,
  fixed("an empty admin key would tell everybody; leave admin.keys empty to ask for none"),
  fixed(
    "the admin key holds white space or characters that a header cannot carry; check for a stray line feed, or a `Bearer` before it",
  ),
)

const wrongProxies = fixed(`expected a whole number of proxies from 0 to ${mostProxies}` as const)

const wrongNetwork = fixed("no network; write one such as 10.0.0.0/8 or fd00::/8, or an address")

const trustTitle = "true, false, a number of proxies, or a list of networks in brackets"

export const trustProxy = Schema.Union(Schema.Boolean, Schema.Number, Schema.Array(Schema.String))
  .pipe(
    Schema.filter((value): ReadonlyArray<Schema.FilterIssue> => {
      if (typeof value === "boolean") return []
      if (typeof value === "number") {
        const isCount = Number.isInteger(value) && value >= 0 && value <= mostProxies
        return isCount ? [] : [{ path: [], message: wrongProxies }]
      }
      return value.flatMap((network, at) =>
        parseNetwork(network) === undefined ? [{ path: [at], message: wrongNetwork }] : [],
      )
    }),
  )
  .annotations({ title: trustTitle })

const originFaults = {
  hidden: fixed("null is the origin of any page that hides its own; name the page's site instead"),
  star: fixed('a * stands alone, for all origins; list each of the others, such as "https://chat.example"'),
  form: fixed(
    "expected an origin such as https://chat.example or http://localhost:3000: a scheme, a host and perhaps a port, with nothing behind them",
  ),
}

/** Why a text is no origin, or `undefined`. */
const originProblem = (value: string): string | undefined => {
  if (value === "*") return undefined
  if (value === "null") return originFaults.hidden
  // Also in `https://*.example`, which URLs take for a host: no browser sends it, so it would let nobody in, without a word.
  if (value.includes("*")) return originFaults.star
  return originFrom(value) === undefined ? originFaults.form : undefined
}

export const origin = Schema.String.pipe(Schema.filter((value) => originProblem(value))).annotations({
  title: 'an origin such as https://chat.example, or "*"',
  jsonSchema: { type: "string" },
})

const headerFaults = {
  name: fixed("not a legal header name: letters, digits and !#$%&'*+-.^_`|~ only"),
  framing: fixed(
    "this header belongs to the connection or the body's framing; Sluice sets it itself, remove it",
  ),
  repeated: fixed("this header is given twice; header names are the same in upper and lower case"),
  kind: fixed("expected a string; write numbers, true and false in quotes"),
  value: fixed("the value holds characters that a header cannot carry (line feeds, or beyond Latin-1)"),
  long: fixed("a header's name has at most 256 characters, its value at most 8192"),
}

/** RFC 9110, 5.6.2. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** RFC 9110, 5.5, as Node checks it. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

const longestHeaderName = 256

/** What is sent at most; a longer one would be left out without a word. */
const longestHeaderValue = 8_192

const headerProblems = (headers: { readonly [name: string]: unknown }): ReadonlyArray<Schema.FilterIssue> => {
  const seen = new Set<string>()
  return Object.entries(headers).flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    const repeated = seen.has(lower)
    seen.add(lower)
    const message = !headerName.test(name)
      ? headerFaults.name
      : name.length > longestHeaderName
        ? headerFaults.long
        : connectionNames.has(lower)
          ? headerFaults.framing
          : repeated
            ? headerFaults.repeated
            : headerValueProblem(value)
    return message === undefined ? [] : [{ path: [name], message }]
  })
}

const headerValueProblem = (value: unknown): string | undefined => {
  if (typeof value !== "string") return headerFaults.kind
  if (!headerValue.test(value)) return headerFaults.value
  return value.length > longestHeaderValue ? headerFaults.long : undefined
}

// The filter stands before the values are known to be strings, so that what is wrong with names and values shows at once.
export const headers = Schema.Record({ key: Schema.String, value: Schema.Unknown }).pipe(
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

export const auth = Schema.Union(
  Schema.Literal("bearer", "x-api-key", "api-key"),
  Schema.Struct({
    header: Schema.String.pipe(
      Schema.filter((name) => headerName.test(name) && !connectionNames.has(name.toLowerCase()), {
        title: "the name of a header",
      }),
    ).annotations({ description: "The header that holds the key alone." }),
  }),
).annotations({
  title: "bearer, x-api-key, api-key, or { header: NAME }",
  // Some write the key itself here.
  [confidential]: true,
})

const isJson = (value: unknown): value is Json =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value)) ||
  (Array.isArray(value) && value.every(isJson)) ||
  (isJsonObject(value) && Object.values(value).every(isJson))

const noJson = fixed("holds .nan or .inf, which JSON has no word for")

const noJsonObject = fixed("the string is not JSON of an object")

const jsonObject = Schema.declare(isJsonObject, { jsonSchema: { type: "object" } }).pipe(
  Schema.filter((value) => isJson(value) || noJson),
)

const parsedObject = Schema.parseJson()

/** A map, or a string of JSON that is an object; a blank string is an empty map, as in GPT_API. */
export const extraBody = Schema.transformOrFail(Schema.Union(jsonObject, Schema.String), jsonObject, {
  strict: true,
  decode: (value, _, ast) => {
    if (typeof value !== "string") return ParseResult.succeed(value)
    if (value.trim() === "") return ParseResult.succeed({})
    const parsed = Option.getOrUndefined(Schema.decodeOption(parsedObject)(value))
    return isJsonObject(parsed) && isJson(parsed)
      ? ParseResult.succeed(parsed)
      : // Without the value: JSON.parse's own message quotes it.
        ParseResult.fail(new ParseResult.Type(ast, undefined, noJsonObject))
  },
  encode: (value) => ParseResult.succeed(value),
}).annotations({ title: "a map, or a string of JSON that is an object", [confidential]: true })
