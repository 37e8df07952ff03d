/** The bytes that JSON is made of outside of its texts. */
import { quote } from "./JsonQuotes.ts"

export const comma = 0x2c
export const colon = 0x3a
export const openBrace = 0x7b
export const closeBrace = 0x7d
export const openBracket = 0x5b
export const closeBracket = 0x5d

export const [aScalar, aSpace, aQuote, anOpening, aClosing] = [0, 1, 2, 3, 4]

/** What bytes are outside of texts. */
export const kinds = new Uint8Array(256)
for (const space of [0x20, 0x0a, 0x0d, 0x09]) kinds[space] = aSpace
kinds[quote] = aQuote
kinds[openBrace] = kinds[openBracket] = anOpening
kinds[closeBrace] = kinds[closeBracket] = aClosing

/** So many bytes of scalars behind each other are looked at one by one; then where they end is searched for. */
export const nearScalars = 128

const nonScalars = [closeBracket, quote, openBracket, openBrace, closeBrace]

/** Where anything but scalars stands next, or the bytes end: through megabytes of numbers a search of the C library's is much the fastest. */
export const scalarsEnd = (bytes: Uint8Array, from: number): number => {
  let end = bytes.length
  for (const sign of nonScalars) {
    const found = Buffer.prototype.indexOf.call(bytes.subarray(from, end), sign)
    if (found !== -1) end = from + found
  }
  return end
}
