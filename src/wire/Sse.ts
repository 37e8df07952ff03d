/**
 * Server-sent events: bytes to events as the HTML standard frames them (§9.2.5 and §9.2.6). SseWriting.ts is the way back.
 *
 * Works on bytes: a payload is never decoded, and one that came whole in a chunk is never copied.
 */
import { append, type GrowingBytes } from "./GrowingBytes.ts"
import { parseJson } from "./JsonBytes.ts"
import { eventLimits, outlineOf, surelyReadable } from "./JsonOutline.ts"
import type { Machine } from "./Machine.ts"

/** One event. `data` may share memory with the chunk it came in; it is never empty. */
export interface SseEvent {
  readonly data: Uint8Array
  /** The event's type; `undefined` where the stream named none. */
  readonly event: string | undefined
}

/** A line or an event grew beyond the limit. The last thing a decoder gives out. */
export interface SseOverflow {
  readonly limitBytes: number
}

export type SseOutput = SseEvent | SseOverflow

/** Tells the end by overflow from an event. */
export const isOverflow = (output: SseOutput): output is SseOverflow => "limitBytes" in output

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COLON = 0x3a

const lineFeed = Uint8Array.of(LF)
const blankLine = Uint8Array.of(LF, LF)
const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf)

const ascii = new TextEncoder()
// A byte order mark inside the stream is text.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

const dataField = ascii.encode("data")
const eventField = ascii.encode("event")
const errorField = ascii.encode("error")

/** The data of the event that says that an answer is complete. */
export const doneData: Uint8Array = ascii.encode("[DONE]")

/** That event. */
export const doneEvent: SseEvent = { data: doneData, event: undefined }

/** What an event of several data lines may have: they are joined, and each may be long. */
const mostJoined = 4 * 1024 * 1024

export interface SseState {
  /** Bytes of a byte order mark seen at the start; 3 once it is settled whether there is one. */
  readonly markBytes: number
  /** The chunk before ended in a CR: an LF that comes first now belongs to the same line end. */
  readonly afterCr: boolean
  /** What has come of a line that has not ended. */
  readonly line: GrowingBytes | undefined
  readonly lineBytes: number
  /** The event's data lines so far, joined by LF. */
  readonly data: GrowingBytes | undefined
  readonly event: string | undefined
  /** Bytes of the event's lines so far, from the first that says something. */
  readonly eventBytes: number
  readonly overflowed: boolean
}

const initial: SseState = {
  markBytes: 0,
  afterCr: false,
  line: undefined,
  lineBytes: 0,
  data: undefined,
  event: undefined,
  eventBytes: 0,
  overflowed: false,
}

const overflowed: SseState = { ...initial, overflowed: true }

/** Where the value of `field` begins in the line `bytes[from, to)`; -1 where the line is of another field. */
const valueOf = (field: Uint8Array, bytes: Uint8Array, from: number, to: number): number => {
  const colon = from + field.length
  if (colon > to || (colon < to && bytes[colon] !== COLON)) return -1
  for (let i = 0; i < field.length; i++) if (bytes[from + i] !== field[i]) return -1
  if (colon === to) return to
  return colon + 1 < to && bytes[colon + 1] === SPACE ? colon + 2 : colon + 1
}

const addDataLine = (data: GrowingBytes | undefined, value: Uint8Array): GrowingBytes =>
  append(data === undefined ? undefined : append(data, lineFeed, mostJoined), value, mostJoined)

const isTooMuchToJoin = (data: GrowingBytes | undefined, moreBytes: number): boolean =>
  data !== undefined && data.bytes.length + moreBytes > mostJoined

/**
 * A line that came in several chunks, whole. A blank line stands behind it in its buffer, as it does behind most that came in one: so it can be sent on
 * without being copied.
 */
const wholeLine = (begun: GrowingBytes, end: Uint8Array, mostBytes: number): Uint8Array => {
  const { bytes } = append(append(begun, end, mostBytes), blankLine, mostBytes)
  return bytes.subarray(0, bytes.length - blankLine.length)
}

/** An event, which one with empty data is not. */
const eventOf = (data: Uint8Array, event: string | undefined): ReadonlyArray<SseEvent> =>
  data.length === 0 ? [] : [{ data, event }]

/** Whether data cannot be the beginning of longer data: `[DONE]`, or a whole JSON object. */
const isWhole = (data: Uint8Array): boolean => {
  if (isDone({ data })) return true
  if (data.length > surelyReadable) return outlineOf(data, eventLimits) !== undefined
  const parsed = parseJson(data)
  return typeof parsed === "object" && parsed !== null
}

/** What a stream still said that ended without a blank line. */
const halt = (state: SseState): ReadonlyArray<SseOutput> => {
  const { event, line } = state
  let { data } = state
  if (line === undefined) return data === undefined ? [] : eventOf(data.bytes, event)
  const last = line.bytes
  const errorAt = valueOf(errorField, last, 0, last.length)
  if (errorAt !== -1) {
    const error = last.subarray(errorAt)
    return [
      ...(data === undefined ? [] : eventOf(data.bytes, event)),
      ...(isWhole(error) ? eventOf(error, "error") : []),
    ]
  }
  const dataAt = valueOf(dataField, last, 0, last.length)
  if (dataAt !== -1) {
    if (isTooMuchToJoin(data, last.length - dataAt)) return [{ limitBytes: mostJoined }]
    data = addDataLine(data, last.subarray(dataAt))
  }
  if (data === undefined) return []
  const whole = data.bytes
  return isWhole(whole) ? eventOf(whole, event) : []
}

