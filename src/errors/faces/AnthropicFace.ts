/** Errors as Anthropic's clients expect them: `{"type":"error","error":{"type","message"},"request_id"}`, in bodies and in events. */
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { parseJson } from "../../wire/JsonBytes.ts"
import { firstObject, parts, type ShapedError, saidIn } from "../SaidError.ts"
import type { Face } from "./Face.ts"
import { inAnthropicWords, tooLongCode, tooLongIn } from "./TooLong.ts"

/** The types by the statuses that Anthropic gives them with. */
const typesByStatus: ReadonlyMap<number, string> = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [408, "timeout_error"],
  [409, "conflict_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
])

const ownTypes: ReadonlySet<string> = new Set([...typesByStatus.values(), "api_error"])

/** What others call an error, in place of a status. */
const typesByName: ReadonlyMap<string, string> = new Map([
  ["invalid_request_error", "invalid_request_error"],
  ["rate_limit_exceeded", "rate_limit_error"],
  ["insufficient_quota", "billing_error"],
  ["invalid_prompt", "invalid_request_error"],
  ["overloaded", "overloaded_error"],
  ["server_is_overloaded", "overloaded_error"],
  ["shutting_down", "overloaded_error"],
])

const typeOfStatus = (status: number): string =>
  typesByStatus.get(status) ?? (status < 500 ? "invalid_request_error" : "api_error")

/** The type of an error that came with a status: that the account has no money left OpenAI says with that of its rate limits. */
const typeAt = ({ code, type }: ShapedError, status: number): string => {
  if (ownTypes.has(type)) return type
  return status === 429 && (code === "insufficient_quota" || type === "insufficient_quota")
    ? "billing_error"
    : typeOfStatus(status)
}

/** The type of an error that has no status of its own, unless its code is one. */
const typeOfSaid = ({ code, type }: ShapedError): string => {
  if (ownTypes.has(type)) return type
  const status = Number(code)
  if (status >= 400 && status <= 599) return typeOfStatus(status)
  return typesByName.get(code ?? "") ?? typesByName.get(type) ?? "api_error"
}

const encoder = new TextEncoder()

const encoded = (type: string, message: string, requestId: string | undefined): Uint8Array =>
  encoder.encode(JSON.stringify({ type: "error", error: { type, message }, request_id: requestId ?? null }))

/**
 * An error of another family's.
 *
 * @param members the provider's own
 */
const encodedOf = (
  error: ShapedError,
  type: string,
  requestId: string | undefined,
  members?: JsonObject,
): Uint8Array => {
  const tooLong = tooLongIn(error, members)
  return tooLong === undefined
    ? encoded(type, error.message, requestId)
    : encoded("invalid_request_error", inAnthropicWords(tooLong, error), requestId)
}

const isWords = (value: Json | undefined): boolean => typeof value === "string" && value !== ""

/** An error of OpenAI's responses has the same envelope, and a code in it. */
const isAnthropic = ({ error, type }: JsonObject): boolean =>
  type === "error" &&
  isJsonObject(error) &&
  isWords(error["type"]) &&
  isWords(error["message"]) &&
  error["code"] !== tooLongCode

export const anthropicFace: Face = {
  ownBody: ({ anthropicMessage, message, status }, requestId) =>
    encoded(typeOfStatus(status), anthropicMessage ?? message, requestId),

  shapedBody: (bytes, status, requestId) => {
    const parsed = parseJson(bytes)
    const body = isJsonObject(parsed) ? parsed : firstObject(parsed)
    if (body === undefined) return undefined
    if (body === parsed && isAnthropic(body)) return bytes
    const said = saidIn(body)
    if (said === undefined) return undefined
    const error = parts(said.error, said.message)
    return encodedOf(error, typeAt(error, status), requestId, said.error)
  },

  errorData: (error, requestId) => encodedOf(error, typeOfSaid(error), requestId),
}
