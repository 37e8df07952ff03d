/** What an error of an upstream says: its words, code and type, in whichever provider's shape it comes. */
import { clipped } from "../wire/Clipped.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { parseJson } from "../wire/JsonBytes.ts"

/** An error as it is told, in the members of OpenAI's. Further members of a provider's own error stay with it. */
export interface ShapedError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
}

/** The most of a message that is told; and of a type, a code, a parameter. */
const maxMessage = 4_000
const maxName = 200

/** Words, or a number in their place. */
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

/** Its code, under whichever name. */
const codeIn = (error: JsonObject): string | undefined =>
  name(error["code"]) ?? name(error["error_code"]) ?? name(error["status_code"]) ?? name(error["errcode"])

/** Its type; one that says no more than that it is an error is none. */
const typeIn = (type: Json | undefined): string | undefined => (type === "error" ? undefined : name(type))

/** The error that a body tells of. */
export interface SaidError {
  readonly message: string
  /** The provider's own members of it. */
  readonly error: JsonObject
  /** Members of the body that are not the error's. */
  readonly beside: JsonObject
}

/** Of a list the first object. */
export const firstObject = (values: Json | undefined): JsonObject | undefined =>
  isJsonArray(values) ? values.find(isJsonObject) : undefined

/** Whether the error is a member of the body, as OpenAI has it, is one of a list there, or the body itself. */
const placed = (body: JsonObject): Pick<SaidError, "beside" | "error"> => {
  const { error, ...beside } = body
  if (isJsonObject(error)) return { error, beside }
  const listed = firstObject(body["errors"])
  // What Ollama and xAI say as a mere text stands as the message.
  return { error: listed !== undefined && wordsIn(body) === undefined ? listed : body, beside: {} }
}

/** The same of a body that is read. */
export const saidIn = (body: JsonObject): SaidError | undefined => {
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

/** The four members as they are told. */
export const parts = (error: JsonObject, message: string): ShapedError => ({
  message: clipped(message, maxMessage),
  type: typeIn(error["type"]) ?? typeIn(error["error_type"]) ?? "upstream_error",
  param: name(error["param"]) ?? null,
  code: codeIn(error) ?? codeIn(baseOf(error)) ?? null,
})

const wordless = "The upstream reported an error without a message."

/** The four members of an error that is a word, a list of either, an object, or an answer as a whole. */
export const named = (error: Json): ShapedError => {
  if (isJsonArray(error))
    return named(error.find((one) => isJsonObject(one) || text(one) !== undefined) ?? {})
  if (!isJsonObject(error)) return parts({}, text(error) ?? wordless)
  const said = saidIn(error)
  return parts(said?.error ?? error, said?.message ?? wordless)
}
