/** A text cut short, with a sign that it was: clients, upstreams and files decide how long theirs is. */

/** The first so many characters, no half of one. */
export const clipped = (text: string, most: number): string => {
  if (text.length <= most) return text
  const last = text.charCodeAt(most - 1)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most)}…`
}
