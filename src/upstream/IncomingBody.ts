/**
 * An answer's body on its way from the socket to the one fiber that reads it: what came while nobody read waits, and when that is much
 * the socket is told to stop.
 *
 * It stands in for Node's `Readable`, which takes about as long per answer as all else undici does.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/** What is read next: chunks as they came, the failure that broke the body, or nothing at its end. */
export type Pull<E> = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>

/** As much waits before the socket is told to stop, in bytes; what was on its way comes on top. */
const highWaterBytes = 64 * 1024

export class IncomingBody<E> {
  #chunks: Array<Uint8Array> = []
  #bytes = 0
  #end: Effect.Effect<never, Option.Option<E>> | undefined
  #reader: ((pull: Pull<E>) => void) | undefined
  /** Lets the socket go on; there while it is stopped. */
  #resume: (() => void) | undefined

  /** Takes a chunk. Where too much waits, `stop` is called, and gives the way to go on. */
  give(chunk: Uint8Array, stop: () => () => void): void {
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      reader(Effect.succeed(Chunk.of(chunk)))
      return
    }
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= highWaterBytes && this.#resume === undefined) this.#resume = stop()
  }

  /** Nothing more comes, for the reason given or because that was all. Only the first end counts. */
  end(failure: Option.Option<E>): void {
    if (this.#end !== undefined) return
    this.#end = Effect.fail(failure)
    const reader = this.#reader
    this.#reader = undefined
    reader?.(this.#end)
  }

  /** For one fiber at a time. */
  readonly pull: Pull<E> = Effect.suspend((): Pull<E> => {
    if (this.#chunks.length > 0) return Effect.succeed(this.#takeAll())
    if (this.#end !== undefined) return this.#end
    return Effect.async((resume) => {
      this.#reader = resume
      return Effect.sync(() => {
        this.#reader = undefined
      })
    })
  })

  #takeAll(): Chunk.Chunk<Uint8Array> {
    const chunks = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
    return Chunk.unsafeFromArray(chunks)
  }
}
