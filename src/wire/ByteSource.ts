/** Bytes pushed by whoever reads an upstream, no faster than they are taken. */

/** Takes bytes, and then their end. */
export interface ByteSink<E> {
  readonly onBytes: (bytes: Uint8Array) => void
  /** @param failure why they broke off; nothing where all are there */
  readonly onEnd: (failure: E | undefined) => void
}

export interface ByteSource<E> {
  /** Gives everything to this sink, what came already at once. To be called once. */
  readonly attach: (sink: ByteSink<E>) => void
  /** No more bytes until `resume`, except for those that are on their way. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends the reading; the sink hears nothing any more. */
  readonly close: () => void
}
