/**
 * The data of a stream's events in one piece of memory, each as what sets it apart from the one before: the chunks of an answer differ in a word, and
 * are some hundred bytes long.
 *
 * It is front coding (Witten, Moffat and Bell, Managing Gigabytes, 2nd ed., §4.1), from behind as well: of each event how many bytes it shares with the
 * beginning and with the end of the one before, then how many are its own, then those. The numbers are LEB128, seven bits to a byte.
 */

/** How many bytes `data` shares with the beginning of `before[0, beforeLength)`. */
export const sharedStart = (before: Uint8Array, beforeLength: number, data: Uint8Array): number => {
  const most = Math.min(beforeLength, data.length)
  let shared = 0
  while (shared < most && before[shared] === data[shared]) shared++
  return shared
}

/** How many bytes it shares with the end, beside those at the beginning. */
export const sharedEnd = (
  before: Uint8Array,
  beforeLength: number,
  data: Uint8Array,
  start: number,
): number => {
  const most = Math.min(beforeLength, data.length) - start
  let shared = 0
  while (shared < most && before[beforeLength - 1 - shared] === data[data.length - 1 - shared]) shared++
  return shared
}

/** The most that an event takes beside its own bytes: three numbers up to 2³⁵. */
export const mostHeadBytes = 15

/** Writes a whole number from 0 up; answers with the place behind it. */
export const putNumber = (room: Uint8Array, at: number, value: number): number => {
  let next = at
  let left = value
  while (left > 0x7f) {
    room[next++] = (left % 0x80) + 0x80
    left = Math.floor(left / 0x80)
  }
  room[next++] = left
  return next
}

/** Goes through what was packed, and tells of each event what it shares and where its own bytes stand. */
const walk = (
  packed: Uint8Array,
  visit: (start: number, end: number, ownFrom: number, ownTo: number) => void,
): void => {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let unit = 1; ; unit *= 0x80) {
      const byte = packed[at++] ?? 0
      value += (byte % 0x80) * unit
      if (byte < 0x80) return value
    }
  }
  while (at < packed.length) {
    const start = number()
    const end = number()
    const own = number()
    visit(start, end, at, at + own)
    at += own
  }
}

/** How many bytes all data has together when it is unpacked, which may be many times what it has here. */
export const unpackedLength = (packed: Uint8Array): number => {
  let length = 0
  walk(packed, (start, end, ownFrom, ownTo) => {
    length += start + end + ownTo - ownFrom
  })
  return length
}

/** Each event's data, in order: views of one piece of memory. */
export const unpack = (packed: Uint8Array): ReadonlyArray<Uint8Array> => {
  const datas: Array<Uint8Array> = []
  const all = new Uint8Array(unpackedLength(packed))
  let before = 0
  let at = 0
  walk(packed, (start, end, ownFrom, ownTo) => {
    const own = at + start
    const behindOwn = own + ownTo - ownFrom
    all.copyWithin(at, before, before + start)
    all.set(packed.subarray(ownFrom, ownTo), own)
    all.copyWithin(behindOwn, at - end, at)
    datas.push(all.subarray(at, behindOwn + end))
    before = at
    at = behindOwn + end
  })
  return datas
}
