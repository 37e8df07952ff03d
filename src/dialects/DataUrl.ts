/** Data URLs (RFC 2397), in which OpenAI's dialects carry pictures and files. */
import type { Source } from "./Part.ts"

const form = /^data:([^;,]*)((?:;[^;,]*)*),(.*)$/s

const unescaped = (text: string): string | undefined => {
  const bytes: Array<number> = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x25) {
      const hex = text.slice(at + 1, at + 3)
      if (!/^[\da-f]{2}$/i.test(hex)) return undefined
      bytes.push(Number.parseInt(hex, 16))
      at += 2
    } else bytes.push(...Buffer.from(text[at] ?? ""))
  }
  return Buffer.from(bytes).toString("base64")
}

/** What a URL of a picture or a file leads to; `undefined` where it is a data URL that holds none. */
export const sourceOf = (url: string): Source | undefined => {
  if (!url.startsWith("data:")) return { kind: "url", url }
  const [, mediaType = "", parameters = "", data = ""] = form.exec(url) ?? []
  if (data === "") return undefined
  const base64 = parameters.endsWith(";base64") ? data : unescaped(data)
  return base64 === undefined
    ? undefined
    : { kind: "data", mediaType: mediaType === "" ? "text/plain" : mediaType.toLowerCase(), base64 }
}

/** The URL by which data are carried. */
export const dataUrl = ({ base64, mediaType }: Extract<Source, { kind: "data" }>): string =>
  `data:${mediaType};base64,${base64}`
