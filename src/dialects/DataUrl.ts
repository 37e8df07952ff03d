/** Data URLs (RFC 2397), in which OpenAI's dialects carry pictures and files. */
import type { Source } from "./Part.ts"

const scheme = /^data:/i

/** By the code of a digit: what it is worth. Whatever is none is worth more than any. */
const digits = Uint8Array.from({ length: 256 }, (_, code) => {
  const worth = "0123456789abcdef".indexOf(String.fromCharCode(code).toLowerCase())
  return worth === -1 ? 16 : worth
})

const digitAt = (bytes: Uint8Array, at: number): number => digits[bytes[at] ?? 0] ?? 16

const percent = 0x25

/** The bytes of escaped text, in place, as they are never more; `undefined` where an escape is none. A text may be escapes alone, tens of megabytes. */
const unescaped = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text)
  let length = bytes.indexOf(percent)
  if (length === -1) return bytes
  for (let at = length; at < bytes.length; at++) {
    let byte = bytes[at] ?? 0
    if (byte === percent) {
      const high = digitAt(bytes, at + 1)
      const low = digitAt(bytes, at + 2)
      if (high > 15 || low > 15) return undefined
      byte = high * 16 + low
      at += 2
    }
    bytes[length++] = byte
  }
  return bytes.subarray(0, length)
}

const base64Mark = ";base64"

/** What a URL of a picture or a file leads to; `undefined` where it is a data URL that holds none. */
export const sourceOf = (url: string): Source | undefined => {
  if (!scheme.test(url)) return { kind: "url", url }
  const comma = url.indexOf(",")
  if (comma === -1 || comma === url.length - 1) return undefined
  const head = url.slice("data:".length, comma)
  const data = url.slice(comma + 1)
  const isBase64 = head.slice(-base64Mark.length).toLowerCase() === base64Mark
  const base64 = isBase64 ? data : unescaped(data)?.toString("base64")
  const [mediaType = ""] = head.split(";", 1)
  return base64 === undefined
    ? undefined
    : { kind: "data", mediaType: mediaType === "" ? "text/plain" : mediaType.toLowerCase(), base64 }
}

/** The URL by which data are carried. */
export const dataUrl = ({ base64, mediaType }: Extract<Source, { kind: "data" }>): string =>
  `data:${mediaType};base64,${base64}`
