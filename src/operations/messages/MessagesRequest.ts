/** A request in Anthropic's dialect: decoded as far as the gateway reads it, otherwise carried as it came. */
import * as Either from "effect/Either"
import { blocksOf } from "../../answer/messages/MessageBlocks.ts"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import type { Unresumable } from "../../resume/Unresumable.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { messagesOf } from "../chat/MessagesInput.ts"
import { invalid, invalidFor, type JsonRequest, readJson } from "../JsonRequest.ts"
import { deciding } from "../OneReading.ts"
import type { RequestFacts } from "../Operation.ts"
import { plainFacts } from "../PlainFacts.ts"
import { textOf } from "../text/Messages.ts"

export interface MessagesRequest extends JsonRequest {
  readonly facts: RequestFacts
  readonly messages: ReadonlyArray<JsonObject>
}

/** All members that anything is decided by: the model, the form of the answer, what a target changes, what is told of it, and what it begins with. */
export const decidedBy = deciding([
  "model",
  "messages",
  "system",
  "stream",
  "max_tokens",
  "stop_sequences",
  "tools",
  "thinking",
  "context_management",
  "output_config",
  "output_format",
])

const isFilledArray = (value: Json | undefined): boolean =>
  value !== undefined && isJsonArray(value) && value.length > 0

/** Blocks that hold something else than text. */
const otherThanText: ReadonlySet<unknown> = new Set(["image", "document", "container_upload"])

/** Whether a message holds something that is not text, in what a tool has answered too. */
const isMultimodal = (message: JsonObject): boolean =>
  blocksOf(message).some(
    (block) =>
      otherThanText.has(block["type"]) ||
      (block["type"] === "tool_result" && blocksOf(block).some(({ type }) => otherThanText.has(type))),
  )

const isOn = (thinking: Json | undefined): boolean =>
  thinking !== undefined && isJsonObject(thinking) && thinking["type"] !== "disabled"

/** Why no answer to the request could be resumed from a text: a turn that is begun has no place for the thinking before it, nor for a form. */
export const neverResumable = ({
  output_config: config,
  output_format: format,
  thinking,
}: JsonObject): Unresumable | undefined => {
  if (isOn(thinking)) return "thinking"
  const isFormed = isJsonObject(format) || (isJsonObject(config) && isJsonObject(config["format"]))
  return isFormed ? "grammar" : undefined
}

/** Reads a request body (`Operation.decode`). */
export const decode = (
  received: Uint8Array,
  deployment: string | undefined,
): Either.Either<MessagesRequest, InvalidRequest> =>
  Either.flatMap(readJson(received, decidedBy, deployment), (json) =>
    Either.mapLeft(read(json), invalidFor(json.model)),
  )

/** The rest of `decode`, of a request whose model is known. */
const read = (json: JsonRequest): Either.Either<MessagesRequest, InvalidRequest> => {
  const { body, model } = json
  const messages = messagesOf(body["messages"])
  if (Either.isLeft(messages)) return Either.left(messages.left)
  const stream = body["stream"] ?? false
  if (typeof stream !== "boolean") return invalid("stream", "`stream` must be a boolean.")
  return Either.right({
    ...json,
    messages: messages.right,
    facts: {
      ...plainFacts(model, stream),
      tools: isFilledArray(body["tools"]),
      multimodal: messages.right.some(isMultimodal),
      unresumable: neverResumable(body),
    },
  })
}

/** The instructions and the first turn of the user count with this many UTF-16 units each: a long shared prompt must not drown out the user. */
const leadingLength = 4_096

/** What the conversation begins with, for routing it to the upstream that has it in its cache: it stays the same when later turns are added. */
export const leadOf = ({ body, messages }: MessagesRequest): string => {
  const user = messages.find(({ role }) => role === "user") ?? messages[0]
  return `${textOf(body["system"]).slice(0, leadingLength)}\n${textOf(user?.["content"]).slice(0, leadingLength)}`
}
