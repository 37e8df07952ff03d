/**
 * Records as they go to another thread: one buffer, which is handed over rather than copied again. First what is known of them as JSON, then their
 * bodies one after the other.
 *
 * A structured clone of the same as objects takes about ten times as long as printing them (18 against 2 µs a record), and of bytes that are
 * views of larger buffers it would copy the whole buffer beneath.
 */
import type { KeptBytes, KeptResponse, QueuedRecord } from "./QueuedRecord.ts"

interface Extent {
  readonly length: number
  readonly total: number
}

type ResponseExtent =
  | ({ readonly kind: "plain" } & Extent)
  | { readonly kind: "events"; readonly lengths: ReadonlyArray<number>; readonly truncated: boolean }

/** Members that are `undefined` are left out in JSON, and `undefined` again when they are read. */
interface Entry {
  readonly key: string
  readonly facts: QueuedRecord["facts"]
  readonly maxBodyBytes: number
  readonly request: Extent | undefined
  readonly response: ResponseExtent | undefined
}

/** Survives a structured clone; `bytes` may be transferred. */
export interface Parcel {
  /** The length of the JSON at the beginning of `bytes`. */
  readonly entriesLength: number
  readonly bytes: ArrayBuffer
}

const extentOf = ({ bytes, total }: KeptBytes): Extent => ({ length: bytes.byteLength, total })

const responseExtentOf = (response: KeptResponse): ResponseExtent =>
  response.kind === "plain"
    ? { kind: "plain", ...extentOf(response) }
    : {
        kind: "events",
        lengths: response.data.map(({ byteLength }) => byteLength),
        truncated: response.truncated,
      }

const collectPieces = (records: ReadonlyArray<QueuedRecord>): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  for (const { request, response } of records) {
    if (request !== undefined) pieces.push(request.bytes)
    if (response?.kind === "plain") pieces.push(response.bytes)
    else if (response !== undefined) for (const data of response.data) pieces.push(data)
  }
  return pieces
}

export const pack = (records: ReadonlyArray<QueuedRecord>): Parcel => {
  const entries = records.map(
    ({ facts, key, maxBodyBytes, request, response }): Entry => ({
      key,
      facts,
      maxBodyBytes,
      request: request === undefined ? undefined : extentOf(request),
      response: response === undefined ? undefined : responseExtentOf(response),
    }),
  )
  const text = Buffer.from(JSON.stringify(entries))
  const pieces = collectPieces(records)
  const bytes = new ArrayBuffer(pieces.reduce((sum, { byteLength }) => sum + byteLength, text.byteLength))
  const target = new Uint8Array(bytes)
  target.set(text)
  let at = text.byteLength
  for (const piece of pieces) {
    target.set(piece, at)
    at += piece.byteLength
  }
  return { entriesLength: text.byteLength, bytes }
}

const entriesOf = ({ bytes, entriesLength }: Parcel): ReadonlyArray<Entry> =>
  JSON.parse(Buffer.from(bytes, 0, entriesLength).toString())

/** The records of a parcel; their bytes are views of its buffer. */
export const unpack = (parcel: Parcel): ReadonlyArray<QueuedRecord> => {
  const { bytes, entriesLength } = parcel
  let at = entriesLength
  const take = (length: number): Uint8Array => {
    const piece = new Uint8Array(bytes, at, length)
    at += length
    return piece
  }
  const takeResponse = (extent: ResponseExtent): KeptResponse =>
    extent.kind === "plain"
      ? { kind: "plain", bytes: take(extent.length), total: extent.total }
      : { kind: "events", data: extent.lengths.map(take), truncated: extent.truncated }
  return entriesOf(parcel).map(({ facts, key, maxBodyBytes, request, response }) => ({
    key,
    facts,
    maxBodyBytes,
    request: request === undefined ? undefined : { bytes: take(request.length), total: request.total },
    response: response === undefined ? undefined : takeResponse(response),
  }))
}
