/** What an attempt comes to: the answer for the client, or why there is none. */
import type * as Either from "effect/Either"
import type { RelayedForm } from "../answer/RelayedAnswer.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { Usage } from "../answer/Usage.ts"
import type { AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { Outcome } from "../errors/Outcome.ts"
import type { HandedOn } from "../operations/Operation.ts"
import type { Target } from "../routing/Upstream.ts"
import type { ByteSource } from "../wire/ByteSource.ts"
import type { EventSource } from "../wire/EventSource.ts"
import type { JsonObject } from "../wire/Json.ts"
import type { StreamFault } from "./OpenStream.ts"
import type { ToldFailure, ToldRefusal } from "./policy/AttemptFailure.ts"

interface AnsweredHead {
  readonly target: Target
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export interface AnsweredPlain extends AnsweredHead {
  readonly kind: "plain"
  readonly body: Uint8Array
  /** The body read. */
  readonly answer: JsonObject
  /** What its upstream reported, where the body cannot say that something was not: SDKs need zeros. */
  readonly counts?: Usage | undefined
}

/** No success, and for the client all the same. */
export interface AnsweredRefusal extends AnsweredHead {
  readonly kind: "refusal"
  readonly refused: ToldRefusal
}

export interface AnsweredStream extends AnsweredHead {
  readonly kind: "stream"
  readonly grammar: StreamGrammar
  /** All events, the first one included. */
  readonly events: EventSource<StreamFault>
  /** Its texts are changed already, as they are to be at its target. */
  readonly isTransformed: boolean
  /** What its upstream has reported so far, as of a plain answer. */
  readonly counts?: (() => Usage) | undefined
  /** To be told how the stream ended, for the upstream's breaker; gives back what the attempt holds. */
  readonly ended: (outcome: Outcome) => void
}

/** An answer that is handed on as its bytes come. */
export interface AnsweredBytes extends AnsweredHead {
  readonly kind: "bytes"
  readonly plain: HandedOn
  readonly form: RelayedForm
  /** All bytes, the first one included. */
  readonly bytes: ByteSource<ToldFailure>
  /** What is known of an object, once all its bytes have been read. */
  readonly answer: () => JsonObject | undefined
  /** As of a stream. */
  readonly ended: (outcome: Outcome) => void
}

/** The answer for the client: a plain body, whole, a stream from its first event on, or bytes from the first one on. */
export type Answered = AnsweredBytes | AnsweredPlain | AnsweredRefusal | AnsweredStream

/** An attempt that gave the client's answer. */
export interface Won {
  readonly answered: Answered
  readonly record: AttemptRecord
  /** Gives the answer up: its connection is closed. */
  readonly discard: () => AttemptRecord
}

/** Its answer, or why it gave none. */
export type AttemptResult = Either.Either<Won, ToldFailure>
