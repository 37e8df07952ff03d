/** Data URLs (RFC 2397), in which OpenAI's dialects carry pictures and files. */
import type { Source } from "./Part.ts"

const scheme = /^data:/i

/** The bytes of escaped text; `undefined` where an escape is none. */
const unescaped = (text: string): Buffer | undefined => {
  const given = Buffer.from(text)
  const bytes = Buffer.alloc(given.length)
  let length = 0
  for (let at = 0; at < given.length; at++) {
    let byte = given[at] ?? 0
    if (byte === percent) {
      const hex = given.toString("latin1", at + 1, at + 3)
      if (!/^[\da-f]{2}$/i.test(hex)) return undefined
      byte = Number.parseInt(hex, 16)
      at += 2
    }
    bytes[length++] = byte
  }
  return bytes.subarray(0, length)
}

const percent = 0x25

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
