/** Text that clients and upstreams chose, made fit to be printed: nothing in it moves a terminal's cursor or turns writing around. */

const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const escaped = (character: string): string => {
  const hex = (character.codePointAt(0) ?? 0).toString(16)
  return hex.length <= 2
    ? `\\x${hex.padStart(2, "0")}`
    : hex.length <= 4
      ? `\\u${hex.padStart(4, "0")}`
      : `\\u{${hex}}`
}

/** In one line: control characters, format characters (marks of direction too) and lone surrogates as `\x1b` or `\u202e`. */
export const printable = (text: string): string => text.replace(invisible, escaped)

/** The same, but line feeds and tabs stay. */
export const printableLines = (text: string): string =>
  text.replace(invisible, (character) =>
    character === "\n" || character === "\t" ? character : escaped(character),
  )

/** JSON that says the same, in characters that do nothing to a terminal. */
export const printableJson = (json: string): string =>
  json.replace(invisible, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
    ).join(""),
  )
