/**
 * What an upstream's answer says, a plain one and each chunk of a streamed one alike: something, an error, or nothing. Errors come with good
 * statuses, in the middle of streams, and in as many shapes as there are providers.
 */
import { shaped } from "../errors/faces/OpenAiFace.ts"
import { named, type ShapedError } from "../errors/SaidError.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { parseJson } from "../wire/JsonBytes.ts"
import { surelyReadable } from "../wire/JsonOutline.ts"
import type { SseEvent } from "../wire/Sse.ts"

const noChoices: ReadonlyArray<JsonObject> = []

const choicesOf = (answer: JsonObject): ReadonlyArray<JsonObject> => {
  const choices = answer["choices"]
  return isJsonArray(choices) ? choices.filter(isJsonObject) : noChoices
}

/**
 * Reasons of an end that is none: the provider failed in the middle of the answer. Those of OpenRouter and vLLM (`error`), SGLang and vLLM (`abort`),
 * DeepSeek, and Zhipu.
 */
const failingReasons: ReadonlySet<Json | undefined> = new Set([
  "error",
  "ERROR",
  "abort",
  "insufficient_system_resource",
  "network_error",
])

/** Members of a message or a delta that say nothing of the answer. */
const quietMembers: ReadonlySet<string> = new Set(["role", "name", "id", "type", "index", "prefix"])

const isBlank = (value: Json | undefined): boolean => {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true
  return typeof value === "object" && Object.keys(value).length === 0
}

/** Text, reasoning, a tool call, a refusal, audio, images: under whatever name, since each provider has its own for reasoning. */
const holdsSomething = (holder: Json | undefined): boolean => {
  if (!isJsonObject(holder)) return false
  for (const name in holder) if (!quietMembers.has(name) && !isBlank(holder[name])) return true
  return false
}

const speaks = (choice: JsonObject): boolean => {
  const { delta, finish_reason: reason, message, text } = choice
  if (typeof reason === "string" && reason !== "") return true
  return holdsSomething(delta) || holdsSomething(message) || !isBlank(text)
}

/** Whether an answer, or a chunk, says something: a choice of it has a part of the answer, or ends it. */
export const says = (answer: JsonObject): boolean => choicesOf(answer).some(speaks)

const goodWords: ReadonlySet<string> = new Set(["", "0", "200", "ok", "success"])

const isQuiet = (value: Json | undefined): boolean =>
  isBlank(value) || (typeof value !== "object" && goodWords.has(String(value).toLowerCase()))

/**
 * Many send the member with every answer, and leave it empty, or, as Go's servers do, each of its members: such an object or list says nothing beside
 * an answer.
 */
const isError = (error: Json | undefined, isBare: boolean): error is Json => {
  if (typeof error !== "object" || error === null) return !isBlank(error)
  return isBare || !Object.values(error).every(isQuiet)
}

/** Whether a code that relays send with every answer is there, and no good one. */
const isBad = (code: Json | undefined): boolean =>
  (typeof code === "number" || typeof code === "string") && !goodWords.has(String(code).toLowerCase())

const isGood = (code: Json | undefined): boolean => code !== undefined && code !== null && !isBad(code)

const isWords = (value: Json | undefined): boolean => typeof value === "string" && value.trim() !== ""

/** Whether an answer without a word tells, beside or in place of its choices, why it has none. */
const refuses = (answer: JsonObject, isBare: boolean): boolean => {
  const { base_resp: base, success } = answer
  if (isJsonObject(base) && isBad(base["status_code"])) return true
  if (success === false) return true
  const code = answer["code"] ?? answer["error_code"] ?? answer["status_code"] ?? answer["errcode"]
  const words =
    isWords(answer["message"]) ||
    isWords(answer["msg"]) ||
    isWords(answer["error_msg"]) ||
    isWords(answer["error_message"]) ||
    isWords(answer["errmsg"])
  if (isBad(code) && words) return true
  if (!isBare || isGood(code)) return false
  return words || !isBlank(answer["detail"]) || !isBlank(answer["errors"])
}

/** Whether tokens are counted: what has no choice then is the last chunk of an answer. */
const countsTokens = (usage: Json | undefined): boolean =>
  isJsonObject(usage) && Object.values(usage).some((count) => typeof count === "number" && count > 0)

/**
 * The error an answer, or a chunk, is or carries.
 *
 * @param isSaid that it says something, where no choice shows it
 */
export const errorIn = (answer: JsonObject, isSaid = false): ShapedError | undefined => {
  const choices = choicesOf(answer)
  const isBare = choices.length === 0 && !isSaid && !countsTokens(answer["usage"])
  const { error, object, type } = answer
  if (isError(error, isBare)) return shaped(error)
  if (object === "error" || type === "error") return named(answer)
  for (const choice of choices) {
    const { error: ofChoice, finish_reason: reason } = choice
    if (isError(ofChoice, false)) return shaped(ofChoice)
    if (failingReasons.has(reason)) return failedFor(String(reason))
  }
  return !isSaid && refuses(answer, isBare) && !choices.some(speaks) ? named(answer) : undefined
}

const failedFor = (reason: string): ShapedError => ({
  message: `The upstream broke the answer off with the finish reason \`${reason}\`.`,
  type: "upstream_error",
  param: null,
  code: reason,
})

/** What a plain body that came with a good status is. */
export type Verdict =
  | { readonly kind: "answer"; readonly answer: JsonObject }
  | { readonly kind: "error"; readonly error: ShapedError }
  | { readonly kind: "not_json" }
  /** An answer without a word, and without a reason why it has none. */
  | { readonly kind: "silent" }

/**
 * Judges a plain body of a good status: proxies send pages, and some providers errors.
 *
 * @param answer the object that it is, if it is one, or its outline
 * @param saysOf whether an answer of its operation says something
 */
export const judge = (answer: JsonObject | undefined, saysOf: (answer: JsonObject) => boolean): Verdict => {
  if (answer === undefined) return { kind: "not_json" }
  const isSaid = saysOf(answer)
  const error = errorIn(answer, isSaid)
  if (error !== undefined) return { kind: "error", error }
  return isSaid ? { kind: "answer", answer } : { kind: "silent" }
}

const decoder = new TextDecoder()

const smallJson = (data: Uint8Array): Json | undefined =>
  data.length <= surelyReadable ? parseJson(data) : undefined

/** As much of an error that is not JSON as is read. */
const excerptBytes = 1_000

/**
 * The error an event says.
 *
 * @param chunk its data, where that is a JSON object
 */
export const errorOf = (
  { data, event }: SseEvent,
  chunk: JsonObject | undefined,
): ShapedError | undefined => {
  const error = chunk === undefined ? undefined : errorIn(chunk)
  if (event !== "error" || error !== undefined) return error
  return named(chunk ?? smallJson(data) ?? decoder.decode(data.subarray(0, excerptBytes)))
}
