/**
 * Bytes that come bit by bit and are one piece at any time, as values: what is added to some leaves those as they were. Each byte is copied about twice
 * in all, and never many at once, however many there are.
 */

/** Written only behind what is used, which is in nobody's bytes. */
interface Room {
  readonly bytes: Uint8Array
  used: number
}

export interface GrowingBytes {
  readonly bytes: Uint8Array
  readonly room: Room | undefined
}

/** More are copied no second time: they get all the room they may ever take. It costs address space; memory is what is written to. */
export const mostCopied = 2 * 1024 * 1024

/** A room for this many bytes, and for those to come. */
const roomFor = (length: number, mostBytes: number): Uint8Array =>
  new Uint8Array(2 * length > mostCopied ? Math.max(length, mostBytes) : 2 * length)

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
