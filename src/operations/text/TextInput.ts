/** What an operation that asks for text is given: the messages of a chat, or a prompt. */
import type * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import type { ResumableInput } from "../../resume/ResumeBody.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { type Deciding, deciding } from "../OneReading.ts"

export interface TextInput extends ResumableInput {
  /** All members of a request that anything is decided by, here or on its way back. */
  readonly decidedBy: Deciding
  /** The messages of a request; none where it has none. */
  readonly messagesIn: (body: JsonObject) => Either.Either<ReadonlyArray<JsonObject>, InvalidRequest>
  /** What a request begins with, which stays the same as it grows; bounded. */
  readonly affinity: (body: JsonObject, messages: ReadonlyArray<JsonObject>) => string
}

/** Of every operation that asks for text: routing, caps, stop words, the form of the answer, and how many there are. */
const ofText = [
  "model",
  "stream",
  "stream_options",
  "stop",
  "max_tokens",
  "max_completion_tokens",
  "n",
  "best_of",
  "echo",
  "prompt",
  "tools",
  "functions",
]

/** Of its members, what is decided by within them. */
const within = { stream_options: deciding(["include_usage"]) }

/** Those, and more. */
export const decidingText = (more: ReadonlyArray<string>): Deciding => deciding([...ofText, ...more], within)
