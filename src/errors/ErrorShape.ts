/** The one shape in which a client is told of errors, OpenAI's, and how errors in the shapes of other providers are brought into it. */
import { clipped } from "../wire/Clipped.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { encodeJson, parseJson, rewriteJson } from "../wire/JsonBytes.ts"
import { elementTexts } from "../wire/JsonText.ts"

/** The `error` member of OpenAI's error bodies. Further members of a provider's own error stay with it. */
export interface ShapedError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** The most of a message that is told; of a type, a code, a parameter; and of an error as it is printed, further members included. */
const maxMessage = 4_000
const maxName = 200
const maxPrinted = 32 * 1024

const text = (value: Json | undefined): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined

/** A type, a code or a parameter. */
const name = (value: Json | undefined): string | undefined => {
  const said = text(value)
  return said === undefined ? undefined : clipped(said, maxName)
}

/** What an error says in its own members, under whichever name. */
const ownWords = (error: JsonObject): string | undefined =>
  text(error["message"]) ??
  text(error["msg"]) ??
  text(error["error_msg"]) ??
  text(error["error_message"]) ??
  text(error["errmsg"]) ??
  text(error["status_msg"]) ??
  text(error["error_description"]) ??
  text(error["error"])

const mostDetails = 10

/** One fault of FastAPI's list, such as `body.max_tokens: Input should be a valid integer`. */
const faultIn = ({ loc, msg }: JsonObject): string => {
  const words = text(msg) ?? "is wrong"
  return isJsonArray(loc) ? `${loc.map(text).join(".")}: ${words}` : words
}

/** FastAPI's `detail`: words, an error, or a list of faults. */
const detailIn = (detail: Json | undefined): string | undefined => {
  if (isJsonObject(detail)) return ownWords(detail)
  if (!isJsonArray(detail)) return text(detail)
  const faults = detail.slice(0, mostDetails).filter(isJsonObject).map(faultIn)
  return faults.length === 0 ? undefined : faults.join("; ")
}

/** MiniMax's part of an answer that says how it went. */
const baseOf = ({ base_resp }: JsonObject): JsonObject => (isJsonObject(base_resp) ? base_resp : {})

/** What an error says in words, wherever they stand. Looks only so deep: what it reads may be nested without end. */
const wordsIn = (error: JsonObject): string | undefined =>
  ownWords(error) ?? detailIn(error["detail"]) ?? ownWords(baseOf(error)) ?? text(error["title"])

const codeIn = (error: JsonObject): string | undefined =>
  name(error["code"]) ?? name(error["error_code"]) ?? name(error["status_code"]) ?? name(error["errcode"])

/** A type that says no more than that it is an error is none. */
const typeIn = (type: Json | undefined): string | undefined => (type === "error" ? undefined : name(type))

const parts = (error: JsonObject, message: string): ShapedError => ({
  message: clipped(message, maxMessage),
  type: typeIn(error["type"]) ?? typeIn(error["error_type"]) ?? "upstream_error",
  param: name(error["param"]) ?? null,
  code: codeIn(error) ?? codeIn(baseOf(error)) ?? null,
})

const wordless = "The upstream reported an error without a message."

/** OpenAI's four members of an error that is a word, a list of either, an object, or an answer as a whole. */
export const named = (error: Json): ShapedError => {
  if (isJsonArray(error))
    return named(error.find((one) => isJsonObject(one) || text(one) !== undefined) ?? {})
  if (!isJsonObject(error)) return parts({}, text(error) ?? wordless)
  const said = saidIn(error)
  return parts(said?.error ?? error, said?.message ?? wordless)
}

/** Whatever an upstream calls an error, in OpenAI's shape, with its further members. */
export const shaped = (error: Json): ShapedError =>
  isJsonObject(error) ? { ...error, ...named(error) } : named(error)

/** The body, or the data of an event, that tells a client of an error. */
export const errorData = (error: ShapedError): Uint8Array => {
  // An upstream's further members may be many, or nested too deep to print.
  const whole = encodeJson({ error: { ...error } })
  if (whole !== undefined && whole.length <= maxPrinted) return whole
  const { message, type, param, code } = error
  return encodeJson({ error: { message, type, param, code } }) ?? noData
}

const noData = new Uint8Array()

const isTextOrNull = (value: Json | undefined): boolean => value === null || typeof value === "string"

/** Whether an `error` member is as OpenAI's SDKs declare it. */
const isOpenAi = (error: Json | undefined): boolean =>
  isJsonObject(error) &&
  typeof error["message"] === "string" &&
  error["message"] !== "" &&
  typeof error["type"] === "string" &&
  isTextOrNull(error["param"]) &&
  isTextOrNull(error["code"])

/** The error that a body tells of. */
export interface SaidError {
  readonly message: string
  /** The provider's own members of it. */
  readonly error: JsonObject
  /** Members of the body that are not the error's. */
  readonly beside: JsonObject
}

const firstObject = (values: Json | undefined): JsonObject | undefined =>
  isJsonArray(values) ? values.find(isJsonObject) : undefined

/** Whether the error is a member of the body, as OpenAI has it, is one of a list there, or the body itself. */
const placed = (body: JsonObject): Pick<SaidError, "beside" | "error"> => {
  const { error, ...beside } = body
  if (isJsonObject(error)) return { error, beside }
  const listed = firstObject(body["errors"])
  // What Ollama and xAI say as a mere text stands as the message.
  return { error: listed !== undefined && wordsIn(body) === undefined ? listed : body, beside: {} }
}

const saidIn = (body: JsonObject): SaidError | undefined => {
  const { beside, error } = placed(body)
  const message = wordsIn(error) ?? wordsIn(beside)
  return message === undefined ? undefined : { message, error, beside }
}

/** The error that a body of a status of 400 or more tells of; `undefined` where it says nothing in words. */
export const saidError = (body: Uint8Array): SaidError | undefined => {
  const parsed = parseJson(body)
  // Gemini's errors come in a list.
  const said = isJsonObject(parsed) ? parsed : firstObject(parsed)
  return said === undefined ? undefined : saidIn(said)
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The bytes of the first object of a list. */
const firstIn = (list: Uint8Array, values: Json): Uint8Array => {
  const place = isJsonArray(values) ? values.findIndex(isJsonObject) : -1
  return encoder.encode(elementTexts(decoder.decode(list))[place] ?? "")
}

/** An error body in OpenAI's shape: the same bytes where they have it, and of all that stands there already; `undefined` where they say nothing in words. */
export const shapedBody = (bytes: Uint8Array): Uint8Array | undefined => {
  const parsed = parseJson(bytes)
  const body = isJsonObject(parsed) ? parsed : firstObject(parsed)
  if (parsed === undefined || body === undefined) return undefined
  if (body === parsed && isOpenAi(body["error"])) return bytes
  const said = saidIn(body)
  if (said === undefined) return undefined
  const { error: _, ...members } = said.error
  const told = parts(said.error, said.message)
  const error = { ...members, ...told }
  const own = body === parsed ? bytes : firstIn(bytes, parsed)
  const whole =
    said.error === body
      ? asError(rewriteJson(own, body, error))
      : rewriteJson(own, body, { ...said.beside, error })
  // Further members may be nested too deep to print.
  return whole ?? encodeJson({ error: { ...told } })
}

/** A body that has an error's own bytes. */
const asError = (error: Uint8Array | undefined): Uint8Array | undefined =>
  error === undefined ? undefined : encoder.encode(`{"error":${decoder.decode(error)}}`)
