/** A body that is read whole, within its limits: its chunks are joined once, since joining them one by one would be quadratic. */
import { AttemptFailure, noMemory } from "../domain/AttemptPolicy.ts"

export class BodyCollector {
  readonly #chunks: Array<Uint8Array> = []
  readonly #limitBytes: number
  readonly #hold: (bytes: number) => boolean
  #size = 0

  /** @param hold is told of all bytes before they are kept; false where there is no memory left for them */
  constructor(limitBytes: number, hold: (bytes: number) => boolean = () => true) {
    this.#limitBytes = limitBytes
    this.#hold = hold
  }

  /** Keeps a chunk, or says why it cannot. */
  keep(chunk: Uint8Array): AttemptFailure | undefined {
    this.#size += chunk.length
    if (this.#size > this.#limitBytes) {
      return AttemptFailure.BrokenOff({ reason: `a body of over ${this.#limitBytes} bytes` })
    }
    if (!this.#hold(chunk.length)) return noMemory
    this.#chunks.push(chunk)
    return undefined
  }

  get size(): number {
    return this.#size
  }

  /** Those that were kept. */
  get chunks(): ReadonlyArray<Uint8Array> {
    return this.#chunks
  }

  whole(): Uint8Array {
    const only = this.#chunks[0]
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#size)
  }
}
