/** A body that is not all in memory, as it is sent: read from where it is kept as fast as the upstream takes it, and no faster. */
import { Readable } from "node:stream"
import type { StoredBytes } from "../../wire/StoredBytes.ts"

async function* piecesOf(
  { pieces }: StoredBytes,
  onTaken: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      if (piece.length > 0) yield piece
      onTaken()
    } else {
      for await (const bytes of piece.store.read(piece.from, piece.to)) {
        yield bytes
        onTaken()
      }
    }
  }
}

/**
 * @param onTaken called whenever the upstream has taken a piece
 */
export const sentBody = (body: StoredBytes, onTaken: () => void): Readable =>
  Readable.from(piecesOf(body, onTaken), { objectMode: false })
