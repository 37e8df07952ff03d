/**
 * One reading of JSON: a member that the gateway decides by must be what every reader of the same bytes takes for it.
 *
 * JSON does not say what two members of one name mean: JavaScript takes the last, others the first. Go matches names in any case
 * (`encoding/json`: by Unicode's simple folding, in which `ſ` is an s and the Kelvin sign a k), its second version without `_` and `-` too, and protobuf
 * takes `maxTokens` for `max_tokens`. So whoever writes `model` twice, or `Model`, might have one model admitted and another one served. Such
 * bodies are refused; what nobody decides by passes as it is.
 */
import { memberPlaces } from "../wire/JsonText.ts"

/** A member that is decided by. */
interface Decisive {
  readonly name: string
  /** Stands for it among the others. */
  readonly bit: number
  /** What is decided by within it. */
  readonly within: Deciding | undefined
}

/** Members that are decided by, by their names, and by how the loosest of readers matches them. Made once. */
export type Deciding = ReadonlyMap<string, Decisive>

/** A name as the loosest of readers matches it. */
export const folded = (name: string): string =>
  name
    .replace(/[-_]/g, "")
    .replace(/\u017f/g, "s")
    .replace(/\u212a/g, "k")
    .toLowerCase()

/**
 * @param names at most as many as a number has bits
 * @param within what is decided by within one of them
 */
export const deciding = (
  names: ReadonlyArray<string>,
  within: Readonly<Record<string, Deciding>> = {},
): Deciding =>
  new Map(
    names.flatMap((name, at) => {
      const decisive: Decisive = { name, bit: 1 << at, within: within[name] }
      return [
        [folded(name), decisive],
        [name, decisive],
      ] as const
    }),
  )

/** A member that not everybody reads alike; `name` is a path where it stands within another. */
export interface Ambiguity {
  readonly name: string
  readonly why: "twice" | "spelling"
}

/**
 * The first member of an object's text that is decided by and not read alike by all: it stands twice, or in another spelling. One walk over the text,
 * which costs less than to search it for the names.
 */
export const ambiguityIn = (text: string, members: Deciding): Ambiguity | undefined => {
  let seen = 0
  for (const { end, isPlain, name, valueStart } of memberPlaces(text)) {
    // What is nothing but small letters and digits is matched as it is.
    const meant = members.get(name) ?? (/[^a-z0-9]/.test(name) ? members.get(folded(name)) : undefined)
    if (meant === undefined) continue
    if (name !== meant.name || !isPlain) return { name: meant.name, why: "spelling" }
    if ((seen & meant.bit) !== 0) return { name, why: "twice" }
    seen |= meant.bit
    if (meant.within === undefined || text[valueStart] !== "{") continue
    const inner = ambiguityIn(text.slice(valueStart, end), meant.within)
    if (inner !== undefined) return { ...inner, name: `${name}.${inner.name}` }
  }
  return undefined
}
