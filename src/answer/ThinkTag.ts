/**
 * The one grammar of thinking written into a text, as `<think>…</think>` or under other names (`thinking_tags`): where a tag stands, and what closes it.
 *
 * An opening tag is one where it is the first thing of the text or of a line (white space aside); elsewhere it is text. The first closing tag of the
 * same name ends its block, whatever stands between. Names are told apart by case. FromTags.ts reads answers and earlier turns alike by it.
 */

/** The two ends of a block. Each has one `<`, its first character, and one `>`, its last: no tag begins another. */
export interface ThinkTag {
  readonly open: string
  readonly close: string
}

/** The names of tags where none are configured. */
export const defaultThinkingTags: readonly [string] = ["think"]

export const thinkTag = (name: string): ThinkTag => ({ open: `<${name}>`, close: `</${name}>` })

/** White space: space, tab, line feed, carriage return. */
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** The first index that is not white space. */
export const skipSpace = (text: string): number => {
  let i = 0
  while (i < text.length && isSpace(text.charCodeAt(i))) i++
  return i
}

/** Whether only white space stands on its line before `end`; `before` says it of the place where the text begins. */
export const isLineStart = (text: string, end: number, before: boolean): boolean => {
  for (let i = end - 1; i >= 0; i--) {
    const code = text.charCodeAt(i)
    if (code === 0x0a) return true
    if (!isSpace(code)) return false
  }
  return before
}

/** The tag that opens at an index. */
export const tagAt = (tags: ReadonlyArray<ThinkTag>, text: string, at: number): ThinkTag | undefined => {
  for (const tag of tags) if (text.startsWith(tag.open, at)) return tag
  return undefined
}

/** Whether all of `text` from an index on is the beginning of an opening tag, and not yet the whole. */
export const mayOpen = (tags: ReadonlyArray<ThinkTag>, text: string, from: number): boolean => {
  for (const { open } of tags) if (isBeginning(text, from, open)) return true
  return false
}

/** The end of `text` that may be the beginning of a closing tag; `""` where there is none. */
export const closingAtEnd = (text: string, { close }: ThinkTag): string => {
  const from = text.lastIndexOf("<")
  return from !== -1 && isBeginning(text, from, close) ? text.slice(from) : ""
}

const isBeginning = (text: string, from: number, tag: string): boolean =>
  text.length - from < tag.length && tag.startsWith(text.slice(from))
