/** The conversation dialects: the ways in which models are spoken with, by callers and to upstreams. All else that is served has one shape. */

/** OpenAI's Chat Completions and Responses, and Anthropic's Messages. */
export const dialects = ["chat", "responses", "messages"] as const

export type Dialect = (typeof dialects)[number]

/** An upstream, as far as it says what it takes. */
interface Taker {
  readonly dialects: ReadonlyArray<Dialect>
  readonly paths: Readonly<Record<string, string | undefined>>
}

/**
 * Which upstreams take requests in a dialect; all of them what has none.
 *
 * @param part an operation that cannot be translated, as counting tokens: who has a path of its own for it takes it, whatever it speaks
 */
export const takesOf = (dialect: Dialect | undefined, part?: string): ((upstream: Taker) => boolean) =>
  dialect === undefined
    ? () => true
    : ({ dialects: spoken, paths }) =>
        spoken.includes(dialect) || (part !== undefined && paths[part] !== undefined)

/** Who takes requests that can be translated: whoever speaks any dialect. */
export const speaksAny = ({ dialects: spoken }: { readonly dialects: ReadonlyArray<string> }): boolean =>
  spoken.length > 0

/** The dialect in which a request is sent to who speaks these, most preferred first: its own, else the preferred one; `undefined` where there is none. */
export const dialectFor = <D extends string>(asked: D, spoken: ReadonlyArray<D>): D | undefined =>
  spoken.includes(asked) ? asked : spoken[0]

/** What an upstream is taken to speak of which nothing is said. */
export const assumedDialects: ReadonlyArray<Dialect> = ["chat", "responses"]
