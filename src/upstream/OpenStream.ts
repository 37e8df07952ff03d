/**
 * A stream that is the client's answer, from its first event to its end. It knows nothing of what it was asked with: a stream may take minutes, and
 * its request be megabytes in several forms.
 */
import type { EventReader, EventTooLarge } from "../answer/EventReader.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { EventSink, EventSource } from "../wire/EventSource.ts"
import type { CallListener, OpenCall } from "./calls/UpstreamCall.ts"
import { type AttemptFailure, type ToldFailure, toldFailure } from "./policy/AttemptFailure.ts"
import { reasonOf } from "./policy/FailureWords.ts"

/** What can break a stream that has begun. */
export type StreamFault = ToldFailure | EventTooLarge

/** The same in a few words for the client. */
export const streamFaultReason = (fault: StreamFault): string =>
  fault._tag !== "EventTooLarge"
    ? `it ${reasonOf(fault)}`
    : fault.of === "event"
      ? `one event was over ${fault.limitBytes} bytes`
      : `one event had over ${fault.limitBytes} bytes outside of its texts`

/** Mutable on purpose: one call, one socket. */
export class OpenStream implements CallListener, EventSource<StreamFault> {
  readonly #call: OpenCall
  readonly #reader: EventReader<StreamFault>
  readonly #secrets: Secrets
  /** Until somebody takes its events, few are read. */
  #isAwaited = true

  constructor(call: OpenCall, reader: EventReader<StreamFault>, secrets: Secrets) {
    this.#call = call
    this.#reader = reader
    this.#secrets = secrets
  }

  onHead(): void {
    // It was there before the first event.
  }

  onBytes(bytes: Uint8Array): void {
    this.#reader.read(bytes)
    if (this.#reader.excess !== undefined) this.#call.close()
    else if (this.#isAwaited) this.#call.pause()
  }

  onEnd(failure: AttemptFailure | undefined): void {
    this.#reader.end(
      failure === undefined
        ? { kind: "ended" }
        : { kind: "failed", error: toldFailure(failure, this.#secrets) },
    )
  }

  attach(sink: EventSink<StreamFault>): void {
    this.#isAwaited = false
    // First, since the sink may want no more at once.
    this.#call.resume()
    this.#reader.attach(sink)
  }

  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  close(): void {
    this.#call.close()
  }
}
