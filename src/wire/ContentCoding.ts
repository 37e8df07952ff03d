/**
 * How bodies are packed. Clients say so. Of upstreams identity is asked for, and some pack all the same; some say so of a body that is not packed, and
 * others pack and do not say so: there a `content-encoding` is what is expected, and the first bytes decide.
 */

/** What a `content-encoding` names (RFC 9110 §8.4.1, RFC 8878), its older spellings aside. */
export type Coding = "gzip" | "deflate" | "br" | "zstd"

/** What unpacks a body: `deflate` names both the zlib format and, against its definition, bare deflate. */
export type Packing = "gzip" | "zlib" | "bare_deflate" | "br" | "zstd"

const codings: ReadonlyMap<string, Coding> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "br"],
  ["zstd", "zstd"],
])

/** The coding of this name (lower case), if it is one that may be read. */
export const codingNamed = (name: string): Coding | undefined => codings.get(name)

/** What servers write where nothing was packed. */
const notPacked: ReadonlySet<string> = new Set(["", "identity", "none", "utf-8", "utf8"])

/** A body may be packed so many times over: with none more it is an answer, and what unpacks costs memory. */
export const mostPackings = 4

/**
 * The codings that a `content-encoding` lists, in the order they were applied: the last one is to be undone first. `undefined` where one is unknown
 * or there are too many.
 *
 * @param isKnown whether there is something here that unpacks it
 */
export const codingsOf = (
  header: string | undefined,
  isKnown: (coding: Coding) => boolean,
): ReadonlyArray<Coding> | undefined => {
  if (header === undefined) return []
  const listed: Array<Coding> = []
  for (const written of header.split(",")) {
    const name = written.trim().toLowerCase()
    if (notPacked.has(name)) continue
    const coding = codingNamed(name)
    if (coding === undefined || !isKnown(coding) || listed.length === mostPackings) return undefined
    listed.push(coding)
  }
  return listed
}

const gzipMark = Uint8Array.of(0x1f, 0x8b)
const zstdMark = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)

/** So many bytes of text are not packed: of packed ones, each has three chances in eight to look like it. */
const surelyText = 16

const isTextByte = (byte: number): boolean =>
  (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d

const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf)

/** Whether bytes begin with a mark; `undefined` where they are too few to tell. */
const beginsWith = (bytes: Uint8Array, mark: Uint8Array): boolean | undefined => {
  const length = Math.min(bytes.length, mark.length)
  for (let at = 0; at < length; at++) if (bytes[at] !== mark[at]) return false
  return length === mark.length ? true : undefined
}

/** Whether bytes are text, perhaps behind a byte order mark; `undefined` where they are too few to tell. */
const isText = (bytes: Uint8Array): boolean | undefined => {
  const marked = beginsWith(bytes, byteOrderMark)
  if (marked === undefined) return undefined
  const from = marked ? byteOrderMark.length : 0
  const to = Math.min(bytes.length, from + surelyText)
  for (let at = from; at < to; at++) if (!isTextByte(bytes[at] ?? 0)) return false
  return to === from + surelyText ? true : undefined
}

/** Two bytes tell the zlib format from bare deflate (RFC 1950 §2.2). */
const isZlib = ([method = 0, flags = 0]: Uint8Array): boolean =>
  (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0

const packingOfCoding = (coding: Coding, first: Uint8Array): Packing =>
  coding === "deflate" ? (isZlib(first) ? "zlib" : "bare_deflate") : coding

/** Whether a body that was not said to be packed may be: one look at its first byte, which is all that most bodies need. */
export const mayBePacked = (first: Uint8Array): boolean =>
  first[0] === gzipMark[0] || first[0] === zstdMark[0]

/**
 * What a body is packed in; `undefined` where more bytes are needed to tell.
 *
 * @param first its first bytes
 * @param isAll whether these are all
 * @param said what it is said to be packed in
 */
export const packingOf = (
  first: Uint8Array,
  isAll: boolean,
  said: Coding | undefined,
): Packing | "nothing" | undefined => {
  const gzip = beginsWith(first, gzipMark)
  const zstd = beginsWith(first, zstdMark)
  if (gzip === true) return "gzip"
  if (zstd === true) return "zstd"
  const isOpen = !isAll && (first.length < 2 || gzip === undefined || zstd === undefined)
  if (said === undefined) return isOpen ? undefined : "nothing"
  const text = isText(first)
  if (text === false) return isOpen ? undefined : packingOfCoding(said, first)
  return text === true || isAll ? "nothing" : undefined
}