/**
 * Decodes an event stream, however its bytes are cut into chunks. Lines end in LF, CRLF or CR; one byte order mark at the start,
 * comments, `id`, `retry` and unknown fields are passed over.
 *
 * It departs from the standard where upstreams do: an event the stream ends in without a blank line is given out, provided its
 * last line ended or its data is evidently whole (`[DONE]`, a complete JSON object), so that no half of an event gets
 * through; an event with empty data is none, since some SDKs fail on it; and a line `error: …` (llama.cpp) is an event named `error`, wherever it
 * stands.
 *
 * @param options.maxEventBytes the most bytes that the lines of one event may have together, a byte counted for each line end
 * between them; beyond it an `SseOverflow` is given out and after that nothing
 */
export const decoder = (options: {
  readonly maxEventBytes: number
}): Machine<SseState, Uint8Array, SseOutput> => {
  const { maxEventBytes } = options
  const mostLineBytes = maxEventBytes + blankLine.length

  const step = (state: SseState, chunk: Uint8Array): readonly [SseState, ReadonlyArray<SseOutput>] => {
    if (state.overflowed || chunk.length === 0) return [state, []]
    const outputs: Array<SseOutput> = []
    let { markBytes, line, lineBytes, data, event, eventBytes } = state
    let afterCr = false
    let at = 0

    while (markBytes < byteOrderMark.length) {
      if (at === chunk.length) return [{ ...state, markBytes }, outputs]
      if (chunk[at] === byteOrderMark[markBytes]) {
        markBytes++
        at++
      } else {
        // None after all: what looked like one begins the first line. Of this chunk that is read again.
        if (state.markBytes > 0)
          line = append(undefined, byteOrderMark.subarray(0, state.markBytes), mostLineBytes)
        lineBytes = state.markBytes
        markBytes = byteOrderMark.length
        at = 0
      }
    }

    if (state.afterCr && chunk[at] === LF) at++

    // Both are looked up only when passed, so that a stream without CRs is not searched to its end for one at every line.
    let nextLf = chunk.indexOf(LF, at)
    let nextCr = chunk.indexOf(CR, at)
    for (;;) {
      const end = nextLf === -1 ? nextCr : nextCr === -1 ? nextLf : Math.min(nextLf, nextCr)
      if (end === -1) break
      lineBytes += end - at
      if (lineBytes > 0 && eventBytes + lineBytes > maxEventBytes) {
        outputs.push({ limitBytes: maxEventBytes })
        return [overflowed, outputs]
      }
      if (lineBytes === 0) {
        if (data !== undefined) {
          const whole = data.bytes
          if (whole.length > 0) outputs.push({ data: whole, event })
        }
        data = undefined
        event = undefined
        eventBytes = 0
      } else {
        const inChunk = line === undefined
        const bytes = line === undefined ? chunk : wholeLine(line, chunk.subarray(at, end), mostLineBytes)
        const from = inChunk ? at : 0
        const to = inChunk ? end : bytes.length
        const dataAt = valueOf(dataField, bytes, from, to)
        const errorAt = dataAt === -1 ? valueOf(errorField, bytes, from, to) : -1
        if (dataAt !== -1) {
          if (isTooMuchToJoin(data, to - dataAt)) {
            outputs.push({ limitBytes: mostJoined })
            return [overflowed, outputs]
          }
          data = addDataLine(data, bytes.subarray(dataAt, to))
        } else if (errorAt !== -1) {
          // What was said before it in the same event is given out before it.
          if (data !== undefined) outputs.push(...eventOf(data.bytes, event))
          outputs.push(...eventOf(bytes.subarray(errorAt, to), "error"))
          data = undefined
          event = undefined
        } else {
          const eventAt = valueOf(eventField, bytes, from, to)
          if (eventAt !== -1) event = eventAt === to ? undefined : utf8.decode(bytes.subarray(eventAt, to))
        }
        // Lines that leave nothing behind, such as hours of pings, do not add up.
        eventBytes = data === undefined && event === undefined ? 0 : eventBytes + lineBytes + 1
        line = undefined
        lineBytes = 0
      }
      at = end + 1
      if (end === nextCr) {
        if (at === chunk.length) afterCr = true
        else if (chunk[at] === LF) at++
      }
      if (nextLf !== -1 && nextLf < at) nextLf = chunk.indexOf(LF, at)
      if (nextCr !== -1 && nextCr < at) nextCr = chunk.indexOf(CR, at)
    }

    if (at < chunk.length) {
      lineBytes += chunk.length - at
      if (eventBytes + lineBytes > maxEventBytes) {
        outputs.push({ limitBytes: maxEventBytes })
        return [overflowed, outputs]
      }
      line = append(line, at === 0 ? chunk : chunk.subarray(at), mostLineBytes)
    }
    return [{ markBytes, afterCr, line, lineBytes, data, event, eventBytes, overflowed: false }, outputs]
  }

  return { initial, step, halt }
}

/** Whether an event says that the answer is complete. */
export const isDone = (event: Pick<SseEvent, "data">): boolean => {
  const { data } = event
  let at = 0
  while (data[at] === SPACE) at++
  if (data.length - at < doneData.length) return false
  for (let i = 0; i < doneData.length; i++) if (data[at + i] !== doneData[i]) return false
  return true
}
