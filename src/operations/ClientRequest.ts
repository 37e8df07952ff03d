/** A client's request for a completion: decoded as far as the gateway reads it, otherwise carried as it came. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors/RequestErrors.ts"
import { unresumableRequest } from "../resume/ResumeBody.ts"
import type { Unresumable } from "../resume/Unresumable.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { faultAt } from "../wire/JsonFault.ts"
import { type ChoicesAsked, choicesAsked } from "./Choices.ts"
import type { Endpoint } from "./Endpoint.ts"
import { isMultimodal, textOf } from "./Messages.ts"
import { type Ambiguity, ambiguityIn } from "./OneReading.ts"

/** What is known of a request once it has been read, whether what it was read to is still there or not. Plain values. */
export interface RequestFacts {
  readonly endpoint: Endpoint
  /** The model asked for. */
  readonly model: string
  readonly stream: boolean
  /** The client itself asked for the usage chunk (`stream_options.include_usage`). */
  readonly includeUsage: boolean
  /** Tools, or functions as they were called before, are offered to the model. */
  readonly tools: boolean
  /** A message holds something that is not text. */
  readonly multimodal: boolean
  readonly choices: ChoicesAsked
  /** Why its answer could never be resumed, whatever it says; `undefined` where it could. */
  readonly unresumable: Unresumable | undefined
}

export interface ClientRequest extends RequestFacts {
  /** Empty for an endpoint that takes none. */
  readonly messages: ReadonlyArray<JsonObject>
  readonly body: JsonObject
  /** The body as it came, without a byte order mark. */
  readonly bytes: Uint8Array
  /** `bytes` decoded. */
  readonly text: string
}

const invalid = (param: string | null, message: string): Either.Either<never, InvalidRequest> =>
  Either.left(new InvalidRequest({ message, param }))

/** The same of a request whose model could be read. */
const invalidFor =
  (model: string) =>
  ({ message, param }: InvalidRequest): InvalidRequest =>
    new InvalidRequest({ message, param, model })

// A second byte order mark is a fault of the JSON.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** RFC 8259 §8.1 lets a reader ignore a byte order mark, and forbids to send one: it does not go on to the upstream. */
export const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** Longer than any provider's names; routing costs more the longer a name is. */
const longestModel = 1_024

/** Locating a fault is for people; a text longer than this is not a slip of one, and not worth a second walk. */
const longestLocated = 262_144

/** Where the text stops being JSON, in words that quote nothing of it. */
const describeFault = (text: string): string => {
  const at = text.length <= longestLocated ? faultAt(text) : undefined
  if (at === undefined) return "The request body is not JSON."
  if (at === text.length) return "The request body is not JSON: it ends before it is complete."
  const lineStart = text.lastIndexOf("\n", at - 1) + 1
  const line = text.slice(0, at).split("\n").length
  return `The request body is not JSON: line ${line}, column ${at - lineStart + 1} is where it goes wrong.`
}

const parse = (
  bytes: Uint8Array,
): Either.Either<readonly [text: string, body: JsonObject], InvalidRequest> => {
  if (bytes.length === 0) return invalid(null, "The request body is empty; a JSON object is expected.")
  const text = Either.try(() => utf8.decode(bytes))
  if (Either.isLeft(text)) return invalid(null, "The request body is not UTF-8 text.")
  const parsed = Either.try((): unknown => JSON.parse(text.right))
  if (Either.isLeft(parsed)) return invalid(null, describeFault(text.right))
  return isJsonObject(parsed.right)
    ? Either.right([text.right, parsed.right])
    : invalid(null, "The request body is JSON, but not an object.")
}

const unclear = ({ name: path, why }: Ambiguity): Either.Either<never, InvalidRequest> =>
  invalid(
    path,
    why === "twice"
      ? `\`${path}\` stands more than once in the request body; say it once, since not every reader takes the same one.`
      : `\`${path}\` is written in another spelling in the request body (in capitals, other letters or with escapes); write it exactly so, and once, since not every reader takes it for the same.`,
  )

const decodeMessages = (
  messages: Json | undefined,
): Either.Either<ReadonlyArray<JsonObject>, InvalidRequest> => {
  if (messages === undefined) return invalid("messages", "`messages` is missing.")
  if (!isJsonArray(messages)) return invalid("messages", "`messages` must be an array.")
  if (messages.length === 0) return invalid("messages", "`messages` is empty; at least one is needed.")
  const objects = messages.filter(isJsonObject)
  if (objects.length === messages.length) return Either.right(objects)
  const index = messages.findIndex((message) => !isJsonObject(message))
  return invalid(`messages[${index}]`, `\`messages[${index}]\` must be an object.`)
}

