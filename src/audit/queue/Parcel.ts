/**
 * Records as bytes, from the moment they are recorded: each is packed in 3 to 5 µs when its request is over, and what waits to be written is one buffer in
 * memory that threads share. Handing a hundred over holds the event loop for 0.01 ms at p99, where packing them at once took 0.54; what was refused is
 * still there, and what one process packed another adds to its own without reading it.
 *
 * Each record is its row without the bodies as JSON, with its length before it, and then the bodies.
 */
import { sharedBytes } from "../../wire/SharedBytes.ts"
import {
  bodyBytesOf,
  bytesOf,
  type KeptBytes,
  type KeptResponse,
  type QueuedRecord,
  unpackedBytesOf,
} from "./QueuedRecord.ts"

interface Extent {
  readonly length: number
  readonly total: number
}

type ResponseExtent =
  | ({ readonly kind: "plain" } & Extent)
  | { readonly kind: "events"; readonly length: number; readonly truncated: boolean }

/** Members that are `undefined` are left out in JSON, and `undefined` again when they are read. */
interface Entry {
  readonly values: QueuedRecord["values"]
  readonly maxBodyBytes: number
  readonly request: Extent | undefined
  readonly response: ResponseExtent | undefined
}

/** Survives a structured clone; between threads its bytes are shared. */
export interface Parcel {
  /** How many there are. */
  readonly records: number
  /** What they have when the data of streams is unpacked: whoever writes them down holds as much. */
  readonly unpackedBytes: number
  readonly bytes: Uint8Array
}

/** Most records of a parcel: more than gather at any usual load, and few enough that the thread writes them within milliseconds. */
const mostRecords = 250
/** Most bytes, as they are and unpacked, unless one record alone has more. */
const mostBytes = 4 * 1024 * 1024

/** A room that is too small is doubled. What was written is lent again, so that rooms of the size that is needed come about: a new one is cleared first. */
const firstRoom = 256 * 1024
const mostSpareRooms = 3

const headBytes = 4
/** What a character takes at most in UTF-8, of UTF-16's. */
const mostBytesOfCharacter = 3

const extentOf = ({ bytes, total }: KeptBytes): Extent => ({ length: bytes.byteLength, total })

const responseExtentOf = (response: KeptResponse): ResponseExtent =>
  response.kind === "plain"
    ? { kind: "plain", ...extentOf(response) }
    : {
        kind: "events",
        length: response.packed.byteLength,
        truncated: response.truncated,
      }

const entryOf = ({ maxBodyBytes, request, response, values }: QueuedRecord): Entry => ({
  values,
  maxBodyBytes,
  request: request === undefined ? undefined : extentOf(request),
  response: response === undefined ? undefined : responseExtentOf(response),
})

const makeRoom = (bytes: number): Buffer => Buffer.from(sharedBytes(bytes).buffer)

/** Packs records into parcels. Mutable on purpose: it belongs to one queue. */
export class Packer {
  #room = makeRoom(firstRoom)
  #used = 0
  #records = 0
  #unpackedBytes = 0
  readonly #sealed: Array<Parcel> = []
  readonly #spareRooms: Array<Buffer> = []

  /** Puts a record behind the others; gives the bytes it took. */
  add(record: QueuedRecord): number {
    const text = JSON.stringify(entryOf(record))
    const unpackedBytes = headBytes + text.length + unpackedBytesOf(record)
    this.#prepare(headBytes + mostBytesOfCharacter * text.length + bodyBytesOf(record), 1, unpackedBytes)
    const from = this.#used
    const textBytes = this.#room.write(text, from + headBytes)
    this.#room.writeUInt32LE(textBytes, from)
    this.#used += headBytes + textBytes
    const { request, response } = record
    if (request !== undefined) this.#put(request.bytes)
    if (response !== undefined) this.#put(bytesOf(response))
    this.#records += 1
    this.#unpackedBytes += unpackedBytes
    return this.#used - from
  }

  /** Puts what another packer packed behind the others. */
  append({ bytes, records, unpackedBytes }: Parcel): void {
    this.#prepare(bytes.byteLength, records, unpackedBytes)
    this.#put(bytes)
    this.#records += records
    this.#unpackedBytes += unpackedBytes
  }

  /** The next parcel to be written, if there are records. */
  take(): Parcel | undefined {
    if (this.#sealed.length === 0) this.#seal()
    return this.#sealed.shift()
  }

  /** Takes the room of a parcel back that nobody reads any more. */
  reuse({ bytes: { buffer } }: Parcel): void {
    if (buffer.byteLength > mostBytes) return
    this.#spareRooms.push(Buffer.from(buffer))
    if (this.#spareRooms.length <= mostSpareRooms) return
    // The largest are kept.
    this.#spareRooms.sort((a, b) => b.byteLength - a.byteLength).pop()
  }

  #put(bytes: Uint8Array): void {
    this.#room.set(bytes, this.#used)
    this.#used += bytes.byteLength
  }

  /** Makes room for so much more. */
  #prepare(bytes: number, records: number, unpackedBytes: number): void {
    const isFull =
      this.#records + records > mostRecords ||
      this.#used + bytes > mostBytes ||
      this.#unpackedBytes + unpackedBytes > mostBytes
    if (isFull) this.#seal()
    const needed = this.#used + bytes
    if (needed <= this.#room.byteLength) return
    let size = this.#room.byteLength
    while (size < needed) size *= 2
    const larger = makeRoom(size)
    larger.set(this.#room.subarray(0, this.#used))
    this.#room = larger
  }

  #seal(): void {
    if (this.#records === 0) return
    this.#sealed.push({
      records: this.#records,
      unpackedBytes: this.#unpackedBytes,
      bytes: this.#room.subarray(0, this.#used),
    })
    this.#room = this.#spareRooms.pop() ?? makeRoom(firstRoom)
    this.#used = 0
    this.#records = 0
    this.#unpackedBytes = 0
  }
}

const entryIn = (bytes: Buffer, from: number, to: number): Entry =>
  JSON.parse(bytes.toString("utf8", from, to))

/** The records of a parcel; their bytes are views of its own. */
export const unpack = (parcel: Parcel): ReadonlyArray<QueuedRecord> => {
  const bytes = Buffer.from(parcel.bytes.buffer, parcel.bytes.byteOffset, parcel.bytes.byteLength)
  let at = 0
  const take = (length: number): Uint8Array => {
    const piece = new Uint8Array(bytes.buffer, bytes.byteOffset + at, length)
    at += length
    return piece
  }
  const takeResponse = (extent: ResponseExtent): KeptResponse =>
    extent.kind === "plain"
      ? { kind: "plain", bytes: take(extent.length), total: extent.total }
      : { kind: "events", packed: take(extent.length), truncated: extent.truncated }
  const records: Array<QueuedRecord> = []
  while (at < bytes.byteLength) {
    const from = at + headBytes
    const to = from + bytes.readUInt32LE(at)
    at = to
    const { maxBodyBytes, request, response, values } = entryIn(bytes, from, to)
    records.push({
      values,
      maxBodyBytes,
      request: request === undefined ? undefined : { bytes: take(request.length), total: request.total },
      response: response === undefined ? undefined : takeResponse(response),
    })
  }
  return records
}
