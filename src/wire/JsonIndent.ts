/**
 * JSON set out over lines as it was written: digits, doubled members and escapes stay, and nothing is parsed, so that neither depth nor a text that breaks off
 * in the middle can be too much for it.
 */

/** Deeper values stand on one line: each further level would cost a line's indentation for every line in it. */
const deepest = 24

const indents: ReadonlyArray<string> = Array.from(
  { length: deepest + 1 },
  (_, depth) => `\n${"  ".repeat(depth)}`,
)

/** A string, closed or not, or a run of what is neither space, comma, colon, bracket nor quote. */
const token = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|\\?$)|[^\s,:[\]{}"]+|[,:[\]{}]/g

const isOpening = (text: string): boolean => text === "{" || text === "["
const isClosing = (text: string): boolean => text === "}" || text === "]"

/** The text of an object or array with a line for each member; any other text as it is. */
export const indented = (text: string): string => {
  if (!/^\s*[[{]/.test(text)) return text
  const pieces: Array<string> = []
  let depth = 0
  let before = ""
  for (const { 0: piece } of text.matchAll(token)) {
    if (isClosing(piece)) {
      depth = Math.max(0, depth - 1)
      if (!isOpening(before) && depth < deepest) pieces.push(indents[depth] ?? "")
    } else if ((isOpening(before) || before === ",") && depth <= deepest) pieces.push(indents[depth] ?? "")
    else if (before === ":" || before === ",") pieces.push(" ")
    // In a text that is no JSON, what white space parted stays apart.
    else if (before !== "" && !isOpening(before) && piece !== "," && piece !== ":") pieces.push(" ")
    pieces.push(piece)
    if (isOpening(piece)) depth++
    before = piece
  }
  return pieces.join("")
}