const isFilledArray = (value: Json | undefined): boolean => isJsonArray(value) && value.length > 0

/**
 * Reads a request body. Refused is only what the gateway could not route or answer, or what others would read otherwise than it does; all
 * else is the upstream's to judge.
 *
 * @param deployment the model of a path that names one, which the body's does not change, nor need be there
 */
export const decode = (
  endpoint: Endpoint,
  received: Uint8Array,
  deployment?: string,
): Either.Either<ClientRequest, InvalidRequest> => {
  const bytes = withoutMark(received)
  const parsed = parse(bytes)
  if (Either.isLeft(parsed)) return Either.left(parsed.left)
  const [text, body] = parsed.right
  const ambiguity = ambiguityIn(text, endpoint.decidedBy)
  if (ambiguity !== undefined) return unclear(ambiguity)

  const model = deployment ?? body["model"]
  if (model === undefined) return invalid("model", "`model` is missing.")
  if (typeof model !== "string") return invalid("model", "`model` must be a string.")
  if (model === "") return invalid("model", "`model` is empty.")
  if (model.length > longestModel) {
    return invalid("model", `\`model\` is longer than ${longestModel} characters.`)
  }
  return Either.mapLeft(read(endpoint, model, bytes, text, body), invalidFor(model))
}

/** The rest of `decode`, of a request whose model is known. */
const read = (
  endpoint: Endpoint,
  model: string,
  bytes: Uint8Array,
  text: string,
  body: JsonObject,
): Either.Either<ClientRequest, InvalidRequest> => {
  const { stream = null, stream_options: streamOptions = null } = body
  const messages = endpoint.input === "messages" ? decodeMessages(body["messages"]) : Either.right([])
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
    endpoint,
    model,
    stream: stream ?? false,
    includeUsage,
    tools: isFilledArray(body["tools"]) || isFilledArray(body["functions"]),
    multimodal: messages.right.some((message) => isMultimodal(message["content"])),
    choices: choicesAsked(body),
    unresumable: unresumableRequest(endpoint, body),
    messages: messages.right,
    body,
    bytes,
    text,
  })
}

/** Instructions and the first user message count with this many UTF-16 units each: a long shared prompt must not drown out the user. */
const leadingLength = 4_096

/** A prompt is one text that grows at its end, so only a short lead of it stays the same. */
const leadingPromptLength = 1_024

const instructionRoles: ReadonlySet<Json | undefined> = new Set(["system", "developer"])

/** How many messages lead: through the first user message, else through the first that is no instruction. */
const leadingCount = (messages: ReadonlyArray<JsonObject>): number => {
  const user = messages.findIndex((message) => message["role"] === "user")
  if (user !== -1) return user + 1
  const turn = messages.findIndex((message) => !instructionRoles.has(message["role"]))
  return turn === -1 ? messages.length : turn + 1
}

const textOfPrompt = (prompt: Json | undefined): string => {
  if (typeof prompt === "string") return prompt.slice(0, leadingPromptLength)
  if (!isJsonArray(prompt)) return ""
  const [first] = prompt
  if (typeof first !== "number") return textOfPrompt(isJsonArray(first) && isJsonArray(first[0]) ? "" : first)
  return prompt.slice(0, leadingPromptLength).join(" ")
}

/**
 * What the conversation begins with, for routing it to the upstream that has it in its prefix cache: everything up to and
 * including the first user message, each side bounded. It stays the same when later turns are added. For completions it
 * is the lead of the (first) prompt, text or tokens.
 */
export const affinity = (request: ClientRequest): string => {
  if (request.endpoint.input === "prompt") return textOfPrompt(request.body["prompt"])
  const count = leadingCount(request.messages)
  const before: Array<string> = []
  let length = 0
  for (const message of request.messages.slice(0, count - 1)) {
    if (length >= leadingLength) break
    const text = textOf(message["content"])
    before.push(text)
    length += text.length
  }
  const last = textOf(request.messages[count - 1]?.["content"])
  return `${before.join("\n").slice(0, leadingLength)}\n${last.slice(0, leadingLength)}`
}
