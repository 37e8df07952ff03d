/**
 * Bytes that come bit by bit and are one piece at any time, as values: what is added to some leaves those as they were. Each byte is copied about twice
 * in all, and never many at once, however many there are.
 */
import { sharedBytes } from "./SharedBytes.ts"

/** Written only behind what is used, which is in nobody's bytes. */
interface Room {
  readonly bytes: Uint8Array
  used: number
}

export interface GrowingBytes {
  readonly bytes: Uint8Array
  readonly room: Room | undefined
}

/** Up to so much a room is twice of what is to be in it. */
const mostDoubled = 2 * 1024 * 1024

/** More are never copied: they get all the room they may ever take. It costs address space; memory is what is written to. */
export const mostCopied = 8 * 1024 * 1024

/** A room for this many bytes, and for those to come; a large one in memory that threads share, so that none copies it to read it. */
const roomFor = (length: number, mostBytes: number): Uint8Array => {
  if (2 * length <= mostDoubled) return new Uint8Array(2 * length)
  const room = length <= mostCopied ? Math.min(mostCopied, mostBytes) : mostBytes
  return sharedBytes(Math.max(length, room))
}

/**
 * The bytes with those behind them; the first ones are kept as they are given.
 *
 * @param mostBytes how many they are to be at most
 */
export const append = (
  before: GrowingBytes | undefined,
  added: Uint8Array,
  mostBytes: number,
): GrowingBytes => {
  if (before === undefined) return { bytes: added, room: undefined }
  const used = before.bytes.length
  const length = used + added.length
  let { room } = before
  // Another may have gone on from the same bytes.
  if (room === undefined || room.used !== used || room.bytes.length < length) {
    room = { bytes: roomFor(length, mostBytes), used }
    room.bytes.set(before.bytes)
  }
  room.bytes.set(added, used)
  room.used = length
  return { bytes: room.bytes.subarray(0, length), room }
}
