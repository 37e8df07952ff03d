/**
 * Whose fault an upstream's refusal is, which decides how far it reaches: the whole upstream, one model at it, or this request alone. Read from
 * the status and, where that says too little, from what the body's error says of itself.
 *
 * A body may repeat what a client wrote, so only the error's own message and identifiers count, and where other words decide, those of a
 * moderation come before those of a key.
 */
import type { RefusalKind } from "../../errors/RefusalKind.ts"
import { type SaidError, saidError } from "../../errors/SaidError.ts"
import type { Json } from "../../wire/Json.ts"
import { longestMessage, says, silent, speaksOfModel, type Words, wordsOf } from "./ErrorWords.ts"
import { speaksOfPath } from "./MissingPath.ts"

const never = /(?!)/

const speaksOfModeration = (words: Words): boolean =>
  says(
    words,
    /content_?(?:filter|policy|moderation|safety)|moderation|safety|data_?inspection|responsible_?ai|sensitive/,
    /\bmoderat(?:ion|ed)|\bflagged\b|\bcontent (?:filter|policy|management|safety)|\busage (?:guidelines|polic)|\bviolat(?:es|ed|ing|ion)|\binappropriate|\bharmful|\bunsafe\b|\bsensitive (?:content|information|words?)/i,
  )

const speaksOfSuspension = (words: Words): boolean =>
  says(
    words,
    /account_?(?:suspended|disabled|deactivated|banned)/,
    /\b(?:account|organi[sz]ation|project|team|workspace)\b[^.]{0,60}\b(?:suspended|disabled|deactivated|banned|blocked|terminated|restricted)\b/i,
  )

/** In a 403, which a provider has reasons for: any word of money. */
const speaksOfMoney = (words: Words): boolean =>
  says(
    words,
    /insufficient|billing|balance|credit|arrear|overdue|quota|payment/,
    /\b(?:credits?|balance|billing|payment|spending|quota|recharge|arrears|purchase)\b|\bkey limit exceeded/i,
  )

/** Elsewhere only what can mean nothing else: Gemini tells of billing in each of its rate limits. */
const saysNoMoneyLeft = (words: Words): boolean =>
  says(
    words,
    /insufficient_(?:quota|balance|credit|funds|user_quota)|billing_(?:hard_limit|not_active|error)|exceeded_current_quota|arrearage|account_?overdue|payment_required/,
    /\binsufficient (?:account )?(?:balance|credits?|funds)\b|\bcredit balance is too low|\b(?:balance is (?:insufficient|not enough)|out of credits|all available credits|spending limit)\b/i,
  )

/** In a 403: any word of keys, accounts, or where they may be used from. */
const speaksOfKey = (words: Words): boolean =>
  says(
    words,
    /api_?key|authenti|credential|permission|access_?denied|unauthori[sz]ed|unsupported_country|consumer|account|subscription/,
    /\bapi[ _-]?key|\bkeys?\b|\b(?:access|auth\w*|bearer|security|session) token\b|\bcredentials?\b|\bauthenticat|\bauthori[sz]|\bunauthori[sz]ed|\bpermissions?\b|\bsubscription\b|\b(?:account|organi[sz]ation|project)\b|\b(?:country|territory|virtual network)\b/i,
  )

/** In a 400, which nearly always is the request's: only what can mean nothing else. */
const saysKeyIsWrong = (words: Words): boolean =>
  says(
    words,
    /^(?:api_key_invalid|invalid_api_key|incorrect_api_key|authentication_error|unauthenticated)$/,
    /^(?:incorrect|invalid|missing) api[ -]?key\b|^api[ -]?key (?:is )?(?:not valid|invalid|expired|not found)\b|^this organi[sz]ation has been disabled/i,
  )

const speaksOfRates = (words: Words): boolean =>
  says(
    words,
    /rate_?limit|^tokens$|^requests$|too_many/,
    /\b(?:tokens?|requests?) per (?:min|minute|hour|day)\b|\b[TR]P[MD]\b|\brate[ -]?limit/i,
  )

/** Where no status says so: that the request is wrong. */
const saysRequestIsWrong = (words: Words): boolean =>
  says(
    words,
    /^(?:invalid_request(?:_error)?|bad_?request(?:_?error)?|invalid_argument|context_length_exceeded)$/,
    /\bmaximum context length\b|\bcontext (?:window|length) (?:is )?exceeded/i,
  )

/** In a 508, with which some hosts tell of other limits: in the words of Sluice's own, whose code Anthropic's shape has no place for. */
const speaksOfLoop = (words: Words): boolean =>
  says(words, /^loop_detected$/, /\bgone through Sluice \d+ times\b/)

const forbidden = (words: Words): RefusalKind => {
  if (speaksOfSuspension(words)) return "credentials"
  if (speaksOfModeration(words)) return "moderation"
  if (speaksOfModel(words)) return "missing_model"
  if (speaksOfMoney(words)) return "billing"
  return speaksOfKey(words) ? "credentials" : "request"
}

const malformed = (words: Words): RefusalKind => {
  if (speaksOfModel(words)) return "missing_model"
  if (saysNoMoneyLeft(words)) return "billing"
  return saysKeyIsWrong(words) ? "credentials" : "request"
}

