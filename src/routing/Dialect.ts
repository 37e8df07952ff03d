/** The conversation dialects: the ways in which models are spoken with, by callers and to upstreams. All else that is served has one shape. */

/** OpenAI's Chat Completions and Responses, and Anthropic's Messages. */
export const dialects = ["chat", "responses", "messages"] as const

export type Dialect = (typeof dialects)[number]

/** Which upstreams take requests in a dialect; all of them what has none. */
export const takesOf = (
  dialect: Dialect | undefined,
): ((upstream: { readonly dialects: ReadonlyArray<Dialect> }) => boolean) =>
  dialect === undefined ? () => true : (upstream) => upstream.dialects.includes(dialect)

/** Who takes requests that can be translated: whoever speaks any dialect. */
export const speaksAny = ({ dialects: spoken }: { readonly dialects: ReadonlyArray<string> }): boolean =>
  spoken.length > 0

/** The dialect in which a request is sent to who speaks these, most preferred first: its own, else the preferred one; `undefined` where there is none. */
export const dialectFor = <D extends string>(asked: D, spoken: ReadonlyArray<D>): D | undefined =>
  spoken.includes(asked) ? asked : spoken[0]

/** What an upstream is taken to speak of which nothing is said. */
export const assumedDialects: ReadonlyArray<Dialect> = ["chat", "responses"]
