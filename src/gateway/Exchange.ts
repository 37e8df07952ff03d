/** What the edge and the gateway hand to each other: plain values, which know nothing of servers. */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type { Deadline } from "../access/Deadline.ts"
import type { Ending, RecordDraft, Unsent } from "../audit/record/RecordDraft.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import type { Addressee } from "../errors/faces/Face.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { BodyLimit } from "../errors/RequestErrors.ts"
import type { Form } from "../operations/multipart/Form.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { Intake } from "../wire/Intake.ts"
import type { Relay } from "./Relay.ts"

/** A request as the edge accepted it. Header names are lower-case. */
export interface ClientCall extends Addressee {
  readonly id: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Of the other end of the connection. */
  readonly remoteAddress: string
}

/** What a request asks for that no endpoint serves. */
export interface Unserved {
  readonly method: string
  readonly path: string
}

/**
 * Claims memory for bytes of a body until the request is over; false where there is none left.
 *
 * @param borrows only until what the request was read to is let go of: for that, and for what is made of it
 */
export type Hold = (bytes: number, borrows?: boolean) => boolean

interface AnswerHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The answer for the edge to send. A relay never fails: what breaks it is said in its last event, or interrupts it. */
export interface ClientAnswer extends AnswerHead {
  readonly body: Uint8Array | Relay<unknown>
}

/**
 * What a recorded request is answered with, and how that ended: known with an answer that is whole, told by a relay when it is over. There is no
 * answer without its ending, so that a request without one is known to have been left.
 */
export type RecordedAnswer =
  | (AnswerHead & { readonly body: Uint8Array; readonly ending: Ending })
  | (AnswerHead & { readonly body: Relay<Ending> })

/** The bounds of a body that is to be read. */
export interface WantedBody {
  readonly limit: BodyLimit
  /** To be told of every byte before it is kept. */
  readonly hold: Hold
  /** What takes it instead of memory, where it is a form. */
  readonly form: FormIntake | undefined
  /** Takes a body that is handed on as it comes; then none is given to the answer. Nothing where there is none. */
  readonly pass?: (body: PassingBody | undefined) => void
}

/** A body that is handed on as it comes. */
export interface PassingBody {
  /** As its head says, where it does. */
  readonly length: number | undefined
  /** To be read once. Ends in an error where it is longer than it may be. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** How many bytes have come. */
  readonly received: () => number
  /** Why it is not handed on to its end, where that is its own fault. */
  readonly fault: () => GatewayError | undefined
}

/**
 * Begins to take a form.
 *
 * @param done called with the form once it is whole, or with why there is none
 */
export type FormIntake = (done: (form: Either.Either<Form, GatewayError>) => void) => Intake

/** A body that would hold the event loop too long: as it came, in pieces that a thread can read. */
export interface LongBody {
  readonly pieces: ReadonlyArray<Uint8Array>
}

/** A whole body, or why there is none. */
export type ReadBody = Either.Either<Uint8Array | LongBody | Form, GatewayError>

/** What is to be told of the end of a request. One object for all of it. */
export interface Ends {
  /**
   * To be called when it is cut before anything of its answer was sent: what ends with it says so. Gives the answer to send instead, once that has
   * ended.
   */
  giveUp?(when: string): () => ClientAnswer
  /**
   * To be called when the request is over, however it ended, and the last byte of its answer is out, or never will be: gives back what it still holds,
   * hands its record to the audit and writes its line in the access log. No finalizer of a scope, which would cost as much as the rest of the frame.
   */
  close(unsent: Unsent | undefined): void
}

/** A request that was taken on. */
export interface Served {
  /** The body that has to be read before it can be answered: before its fiber starts, which would only have to wait for it. */
  readonly wanted: WantedBody | undefined
  /** To be run once, and sent; given the body, where one was wanted. */
  readonly answer: (body: ReadBody) => Effect.Effect<ClientAnswer>
  /** Nobody this gateway knows, or nothing it serves: it may cost as little as can be. */
  readonly isStranger: boolean
  /** When the time for it is over, its answer sent. */
  readonly deadline: Deadline | undefined
  /** Nothing where it leaves no trace. */
  readonly ends: Ends | undefined
  /** No web page of another site may read the answer. */
  readonly isForOperators?: true
}

/** What a request is answered with and from. */
export interface RequestFrame {
  readonly snapshot: Snapshot
  readonly draft: RecordDraft
  readonly hold: Hold
  /** What no upstream is to repeat: the secrets of the configuration, and the client's key where it is sent on. */
  readonly secrets: Secrets
  /** Counts events of an upstream that were no JSON objects; they have one line in the log. */
  readonly onPassedOver: (upstream: string, events?: number) => void
}
