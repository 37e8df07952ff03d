/** A body that is not all in memory, as it is sent: read from where it is kept as fast as the upstream takes it, and no faster. */
import { Readable } from "node:stream"
import type { StoredBytes } from "../../wire/StoredBytes.ts"
import type { UpstreamCall } from "./UpstreamCall.ts"

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

async function* passing(
  bytes: AsyncIterable<Uint8Array>,
  onTaken: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of bytes) {
    yield piece
    onTaken()
  }
}

/** Whether a body comes while it is sent. */
export const isPassing = (body: UpstreamCall["body"]): body is AsyncIterable<Uint8Array> =>
  body !== undefined && Symbol.asyncIterator in body

/**
 * @param onTaken called whenever the upstream has taken a piece
 */
export const sentBody = (body: StoredBytes | AsyncIterable<Uint8Array>, onTaken: () => void): Readable =>
  Readable.from(isPassing(body) ? passing(body, onTaken) : piecesOf(body, onTaken), { objectMode: false })
