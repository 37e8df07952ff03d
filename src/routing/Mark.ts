/**
 * Marks of makers. What an upstream sealed, and it alone can read, is given out with a mark behind it: a digest of the maker's name and of what it made.
 * It tells nothing, needs no memory, and comes back with what it marks: so that goes to its maker again, as it was, and to nobody else.
 */
import { createHash } from "node:crypto"

/** 72 bits of the digest, in characters that stand in a path as they are. */
export const markLength = 12

/** What is digested of something long: its end. */
const digestedLength = 512

/** The mark of what an upstream of this name made. */
export const markOf = (made: string, upstream: string): string =>
  createHash("sha256")
    .update(JSON.stringify([upstream, made.slice(-digestedLength)]))
    .digest("base64url")
    .slice(0, markLength)

/** Stands between what is sealed and its mark: no encoding of bytes has a dot. */
const sign = ".s"

const behindSign = new RegExp(`\\.s([\\w-]{${markLength}})`)

/** What is sealed, with its mark. */
export const marked = (made: string, upstream: string): string => `${made}${sign}${markOf(made, upstream)}`

/** Whether something has a mark, whoever made it. */
export const isMarked = (given: string): boolean =>
  behindSign.test(given.slice(-markLength - sign.length)) && given.length > markLength + sign.length

/** The most pieces that something was given out in. */
const mostPieces = 64

/** What was given out in pieces that have a mark each, and was joined by who got them. */
const ofPieces = (given: string, upstream: string): string | undefined => {
  const parts = given.split(behindSign, 2 * mostPieces + 1)
  const made = parts.filter((_, at) => at % 2 === 0)
  const marks = parts.filter((_, at) => at % 2 === 1)
  const isWhole = made.length === marks.length + 1 && made.at(-1) === ""
  return isWhole && marks.every((mark, at) => mark === markOf(made[at] ?? "", upstream))
    ? made.join("")
    : undefined
}

/** What the upstream of this name made, without its mark; `undefined` where another made it, or nobody is named. */
export const ownOf = (given: string, upstream: string): string | undefined => {
  if (!isMarked(given)) return undefined
  const made = given.slice(0, -markLength - sign.length)
  return given.slice(-markLength) === markOf(made, upstream) ? made : ofPieces(given, upstream)
}

/** As much of something marked as tells who made it. */
export const endOf = (given: string): string => given.slice(-digestedLength - markLength - sign.length)

/** Who made it; `undefined` where none of these did. */
export const makerIn = <U extends { readonly name: string }>(
  given: string,
  upstreams: ReadonlyArray<U>,
): U | undefined => upstreams.find(({ name }) => ownOf(endOf(given), name) !== undefined)
