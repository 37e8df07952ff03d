/**
 * One reading of JSON: a member that the gateway decides by must be what every reader of the same bytes takes for it.
 *
 * JSON does not say what two members of one name mean: JavaScript takes the last, others the first. Go matches names in any case
 * (`encoding/json`: by Unicode's simple folding, in which `ſ` is an s and the Kelvin sign a k), its second version without `_` and `-` too, and protobuf
 * takes `maxTokens` for `max_tokens`. So whoever writes `model` twice, or `Model`, might have one model admitted and another one served. Such
 * bodies are refused; what nobody decides by passes as it is.
 */
import type { JsonObject } from "./Json.ts"
import { memberNames } from "./JsonText.ts"

/** Members that are decided by, with what it takes to find them. Made once. */
export interface Deciding {
  readonly quoted: ReadonlyMap<string, string>
  readonly byFolded: ReadonlyMap<string, string>
}

/** A name as the loosest of readers matches it. */
export const folded = (name: string): string =>
  name
    .replace(/[-_]/g, "")
    .replace(/\u017f/g, "s")
    .replace(/\u212a/g, "k")
    .toLowerCase()

export const deciding = (names: ReadonlyArray<string>): Deciding => ({
  quoted: new Map(names.map((name) => [name, JSON.stringify(name)])),
  byFolded: new Map(names.map((name) => [folded(name), name])),
})

/** A member that not everybody reads alike. */
export interface Ambiguity {
  readonly name: string
  readonly why: "twice" | "spelling"
}

/** The same of an object's text, walked. */
const found = (text: string, { byFolded }: Deciding): Ambiguity | undefined => {
  const seen = new Set<string>()
  for (const { isPlain, name } of memberNames(text)) {
    const meant = byFolded.get(folded(name))
    if (meant === undefined) continue
    if (name !== meant || !isPlain) return { name: meant, why: "spelling" }
    if (seen.has(name)) return { name, why: "twice" }
    seen.add(name)
  }
  return undefined
}

/**
 * The first member that is decided by and not read alike by all: it stands twice, or in another spelling. Few bodies have to be walked for that:
 * those that hold an escape, which could be of a name, or a name that stands in quotes more than once, wherever.
 *
 * @param text of the object, or of what it stands in
 * @param own the object's own text
 */
export const ambiguityIn = (
  object: JsonObject,
  members: Deciding,
  text: string,
  own: () => string,
): Ambiguity | undefined => {
  const { byFolded, quoted } = members
  let isUnclear = text.includes("\\u")
  for (const name in object) {
    const spelled = quoted.get(name)
    if (spelled !== undefined) {
      isUnclear ||= text.indexOf(spelled, text.indexOf(spelled) + spelled.length) !== -1
      continue
    }
    const meant = byFolded.get(folded(name))
    if (meant !== undefined) return { name: meant, why: "spelling" }
  }
  return isUnclear ? found(own(), members) : undefined
}
