/** What the body of an answer comes to, whoever reads it. */
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { EventReader } from "../answer/EventReader.ts"
import type { BegunAnswer, RelayedForm } from "../answer/RelayedAnswer.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { Usage } from "../answer/Usage.ts"
import { faces } from "../errors/faces/Faces.ts"
import { errorData, inOpenAiTerms } from "../errors/faces/OpenAiFace.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import type { HandedOn } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import type { Translation } from "../operations/translation/Translation.ts"
import type { EventSource } from "../wire/EventSource.ts"
import type { JsonObject } from "../wire/Json.ts"
import type { AnswerHead } from "./calls/UpstreamCall.ts"
import type { StreamFault } from "./OpenStream.ts"
import { AttemptFailure, errorInAnswer, type Refused, type ToldFailure } from "./policy/AttemptFailure.ts"
import type { RunAside } from "./RunAside.ts"

/** What a request says of how its answer is read. */
export interface AskedForm {
  /** The request's, which an answer goes by that is translated and has none. */
  readonly requestId: string
  readonly operation: ServedOperation
  readonly stream: boolean
  /** What is no stream, though one was asked for, may be handed on as its bytes come: nothing has been told of a stream yet. */
  readonly mayBeBytes: boolean
  /** How many choices the answer is to have. */
  readonly choices: number
  /** Claims memory for a plain answer; false where there is none left. */
  readonly hold: (bytes: number) => boolean
  readonly aside: RunAside
  /** How it is given out, where it is in another dialect than the caller's. */
  readonly translation: Translation | undefined
  /** Epoch milliseconds. */
  readonly beganAt: number
}

/** Reads one body, until it is known what it comes to. */
export interface BodyReading {
  readonly bytes: (bytes: Uint8Array) => void
  /** No more bytes come: all are here, or something broke. */
  readonly end: (failure: ToldFailure | undefined) => void
  /** Nothing more is to be read, or told. */
  readonly close: () => void
}

/** What an answer comes to. */
export type Read =
  | {
      readonly kind: "plain"
      readonly body: Uint8Array
      readonly answer: JsonObject
      /** What its upstream reported, where the body cannot say that something was not. */
      readonly counts: Usage | undefined
    }
  /** A stream begins, with what the reader kept. */
  | { readonly kind: "begun"; readonly grammar: StreamGrammar; readonly reader: EventReader<StreamFault> }
  /** A plain answer, given out as a stream; the texts of a long one are changed already. */
  | {
      readonly kind: "chunks"
      readonly grammar: StreamGrammar
      readonly events: EventSource<StreamFault>
      readonly isTransformed: boolean
      /** As of a plain answer. */
      readonly counts: Usage | undefined
    }
  /** An answer begins that is handed on as its bytes come. */
  | {
      readonly kind: "relayed"
      readonly plain: HandedOn
      readonly form: RelayedForm
      readonly answer: BegunAnswer
      /** All its bytes are here. */
      readonly isWhole: boolean
    }
  | { readonly kind: "refusal"; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly failure: AttemptFailure }

/** Is told what becomes of an answer. */
export interface ReadingListener {
  /** It is no stream, and its first bytes are here. */
  readonly onBegun: () => void
  /** Told of each event that is no JSON object; called on its own, so that a stream under way keeps no more than it. */
  readonly onPassedOver: () => void
  /** What is to be done to the texts of this answer. */
  readonly transform: () => ChoiceTransform
  /** The last word. */
  readonly onRead: (head: AnswerHead, read: Read) => void
}

/** The most of an error's body that is read: providers who repeat the whole request in it have said what is wrong before. */
export const maxErrorBytes = 64 * 1024

/** To an SDK it would be an empty answer. */
export const saidNothing = (status: number, { silence }: Pick<HandedOn, "silence">): AttemptFailure =>
  AttemptFailure.Unusable({ reason: `answered ${status} and said nothing: ${silence}` })

/** An error of a good status, told in the upstream's own bytes where they have the face of its operation. */
export const refusedIn = (error: ShapedError, said: Uint8Array, { face: name }: ServedOperation): Refused => {
  const isShaped =
    said.length <= maxErrorBytes && faces[name].shapedBody(said, badGateway, undefined) === said
  // What is brought into another face is so when the request that it answers is known.
  return isShaped
    ? errorInAnswer(error.message, said)
    : errorInAnswer(error.message, errorData(error), errorData(inOpenAiTerms(error)))
}

/** As an error is told that came with a good status. */
const badGateway = 502
