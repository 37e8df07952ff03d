/**
 * Seals: what of reasoning only its provider can read (a signature, redacted thinking, encrypted reasoning). In an answer that is given out in another
 * dialect they are wrapped and marked, so that they come back as they were to whoever made them, and to nobody else.
 */
import { type Dialect, dialects } from "../routing/Dialect.ts"
import { marked } from "../routing/Mark.ts"
import { isJsonArray } from "../wire/Json.ts"
import { parseJson } from "../wire/JsonBytes.ts"

export interface Seal {
  /** In which its maker takes it back. */
  readonly dialect: Dialect
  readonly sealed: string
  /** The id of the item, where the dialect has one that has to come back with it. */
  readonly id: string | undefined
  /** Nothing of the reasoning can be told: all of it is in the seal, as in Anthropic's `redacted_thinking`. */
  readonly isAll: boolean
  /** As it came back. */
  readonly given?: string | undefined
}

/** A dot stands in no encoding of bytes: no provider's own seal looks like this. Behind it stands the mark of its maker (routing/Mark.ts). */
const wrapped = /^sluice1\.([\w-]+)\.s[\w-]{12}$/

const contentOf = ({ dialect, id, isAll, sealed }: Seal): string =>
  Buffer.from(JSON.stringify([dialect, sealed, id ?? null, isAll])).toString("base64url")

/** The seal as it is given out in another dialect. */
export const wrap = (seal: Seal, upstream: string): string => marked(`sluice1.${contentOf(seal)}`, upstream)

/** What was wrapped; `undefined` for what is no wrapping of this gateway. */
export const unwrap = (text: string): Seal | undefined => {
  const [, content] = wrapped.exec(text) ?? []
  const read = content === undefined ? undefined : parseJson(Buffer.from(content, "base64url"))
  if (read === undefined || !isJsonArray(read)) return undefined
  const [said, sealed, id = null, isAll] = read
  const dialect = dialects.find((one) => one === said)
  if (dialect === undefined || typeof sealed !== "string" || typeof isAll !== "boolean") return undefined
  return { dialect, sealed, id: typeof id === "string" ? id : undefined, isAll, given: text }
}

/** Behind a gateway that stands behind this one, with more marks than one. */
const nothingWrapped = /^sluice1(?:\.s[\w-]{12}){1,9}$/

/** Stands where a dialect wants a seal and there is none: who is sent it back knows that nobody but its upstream thought so. */
export const unsealed = (upstream: string): string => marked("sluice1", upstream)

export const isUnsealed = (text: string): boolean => nothingWrapped.test(text)

/** Whether a seal that came back was made by this upstream. */
export const isFrom = (seal: Seal, upstream: string): boolean => seal.given === wrap(seal, upstream)
