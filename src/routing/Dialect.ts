/** The conversation dialects: the ways in which models are spoken with, by callers and to upstreams. All else that is served has one shape. */

/** OpenAI's Chat Completions and Responses, and Anthropic's Messages. */
export const dialects = ["chat", "responses", "messages"] as const

export type Dialect = (typeof dialects)[number]

/** Which upstreams take requests in a dialect; all of them what has none. */
export const takesOf = (
  dialect: Dialect | undefined,
): ((upstream: { readonly dialects: ReadonlyArray<Dialect> }) => boolean) =>
  dialect === undefined ? () => true : (upstream) => upstream.dialects.includes(dialect)

/** What an upstream is taken to speak of which nothing is said. */
export const assumedDialects: ReadonlyArray<Dialect> = ["chat", "responses"]
