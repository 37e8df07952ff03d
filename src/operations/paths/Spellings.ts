/** The spellings of a path: clients join base URLs with too many parts or too few. */
import type { ServedPath } from "../Operation.ts"

/** What may stand before an operation's path: OpenAI's base URL, Azure's old and new one, one below the other, or nothing. */
const prefixes = ["", "/v1", "/openai", "/openai/v1", "/v1/openai"]

export const isAtRoot = (path: string): boolean => path.startsWith("//")

/** All spellings of a path. */
export const spellingsOf = (path: string): ReadonlyArray<string> =>
  isAtRoot(path) ? [path.slice(1)] : prefixes.map((prefix) => `${prefix}${path}`)

/** A path as people are told it. */
export const toldAs = (path: ServedPath): string => (isAtRoot(path) ? path.slice(1) : `/v1${path}`)
