/** A client's request for text: decoded as far as the gateway reads it, otherwise carried as it came. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { unresumableRequest } from "../../resume/ResumeBody.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { invalid, invalidFor, type JsonRequest, readJson } from "../JsonRequest.ts"
import type { RequestFacts } from "../Operation.ts"
import { choicesAsked } from "./Choices.ts"
import { isMultimodal } from "./Messages.ts"
import type { TextInput } from "./TextInput.ts"

export interface TextRequest extends RequestFacts, JsonRequest {
  readonly input: TextInput
  /** Empty for an input that has none. */
  readonly messages: ReadonlyArray<JsonObject>
}

const isFilledArray = (value: Json | undefined): boolean => isJsonArray(value) && value.length > 0

/** Reads a request body (`Operation.decode`). */
export const decode = (
  input: TextInput,
  received: Uint8Array,
  deployment?: string,
): Either.Either<TextRequest, InvalidRequest> => {
  const json = readJson(received, input.decidedBy, deployment)
  return Either.isLeft(json)
    ? Either.left(json.left)
    : Either.mapLeft(read(input, json.right), invalidFor(json.right.model))
}

/** The rest of `decode`, of a request whose model is known. */
const read = (
  input: TextInput,
  { body, bytes, model, text }: JsonRequest,
): Either.Either<TextRequest, InvalidRequest> => {
  const { stream = null, stream_options: streamOptions = null } = body
  const messages = input.messagesIn(body)
  if (Either.isLeft(messages)) return Either.left(messages.left)

  if (stream !== null && typeof stream !== "boolean") return invalid("stream", "`stream` must be a boolean.")
  if (streamOptions !== null && !isJsonObject(streamOptions)) {
    return invalid("stream_options", "`stream_options` must be an object.")
  }
  const includeUsage = streamOptions?.["include_usage"] ?? false
  if (typeof includeUsage !== "boolean") {
    return invalid("stream_options.include_usage", "`stream_options.include_usage` must be a boolean.")
  }

  return Either.right({
    input,
    model,
    stream: stream ?? false,
    includeUsage,
    tools: isFilledArray(body["tools"]) || isFilledArray(body["functions"]),
    multimodal: messages.right.some((message) => isMultimodal(message["content"])),
    choices: choicesAsked(body),
    unresumable: unresumableRequest(input, body),
    continues: undefined,
    messages: messages.right,
    body,
    bytes,
    text,
  })
}
