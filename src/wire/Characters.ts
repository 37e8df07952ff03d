/** Texts by their characters: those that UTF-16 has as a pair of units are one each. */

const isSecondOfPair = (unit: number): boolean => (unit & 0xfc00) === 0xdc00

/** How many characters a text has. Half of a pair is none by itself. */
export const characters = (text: string): number => {
  let count = 0
  for (let at = 0; at < text.length; at++) if (!isSecondOfPair(text.charCodeAt(at))) count++
  return count
}

/** Where a text has come so many characters further on. */
export const furtherOn = (text: string, from: number, by: number): number => {
  let at = from
  for (let left = by; left > 0 && at < text.length; left--) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  return at
}
