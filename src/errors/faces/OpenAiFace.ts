/** Errors as OpenAI's clients expect them: `{"error":{…}}`, in bodies and in events. Errors in the shapes of other providers are brought into it. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson, parseJson, rewriteJson } from "../../wire/JsonBytes.ts"
import { elementTexts } from "../../wire/JsonText.ts"
import type { Declaration } from "../Declaration.ts"
import { firstObject, named, parts, type ShapedError, saidIn } from "../SaidError.ts"
import type { Face } from "./Face.ts"
import { inOpenAiWords, tooLongCode, tooLongIn } from "./TooLong.ts"

/** The most of an error as it is printed, further members included. */
const maxPrinted = 32 * 1024

/** Types that Anthropic alone has, as OpenAI calls the same: its type, and its code. */
const typesOfAnthropic: ReadonlyMap<string, readonly [type: string, code: string | null]> = new Map([
  ["authentication_error", ["invalid_request_error", "invalid_api_key"]],
  ["billing_error", ["insufficient_quota", "insufficient_quota"]],
  ["not_found_error", ["invalid_request_error", null]],
  ["conflict_error", ["invalid_request_error", "conflict"]],
  ["request_too_large", ["invalid_request_error", "request_too_large"]],
  ["rate_limit_error", ["rate_limit_exceeded", "rate_limit_exceeded"]],
  ["api_error", ["server_error", null]],
  ["timeout_error", ["server_error", "timeout"]],
  ["overloaded_error", ["server_error", "overloaded"]],
])

/** Anthropic names a model it does not have so. */
const namesModel = /^model: /

const inOwnTypes = (error: ShapedError): ShapedError => {
  const own = typesOfAnthropic.get(error.type)
  if (own === undefined) return error
  const [type, code] = own
  const isModel = error.type === "not_found_error" && namesModel.test(error.message)
  return { ...error, type, code: error.code ?? (isModel ? "model_not_found" : code) }
}

/**
 * An error of another family's, in the words, the type and the code that OpenAI has for it.
 *
 * @param members the provider's own
 */
export const inOpenAiTerms = (error: ShapedError, members?: JsonObject): ShapedError => {
  const tooLong = tooLongIn(error, members)
  if (tooLong === undefined) return inOwnTypes(error)
  return {
    ...error,
    message: inOpenAiWords(tooLong, error),
    type: error.type === "upstream_error" ? "invalid_request_error" : error.type,
    code: tooLongCode,
  }
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

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The bytes of the first object of a list. */
const firstIn = (list: Uint8Array, values: Json): Uint8Array => {
  const place = isJsonArray(values) ? values.findIndex(isJsonObject) : -1
  return encoder.encode(elementTexts(decoder.decode(list))[place] ?? "")
}

/** Members beside an error, without Anthropic's word that it is one. */
const besideIn = (beside: JsonObject): JsonObject => {
  const { type, ...others } = beside
  return type === "error" ? others : beside
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
  const told = inOpenAiTerms(parts(said.error, said.message), said.error)
  const error = { ...members, ...told }
  const own = body === parsed ? bytes : firstIn(bytes, parsed)
  const whole =
    said.error === body
      ? asError(rewriteJson(own, body, error))
      : rewriteJson(own, body, { ...besideIn(said.beside), error })
  // Further members may be nested too deep to print.
  return whole ?? encodeJson({ error: { ...told } })
}

/** A body that has an error's own bytes. */
const asError = (error: Uint8Array | undefined): Uint8Array | undefined =>
  error === undefined ? undefined : encoder.encode(`{"error":${decoder.decode(error)}}`)

/** The body of an error of this gateway's own. */
const ownBody = ({ code, message, param, type }: Declaration): Uint8Array =>
  encoder.encode(JSON.stringify({ error: { message, type, param, code } }))

export const openAiFace: Face = { ownBody, shapedBody, errorData }
