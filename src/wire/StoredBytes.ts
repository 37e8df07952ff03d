/** Bytes that need not be in memory, as plain values: pieces that are, and stretches of a store, which can be read any number of times. */

/** Where bytes are kept that are not in memory. */
export interface ByteStore {
  /** The bytes from one place to another, piece by piece, as fast as they are taken. */
  readonly read: (from: number, to: number) => AsyncIterable<Uint8Array>
}

/** Bytes of a store, from one place to another. */
export interface Stretch {
  readonly store: ByteStore
  readonly from: number
  readonly to: number
}

type Piece = Uint8Array | Stretch

export interface StoredBytes {
  readonly length: number
  readonly pieces: ReadonlyArray<Piece>
}

/** What is sent: bytes that are in memory, or need not be. */
export type SentBytes = Uint8Array | StoredBytes

/** Bytes that take the place of others; where `start` is `end`, they only come between. */
export interface Replacement {
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
}

const lengthOf = (piece: Piece): number =>
  piece instanceof Uint8Array ? piece.length : piece.to - piece.from

export const storedBytes = (pieces: ReadonlyArray<Piece>): StoredBytes => ({
  length: pieces.reduce((sum, piece) => sum + lengthOf(piece), 0),
  pieces,
})

const sliced = (piece: Piece, from: number, to: number): Piece =>
  piece instanceof Uint8Array
    ? piece.subarray(from, to)
    : { store: piece.store, from: piece.from + from, to: piece.from + to }

/** What stands from one place to another. */
const between = (pieces: ReadonlyArray<Piece>, from: number, to: number): ReadonlyArray<Piece> => {
  let at = 0
  return pieces.flatMap((piece) => {
    const start = at
    at += lengthOf(piece)
    const [begin, end] = [Math.max(from, start), Math.min(to, at)]
    return begin < end ? [sliced(piece, begin - start, end - start)] : []
  })
}

/**
 * The bytes with these replacements; all others are as they were.
 *
 * @param replacements in the order of their places, none over another
 */
export const replaced = (
  { length, pieces }: StoredBytes,
  replacements: ReadonlyArray<Replacement>,
): StoredBytes => {
  let from = 0
  const parts = replacements.flatMap(({ bytes, end, start }) => {
    const before = between(pieces, from, start)
    from = end
    return [...before, bytes]
  })
  return storedBytes([...parts, ...between(pieces, from, length)])
}
