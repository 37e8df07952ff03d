/** Server-sent events as they are written: events back to bytes, where they came framed so the very ones they came in. */
import { standsAt } from "./JsonBytes.ts"
import type { SseEvent } from "./Sse.ts"

const LF = 0x0a
const CR = 0x0d

const ascii = new TextEncoder()

const dataPrefix = ascii.encode("data: ")

/**
 * The frame that stands around data in its buffer, where it was cut out of one as it is written here: most events of upstreams are, and are sent on
 * without being copied.
 */
const frameAround = (data: Uint8Array): Uint8Array | undefined => {
  const start = data.byteOffset - dataPrefix.length
  if (start < 0 || data.byteOffset + data.length + 2 > data.buffer.byteLength) return undefined
  const frame = new Uint8Array(data.buffer, start, dataPrefix.length + data.length + 2)
  if (frame[frame.length - 1] !== LF || frame[frame.length - 2] !== LF) return undefined
  for (let at = 0; at < dataPrefix.length; at++) if (frame[at] !== dataPrefix[at]) return undefined
  return frame
}

/** The C library's search takes a third of the time of the engine's, once there is this much to search through. */
const muchToSearch = 64 * 1024

const indexOf = (data: Uint8Array, byte: number): number =>
  data.length > muchToSearch ? Buffer.prototype.indexOf.call(data, byte) : data.indexOf(byte)

/** Whether data have several lines. */
const isBroken = (data: Uint8Array): boolean => indexOf(data, LF) !== -1 || indexOf(data, CR) !== -1

/**
 * Data as one event: `data: …`, a blank line. Each line of data becomes a `data:` line; a CR, alone or before an LF, ends a line
 * too, since no reader could tell it from one, and is read back as LF. (JSON has CRs only between tokens.) Empty data is no event
 * and gives no bytes.
 */
export const encode = (data: Uint8Array): Uint8Array => {
  if (data.length === 0) return data
  if (!isBroken(data)) {
    const around = frameAround(data)
    if (around !== undefined) return around
    const encoded = new Uint8Array(dataPrefix.length + data.length + 2)
    encoded.set(dataPrefix)
    encoded.set(data, dataPrefix.length)
    encoded[encoded.length - 2] = LF
    encoded[encoded.length - 1] = LF
    return encoded
  }
  let breaks = 0
  for (const byte of data) if (byte === LF || byte === CR) breaks++
  const encoded = new Uint8Array(dataPrefix.length * (breaks + 1) + data.length + 2)
  encoded.set(dataPrefix)
  let length = dataPrefix.length
  for (let i = 0; i < data.length; i++) {
    const byte = data[i] ?? LF
    if (byte === CR && data[i + 1] === LF) continue
    if (byte === LF || byte === CR) {
      encoded[length++] = LF
      encoded.set(dataPrefix, length)
      length += dataPrefix.length
    } else {
      encoded[length++] = byte
    }
  }
  encoded[length++] = LF
  encoded[length++] = LF
  return encoded.subarray(0, length)
}

/** More names than any grammar has. */
const mostNames = 128

/** What stands before the data of events, by their names. */
const heads = new Map<string, Uint8Array>()

const headOf = (name: string): Uint8Array => {
  const known = heads.get(name)
  if (known !== undefined) return known
  const head = Buffer.from(`event: ${name.replace(/[\r\n]/g, " ")}\ndata: `)
  // Upstreams may call events whatever they like.
  if (heads.size < mostNames) heads.set(name, head)
  return head
}

/** Data as one event of this name: the bytes it came in, where it is framed there as it is written here. Empty data is no event. */
export const encodeNamed = (name: string, data: Uint8Array): Uint8Array => {
  if (data.length === 0) return data
  const head = headOf(name)
  if (isBroken(data)) {
    return Buffer.concat([head.subarray(0, head.length - dataPrefix.length), encode(data)])
  }
  const start = data.byteOffset - head.length
  const length = head.length + data.length + 2
  if (start >= 0 && start + length <= data.buffer.byteLength) {
    const frame = new Uint8Array(data.buffer, start, length)
    if (frame[length - 1] === LF && frame[length - 2] === LF && standsAt(frame, 0, head)) return frame
  }
  const encoded = new Uint8Array(length)
  encoded.set(head)
  encoded.set(data, head.length)
  encoded[length - 2] = LF
  encoded[length - 1] = LF
  return encoded
}

/** An event as it is written, with its name if it has one. */
export const encodeEvent = ({ data, event }: SseEvent): Uint8Array =>
  event === undefined ? encode(data) : encodeNamed(event, data)

/** An event of this name whose data is this JSON, framed in its own buffer as it is written: it is sent without being copied. */
export const printedEvent = (event: string | undefined, json: string): SseEvent => {
  const head = event === undefined ? "data: " : `event: ${event}\ndata: `
  // A short one is a part of a buffer that many have in common, where an encoder gives each its own: a third of the time.
  const frame = Buffer.from(`${head}${json}\n\n`)
  return { data: frame.subarray(head.length, frame.length - 2), event }
}

/**
 * A comment, to keep a silent connection open. It ends in a single line feed: some SDKs take a blank line for an event, and fail on
 * an empty one.
 */
export const heartbeat: Uint8Array = ascii.encode(": ping\n")
