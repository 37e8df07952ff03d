/** Colour is for terminals, and for people who have not said no (https://no-color.org). */

const codes = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  cyan: "36",
} as const

export type Shade = keyof typeof codes

/** Text in a shade, or as it is where nobody wants colour. */
export type Paint = (shade: Shade, text: string) => string

export const plain: Paint = (_, text) => text

export const coloured: Paint = (shade, text) => `\u001b[${codes[shade]}m${text}\u001b[0m`

const escape = "\u001b"

const painting = new RegExp(`(${escape}\\[(?:0|${Object.values(codes).join("|")})m)`)

/** Painted text of which all but the paint is changed, or the paint too. */
export const betweenColours = (
  text: string,
  change: (part: string) => string,
  ofPaint: (paint: string) => string = (paint) => paint,
): string =>
  text
    .split(painting)
    .map((part) => (painting.test(part) ? ofPaint(part) : change(part)))
    .join("")

/** How text is painted that goes to this stream. */
export const paintFor = (
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint => (stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" ? coloured : plain)