/** Of an error without a status: only what can mean nothing else is not the provider's fault. */
const unnumbered = (words: Words): RefusalKind => {
  if (speaksOfSuspension(words)) return "credentials"
  if (speaksOfModeration(words)) return "moderation"
  const kind = malformed(words)
  if (kind !== "request") return kind
  if (speaksOfRates(words)) return "limit"
  return saysRequestIsWrong(words) ? "request" : "provider"
}

/** The statuses that Anthropic gives its types with, which are all that its errors in streams name. */
const anthropicStatuses: ReadonlyMap<Json | undefined, number> = new Map([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["conflict_error", 409],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["timeout_error", 504],
  ["overloaded_error", 529],
])

/** The status of HTTP that an error names as its own, as those of OpenRouter, vLLM and Google do, and by its type one of Anthropic's. */
const namedStatus = ({
  beside,
  error: { code, status, status_code, type },
}: SaidError): number | undefined => {
  for (const named of [code, status, status_code, beside["code"]]) {
    const number = typeof named === "string" && /^\d{3}$/.test(named) ? Number(named) : named
    if (typeof number === "number" && number >= 400 && number <= 599) return number
  }
  return beside["type"] === "error" ? anthropicStatuses.get(type) : undefined
}

const decoder = new TextDecoder()

/** Pages, and the bare words of Cloudflare's `error code: 1020`, are of no API. */
const isOfFirewall = (headers: Readonly<Record<string, string>>, text: string): boolean =>
  (headers["content-type"] ?? "").toLowerCase().includes("html") ||
  headers["cf-mitigated"] !== undefined ||
  /^(?:<|error code: \d)/i.test(text)

/** What a refusal is about. */
export const refusalKind = (
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): RefusalKind => {
  const words = (): Words => {
    const said = saidError(body)
    return said === undefined ? silent : wordsOf(said)
  }
  switch (status) {
    case 400:
      return malformed(words())
    case 401:
      return "credentials"
    case 402:
      return "billing"
    case 403: {
      const said = saidError(body)
      if (said !== undefined) return forbidden(wordsOf(said))
      const text = decoder.decode(body.subarray(0, longestMessage)).trim()
      return isOfFirewall(headers, text) ? "firewall" : forbidden({ labels: [], message: text })
    }
    case 404: {
      const said = words()
      return speaksOfModel(said) || says(said, never, /\b(?:model|deployment)\b/i)
        ? "missing_model"
        : "not_found"
    }
    case 413:
      return speaksOfRates(words()) ? "limit" : "request"
    case 429:
      return saysNoMoneyLeft(words()) ? "billing" : "limit"
    case 498: {
      // Groq's own, for its flexible tier.
      const said = words()
      return speaksOfRates(said) || says(said, /capacity/, /\bcapacity\b/i) ? "limit" : "request"
    }
    case 408:
    case 425:
      return "provider"
    case 405:
      return speaksOfPath(status, body) ? "missing_endpoint" : "request"
    // It does not do what is asked, and will not do it later: rerank of a server that has none, sound for a model that reads.
    case 501:
      return "missing_endpoint"
    case 508:
      return speaksOfLoop(words()) ? "loop" : "provider"
  }
  return status < 400 ? "redirect" : status < 500 ? "request" : "provider"
}

/** What an error is about that came with a good status, and the status that it names itself, if it does. */
export const hiddenRefusal = (
  body: Uint8Array,
): { readonly kind: RefusalKind; readonly status: number | undefined } => {
  const said = saidError(body)
  if (said === undefined) return { kind: "provider", status: undefined }
  const status = namedStatus(said)
  return { kind: status === undefined ? unnumbered(wordsOf(said)) : refusalKind(status, {}, body), status }
}

/**
 * The statuses of `retry_on` it counts as, any of which sends the request on: what says with another status what others say with their own is
 * treated alike, an account without credit is as good as a wrong key, and a prompt that was flagged as wrong as any 400.
 */
export const countsAs = (status: number, kind: RefusalKind): ReadonlyArray<number> => {
  switch (kind) {
    case "credentials":
      return [status, 401]
    case "billing":
      return [status, 402, 401]
    case "limit":
      return [status, 429]
    case "missing_model":
      return [status, 404]
    case "missing_endpoint":
      return status === 405 ? [status, 404] : [status]
    case "moderation":
      return [status === 403 ? 400 : status]
    case "not_found":
    case "firewall":
    case "request":
    case "provider":
    case "loop":
    case "redirect":
      return [status]
  }
}

/**
 * Whether the request is to blame, or with it the client whose key was sent. Who asks for a model that a provider does not have may have mistyped it. Which
 * upstream is asked at which path is the configuration's to say: where nothing is there no request could help it.
 */
export const isClientsFault = (kind: RefusalKind, ownKey: boolean): boolean => {
  switch (kind) {
    case "request":
    case "moderation":
    case "firewall":
    case "missing_model":
    case "not_found":
      return true
    case "credentials":
    case "billing":
    case "limit":
      return !ownKey
    case "missing_endpoint":
    case "provider":
    case "loop":
    case "redirect":
      return false
  }
}

/** Whether HTTP calls a status an error: one beyond 599 is a fault of the server (RFC 9110 §15). */
export const isErrorStatus = (status: number): boolean => status >= 400 && status <= 599
