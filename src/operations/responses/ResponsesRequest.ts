/** What is asked of `/v1/responses`, and of those beside it that read the same request: decoded as far as the gateway reads it, otherwise carried as it came. */
import * as Either from "effect/Either"
import { isReasoning } from "../../answer/responses/ResponseTexts.ts"
import { isMarkedItem, sealedIn } from "../../answer/responses/SealedItem.ts"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { endOf } from "../../routing/Mark.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { invalid, invalidFor, type JsonRequest, readJson } from "../JsonRequest.ts"
import { deciding } from "../OneReading.ts"
import type { Continued, RequestFacts } from "../Operation.ts"
import { plainFacts } from "../PlainFacts.ts"
import { textOf } from "../text/Messages.ts"

export interface ResponsesRequest extends RequestFacts, JsonRequest {}

export const decidedBy = deciding([
  "model",
  "input",
  "instructions",
  "previous_response_id",
  "conversation",
  "stream",
  "tools",
  "max_output_tokens",
  "prompt_cache_key",
])

const textualParts: ReadonlySet<Json | undefined> = new Set([
  "input_text",
  "output_text",
  "refusal",
  "summary_text",
  "reasoning_text",
  undefined,
])

const holdsOther = (content: Json | undefined): boolean =>
  isJsonArray(content) && content.some((part) => isJsonObject(part) && !textualParts.has(part["type"]))

const itemsIn = (input: Json | undefined): ReadonlyArray<JsonObject> =>
  input !== undefined && isJsonArray(input) ? input.filter(isJsonObject) : []

/** The input holds something that is not text: an image or a file of a message, or of what a tool gave. */
const isMultimodal = (input: Json | undefined): boolean =>
  itemsIn(input).some(({ content, output }) => holdsOther(content) || holdsOther(output))

const isFilled = (value: Json | undefined): boolean =>
  value !== undefined && isJsonArray(value) && value.length > 0

/** An item that its upstream keeps, and of which a request has no more than its id. */
const isReference = ({ id, role, type = null }: JsonObject): boolean =>
  type === "item_reference" || (type === null && role === undefined && typeof id === "string")

/**
 * What it goes on from that one upstream keeps, or alone can read. Reasoning is not counted: a conversation goes on without it, but not without what was
 * made of it when it was made shorter.
 */
const continuedBy = (
  { conversation = null, input }: JsonObject,
  previous: string | null,
): Continued | undefined => {
  if (previous !== null) return { kind: "response", id: previous, param: "previous_response_id" }
  const items = itemsIn(input)
  const sealed = items.filter((item) => sealedIn(item) !== undefined && !isReasoning(item))
  const given = sealed.findLast(isMarkedItem)
  if (given !== undefined) return { kind: "sealed", sealed: endOf(sealedIn(given) ?? "") }
  if (conversation !== null) return { kind: "unmarked", madeAt: "/v1/conversations" }
  return sealed.length > 0 || items.some(isReference) ? { kind: "unmarked", madeAt: undefined } : undefined
}

/** Reads a request body (`Operation.decode`). */
export const decode = (
  received: Uint8Array,
  deployment: string | undefined,
): Either.Either<ResponsesRequest, InvalidRequest> => {
  const json = readJson(received, decidedBy, deployment)
  return Either.isLeft(json)
    ? Either.left(json.left)
    : Either.mapLeft(read(json.right), invalidFor(json.right.model))
}

const read = (request: JsonRequest): Either.Either<ResponsesRequest, InvalidRequest> => {
  const { body } = request
  const { previous_response_id: previous = null, stream = null } = body
  if (stream !== null && typeof stream !== "boolean") return invalid("stream", "`stream` must be a boolean.")
  if (previous !== null && typeof previous !== "string") {
    return invalid("previous_response_id", "`previous_response_id` must be a string.")
  }
  return Either.right({
    ...request,
    ...plainFacts(request.model, stream ?? false),
    tools: isFilled(body["tools"]),
    multimodal: isMultimodal(body["input"]),
    continues: continuedBy(body, previous),
  })
}

/** Instructions and the first message of the user count with this many UTF-16 units each: a long shared prompt must not drown out the user. */
const leadingLength = 4_096

/** What the conversation begins with: the name of its cache, where the client gave it one, else its instructions and first message of the user. */
export const affinityOf = ({ body }: JsonRequest): string => {
  const { input, instructions, prompt_cache_key: cache } = body
  if (typeof cache === "string" && cache !== "") return cache.slice(0, leadingLength)
  const first =
    typeof input === "string"
      ? input
      : textOf(itemsIn(input).find(({ role }) => role === "user")?.["content"])
  return `${textOf(instructions).slice(0, leadingLength)}\n${first.slice(0, leadingLength)}`
}
