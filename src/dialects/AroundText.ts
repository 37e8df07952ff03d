/**
 * Objects that differ in one text alone, as the deltas of an answer do: what stands around the text is printed once. To print each of them as a whole
 * took three times as long.
 */
import type { JsonObject } from "../wire/Json.ts"

/** Said by nobody in its place, and never a part of a name. */
const mark = "\u0000"
const printedMark = JSON.stringify(mark)

export interface AroundText {
  readonly before: string
  readonly after: string
}

/** @param withText the object with this text in it, behind everything in it that others may choose */
export const aroundText = (withText: (text: string) => JsonObject): AroundText => {
  const printed = JSON.stringify(withText(mark))
  const at = printed.lastIndexOf(printedMark)
  return { before: printed.slice(0, at), after: printed.slice(at + printedMark.length) }
}

/** The JSON of the object with this text in it. */
export const printedWith = ({ after, before }: AroundText, text: string): string =>
  `${before}${JSON.stringify(text)}${after}`
