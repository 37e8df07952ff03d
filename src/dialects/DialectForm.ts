/**
 * A conversation dialect to and from the neutral form: readers and writers of requests and of whole answers, which are pure, and of events, each of which
 * is one stream and mutable on purpose. Nothing is translated from one dialect to another but through this, and what is asked and answered in one dialect
 * never goes through it.
 */
import type * as Either from "effect/Either"
import type { InvalidRequest } from "../errors/RequestErrors.ts"
import type { Dialect } from "../routing/Dialect.ts"
import type { ModelAbilities } from "../routing/ModelAbilities.ts"
import type { JsonObject } from "../wire/Json.ts"
import type { Running } from "../wire/Machine.ts"
import type { SseEvent } from "../wire/Sse.ts"
import type { AnswerEvent, NeutralAnswer } from "./Answer.ts"
import type { Conversation } from "./Conversation.ts"
import type { Loss } from "./Loss.ts"
import type { ToolCalling } from "./Part.ts"

export interface DialectForm {
  readonly dialect: Dialect
  /** The members of a request that its answer repeats (`AskedFor.repeated`). */
  readonly repeated: ReadonlySet<string>
  /** Refused is only what cannot be understood at all; what has no place in the neutral form is `foreign`. */
  readonly readRequest: (body: JsonObject) => Either.Either<Conversation, InvalidRequest>
  readonly writeRequest: (conversation: Conversation, target: WriteFor) => WrittenRequest
  /**
   * `undefined` where it is no answer.
   *
   * @param bytes of the answer, of which the inputs of calls are taken digit by digit
   */
  readonly readAnswer: (answer: JsonObject, bytes?: Uint8Array) => NeutralAnswer | undefined
  readonly writeAnswer: (answer: NeutralAnswer, asked: AskedFor) => JsonObject
  /** The bytes of a written answer in which inputs of calls are as they were said; absent where they are texts in it anyway. */
  readonly exactBytes?: (bytes: Uint8Array, parts: NeutralAnswer["parts"]) => Uint8Array
  /** @param ownId the id of an answer whose upstream tells none */
  readonly readEvents: (ownId?: string) => EventReading
  readonly writeEvents: (asked: AskedFor) => Running<AnswerEvent, SseEvent>
}

/** A streamed answer being read. */
export interface EventReading extends Running<SseEvent, AnswerEvent> {
  /** All has been said: only counts and the end are to come, which some upstreams leave out. Then `rest` tells the end. */
  readonly isFinished: boolean
}

/** Whom a request is written for. */
export interface WriteFor {
  /** Its own name for the model. */
  readonly model: string
  readonly abilities: ModelAbilities
  /** Its name: seals of others are left out. */
  readonly upstream: string
  /** Messages: whether what the caller did not mark for a cache is marked. */
  readonly cacheMarks: "auto" | "keep"
}

export interface WrittenRequest {
  readonly body: JsonObject
  readonly losses: ReadonlyArray<Loss>
  /** What of tools was written otherwise than the caller says it: taken back in answers. */
  readonly renamed: ReadonlyArray<RenamedTool>
  /** Marks for a cache stand in it that the caller did not set. */
  readonly hasOwnMarks?: boolean
}

export interface RenamedTool {
  /** As it was sent. */
  readonly sent: string
  /** As the caller calls it. */
  readonly name: string
  /** Sent as a function that takes `{ "input": text }`, since the target knows no tools that take any text. */
  readonly isFreeForm: boolean
  readonly calling?: ToolCalling | undefined
}

/** What an answer has to fit to. Plain values: long answers are translated in another thread. */
export interface AskedFor {
  /** The upstream that answers, whose seals name it. */
  readonly upstream: string
  /** Seconds since 1970: when it was asked, for answers that do not say when they were made. */
  readonly askedAt: number
  /** The caller's own request, of which responses repeat members; only those that are repeated. */
  readonly repeated: JsonObject
}
