/** The data of many events, one after the other in one piece of memory: handed on as two values, however many there are. */

export interface JoinedData {
  readonly bytes: Uint8Array
  /** How many of the bytes each event's data has; they add up to all. */
  readonly lengths: ReadonlyArray<number>
}

/** Each event's data, as a view of the whole. */
export const split = ({ bytes, lengths }: JoinedData): ReadonlyArray<Uint8Array> => {
  let at = 0
  return lengths.map((length) => {
    const one = bytes.subarray(at, at + length)
    at += length
    return one
  })
}
