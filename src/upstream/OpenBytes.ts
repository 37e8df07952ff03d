/**
 * The bytes of an answer that is the client's, from its first to its last. Like `OpenStream` it knows nothing of what it was asked with.
 */
import type { BegunAnswer } from "../answer/RelayedAnswer.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { ByteSink, ByteSource } from "../wire/ByteSource.ts"
import type { CallListener, OpenCall } from "./calls/UpstreamCall.ts"
import { AttemptFailure, type ToldFailure, toldFailure } from "./policy/AttemptFailure.ts"

const endedInside = AttemptFailure.BrokenOff({ reason: "ended before its JSON was whole" })

/** Mutable on purpose: one call, one socket. */
export class OpenBytes implements CallListener, ByteSource<ToldFailure> {
  readonly #call: OpenCall
  readonly #answer: BegunAnswer | undefined
  readonly #secrets: Secrets
  /** What came before somebody took it. */
  #waiting: Array<Uint8Array>
  #sink: ByteSink<ToldFailure> | undefined
  #end: { readonly failure: ToldFailure | undefined } | undefined

  /** @param answer what its beginning, which it holds, has shown it to be; nothing where it may be anything */
  constructor(call: OpenCall, answer: BegunAnswer | undefined, secrets: Secrets) {
    this.#call = call
    this.#answer = answer
    this.#secrets = secrets
    this.#waiting = [...(answer?.taken() ?? [])]
  }

  onHead(): void {
    // It was there before the first byte.
  }

  onBytes(bytes: Uint8Array): void {
    this.#answer?.take(bytes)
    if (this.#sink !== undefined) {
      this.#sink.onBytes(bytes)
      return
    }
    this.#waiting.push(bytes)
    this.#call.pause()
  }

  onEnd(failure: AttemptFailure | undefined): void {
    const why = failure ?? (this.#answer?.isHalf === true ? endedInside : undefined)
    this.#end = { failure: why === undefined ? undefined : toldFailure(why, this.#secrets) }
    this.#sink?.onEnd(this.#end.failure)
  }

  attach(sink: ByteSink<ToldFailure>): void {
    // First, since the sink may want no more at once; what that brings waits too.
    this.#call.resume()
    this.#sink = sink
    for (const bytes of this.#waiting.splice(0)) sink.onBytes(bytes)
    if (this.#end !== undefined) sink.onEnd(this.#end.failure)
  }

  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  close(): void {
    this.#sink = undefined
    this.#waiting = []
    this.#call.close()
  }
}
