/**
 * Records as they go to another thread: all their bytes in one buffer, which is handed over rather than copied again.
 *
 * Bytes of a record are views of larger buffers, and a structured clone copies the whole buffer beneath a view.
 */
import type { KeptBytes, KeptResponse, QueuedRecord } from "./QueuedRecord.ts"

interface Extent {
  readonly length: number
  readonly total: number
}

type ResponseExtent =
  | ({ readonly kind: "plain" } & Extent)
  | { readonly kind: "events"; readonly lengths: ReadonlyArray<number>; readonly truncated: boolean }

interface Entry {
  readonly key: string
  readonly facts: QueuedRecord["facts"]
  readonly maxBodyBytes: number
  readonly request: Extent | undefined
  readonly response: ResponseExtent | undefined
}

/** Survives a structured clone; `bytes` may be transferred. */
export interface Parcel {
  readonly entries: ReadonlyArray<Entry>
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

const piecesOf = ({ request, response }: QueuedRecord): ReadonlyArray<Uint8Array> => [
  ...(request === undefined ? [] : [request.bytes]),
  ...(response === undefined ? [] : response.kind === "plain" ? [response.bytes] : response.data),
]

export const pack = (records: ReadonlyArray<QueuedRecord>): Parcel => {
  const pieces = records.flatMap(piecesOf)
  const bytes = new ArrayBuffer(pieces.reduce((sum, { byteLength }) => sum + byteLength, 0))
  const target = new Uint8Array(bytes)
  let at = 0
  for (const piece of pieces) {
    target.set(piece, at)
    at += piece.byteLength
  }
  const entries = records.map(({ facts, key, maxBodyBytes, request, response }) => ({
    key,
    facts,
    maxBodyBytes,
    request: request === undefined ? undefined : extentOf(request),
    response: response === undefined ? undefined : responseExtentOf(response),
  }))
  return { entries, bytes }
}

/** The records of a parcel; their bytes are views of its buffer. */
export const unpack = ({ bytes, entries }: Parcel): ReadonlyArray<QueuedRecord> => {
  let at = 0
  const take = (length: number): Uint8Array => {
    const piece = new Uint8Array(bytes, at, length)
    at += length
    return piece
  }
  const takeResponse = (extent: ResponseExtent): KeptResponse =>
    extent.kind === "plain"
      ? { kind: "plain", bytes: take(extent.length), total: extent.total }
      : { kind: "events", data: extent.lengths.map(take), truncated: extent.truncated }
  return entries.map(({ facts, key, maxBodyBytes, request, response }) => ({
    key,
    facts,
    maxBodyBytes,
    request: request === undefined ? undefined : { bytes: take(request.length), total: request.total },
    response: response === undefined ? undefined : takeResponse(response),
  }))
}
