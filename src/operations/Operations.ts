/** The table of operations. Whatever is said of each of them somewhere else is made of it, or is a record of `OperationName`, which does not compile without all. */
import { speech } from "./audio/Speech.ts"
import { transcriptions } from "./audio/Transcriptions.ts"
import { translations } from "./audio/Translations.ts"
import { chat } from "./chat/Chat.ts"
import { classify } from "./classify/Classify.ts"
import { completions } from "./completions/Completions.ts"
import { embeddings } from "./embeddings/Embeddings.ts"
import { generations } from "./images/Generations.ts"
import { imageEdits } from "./images/ImageEdits.ts"
import { imageVariations } from "./images/ImageVariations.ts"
import { countTokens } from "./messages/CountTokens.ts"
import { messages } from "./messages/MessagesOperation.ts"
import { moderations } from "./moderations/Moderations.ts"
import type { Operation } from "./Operation.ts"
import { pooling } from "./pooling/Pooling.ts"
import { rerank } from "./rerank/Rerank.ts"
import { responses } from "./responses/Responses.ts"
import { score } from "./score/Score.ts"
import { detokenize } from "./tokens/Detokenize.ts"
import { tokenize } from "./tokens/Tokenize.ts"

export type OperationName =
  | "chat.completions"
  | "completions"
  | "responses"
  | "messages"
  | "messages.count_tokens"
  | "embeddings"
  | "moderations"
  | "rerank"
  | "score"
  | "classify"
  | "pooling"
  | "tokenize"
  | "detokenize"
  | "audio.speech"
  | "images.generations"
  | "audio.transcriptions"
  | "audio.translations"
  | "images.edits"
  | "images.variations"

/** An operation of the table. */
export type ServedOperation = Operation<OperationName>

/** The operations by their names, in the order in which they are told. */
export const operations: { readonly [Name in OperationName]: Operation<Name> } = {
  "chat.completions": chat,
  completions,
  responses,
  messages,
  "messages.count_tokens": countTokens,
  embeddings,
  moderations,
  rerank,
  score,
  classify,
  pooling,
  tokenize,
  detokenize,
  "audio.speech": speech,
  "images.generations": generations,
  "audio.transcriptions": transcriptions,
  "audio.translations": translations,
  "images.edits": imageEdits,
  "images.variations": imageVariations,
}

/** All of them, in that order. */
export const allOperations: ReadonlyArray<ServedOperation> = Object.values(operations)

/** The operation that is called so, in an audit of any release. */
export const operationCalled = (name: string): ServedOperation | undefined =>
  allOperations.find((operation) => operation.name === name)
