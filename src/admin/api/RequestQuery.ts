/** Which requests are asked for: the same filters for pages, live requests and usage. Texts of times are those of `sluice audit`. */
import * as Schema from "effect/Schema"

/** Longer ones are no name anybody filters by. */
const longestFilter = 512

const filter = (description: string) =>
  Schema.optional(
    Schema.String.pipe(
      Schema.maxLength(longestFilter),
      // SQL takes it for the end of the text: what is left may be part of every row.
      Schema.filter((text) => !text.includes("\0"), { message: () => "has the character NUL in it" }),
    ),
  ).annotations({ description })

/** These parameters and no others: a misspelt filter that nobody heeds would be answered with everything. */
export const exactly = { parseOptions: { onExcessProperty: "error" } } as const

/** One of some words. */
const word = <Words extends ReadonlyArray<string>>(...words: Words) =>
  Schema.Literal(...words).annotations({
    message: () => ({ message: `expected one of ${words.join(", ")}`, override: true }),
  })

export const filterParams = {
  since: filter("From this time on: 2026-11-22, 2026-11-22T17:35:00Z, or an age such as 30m, 2h, 7d"),
  until: filter("Before this time"),
  model: filter("The model asked for"),
  upstream: filter("The client asked last"),
  endpoint: filter("The endpoint: chat.completions, messages, embeddings …"),
  status: filter("The status answered: 429, or 5xx for a whole class"),
  outcome: filter("ok, upstream_error, client_closed, rejected or stream_broken; failed is all but ok"),
  ip: filter("The caller's address"),
  key: filter("The fingerprint of the caller's key"),
  conversation: filter("The conversation"),
  text: filter("A part of the id, of the model's name or of the error, in any case"),
} as const

export const mostRows = 500
export const usualRows = 50
export const mostWholeRows = 32

/** How long one page is looked for, in milliseconds, before it says how far it came. */
export const pageBudget = { least: 20, most: 1_000 }

const count = (least: number, most: number, description: string) =>
  Schema.optional(Schema.NumberFromString.pipe(Schema.int(), Schema.between(least, most))).annotations({
    description,
  })

export const RequestQuery = Schema.Struct({
  ...filterParams,
  order: Schema.optional(word("newest", "oldest")).annotations({
    description: "Which come first; newest where it is not said",
  }),
  whole: Schema.optional(word("true", "false")).annotations({
    description: `true: with headers and bodies, at most ${mostWholeRows} at once`,
  }),
  limit: count(1, mostRows, `How many rows at most: 1 to ${mostRows}; ${usualRows} where it is not said`),
  cursor: filter("Where to go on: `next` of the page before"),
  within_ms: count(
    pageBudget.least,
    pageBudget.most,
    `How long it is looked for at most, in milliseconds: ${pageBudget.least} to ${pageBudget.most}, which it is where it is not said. What was found by then is told, with \`searched_to\``,
  ),
}).annotations(exactly)

export interface RequestQuery extends Schema.Schema.Type<typeof RequestQuery> {}

const { conversation, endpoint, ip, key, model, text, upstream } = filterParams

/** Of a request under way it is not known yet when and how it ends. */
export const ActiveQuery = Schema.Struct({
  model,
  upstream: upstream.annotations({ description: "A client that is asked, or answers" }),
  endpoint,
  ip,
  key,
  conversation,
  text: text.annotations({ description: "A part of the id or of the model's name, in any case" }),
}).annotations(exactly)

export interface ActiveQuery extends Schema.Schema.Type<typeof ActiveQuery> {}

/** Requests as they finish. */
export const LiveQuery = Schema.Struct(filterParams).annotations(exactly)

/** What usage can be grouped by. */
export const usageGroups = [
  "hour",
  "day",
  "model",
  "upstream",
  "key",
  "endpoint",
  "ip",
  "status",
  "outcome",
] as const

export const UsageQuery = Schema.Struct({
  ...filterParams,
  by: Schema.optional(word(...usageGroups)).annotations({
    description: "What to group by; day where it is not said. Hours and days are those of UTC",
  }),
}).annotations(exactly)

export interface UsageQuery extends Schema.Schema.Type<typeof UsageQuery> {}
