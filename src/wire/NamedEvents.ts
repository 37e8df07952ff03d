/** Events with names, as they are written: `event: …`, `data: …`, a blank line. */
import { encode, type SseEvent } from "./Sse.ts"

const [LF] = [0x0a]
const lastAscii = 0x7f

const utf8 = new TextEncoder()

const nameLine = "event: "

/** Where the line that says this name begins, if it stands before `end`; -1 where another does. */
const lineBefore = (bytes: Uint8Array, end: number, name: string): number => {
  const start = end - nameLine.length - name.length - 1
  if (start < 0 || bytes[end - 1] !== LF) return -1
  for (let at = 0; at < nameLine.length; at++) {
    if (bytes[start + at] !== nameLine.charCodeAt(at)) return -1
  }
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    if (code > lastAscii || bytes[start + nameLine.length + at] !== code) return -1
  }
  return start
}

/** The frame of an event in the buffer it came in, with the line of its name, where both are written there as they are here. */
const frameAround = (data: Uint8Array, framed: Uint8Array, name: string): Uint8Array | undefined => {
  // `encode` copies nothing of an event that came as it is written.
  if (framed.buffer !== data.buffer || framed.byteOffset >= data.byteOffset) return undefined
  const all = new Uint8Array(framed.buffer, 0, framed.byteOffset)
  const start = lineBefore(all, framed.byteOffset, name)
  return start === -1
    ? undefined
    : new Uint8Array(framed.buffer, start, framed.byteOffset + framed.length - start)
}

/** An event as it is written with its name, if it has one; the very bytes it came in, where they are written so. */
export const encodeNamed = ({ data, event }: SseEvent): Uint8Array => {
  const framed = encode(data)
  if (event === undefined || framed.length === 0) return framed
  return frameAround(data, framed, event) ?? Buffer.concat([utf8.encode(`${nameLine}${event}\n`), framed])
}
