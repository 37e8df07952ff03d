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
import { compact } from "./responses/Compact.ts"
import { inputTokens } from "./responses/InputTokens.ts"
import { responses } from "./responses/Responses.ts"
import { type StoredResponseName, storedOperations } from "./responses/StoredResponses.ts"
import { score } from "./score/Score.ts"
import { detokenize } from "./tokens/Detokenize.ts"
import { tokenize } from "./tokens/Tokenize.ts"

export type OperationName =
  | "chat.completions"
  | "completions"
  | "responses"
  | "responses.compact"
  | "responses.input_tokens"
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

/** An operation of the table, or one that is asked by an id. */
export type ServedName = OperationName | StoredResponseName

export type ServedOperation = Operation<ServedName>

/** The operations by their names, in the order in which they are told. */
export const operations: { readonly [Name in OperationName]: Operation<Name> } = {
  "chat.completions": chat,
  completions,
  responses,
  "responses.compact": compact,
  "responses.input_tokens": inputTokens,
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

/** All of the table, in that order. */
export const allOperations: ReadonlyArray<Operation<OperationName>> = Object.values(operations)

/** Those of the table and those that are asked by an id. */
export const operationsByName: { readonly [Name in ServedName]: Operation<Name> } = {
  ...operations,
  ...storedOperations,
}

/** All that are served, in that order. */
export const servedOperations: ReadonlyArray<ServedOperation> = Object.values(operationsByName)

/** The operation that is called so, in an audit of any release. */
export const operationCalled = (name: string): ServedOperation | undefined =>
  servedOperations.find((operation) => operation.name === name)
