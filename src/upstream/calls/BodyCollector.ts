/** A body that is read whole, within its limits: put together as it comes, so that nobody waits for megabytes to be joined. */
import { append, type GrowingBytes } from "../../wire/GrowingBytes.ts"
import { AttemptFailure, noMemory } from "../policy/AttemptFailure.ts"

const nothing = new Uint8Array()

export class BodyCollector {
  #body: GrowingBytes | undefined
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
    this.#body = append(this.#body, chunk, this.#limitBytes)
    return undefined
  }

  get size(): number {
    return this.#size
  }

  /** All that was kept. */
  whole(): Uint8Array {
    return this.#body?.bytes ?? nothing
  }
}
