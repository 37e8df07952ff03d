/** What the audit keeps of one request: who asked what, which attempts were made, what came back, and how it ended. */
import type { Usage } from "../../answer/Usage.ts"
import type { Outcome } from "../../errors/Outcome.ts"
import { hasKeyForm } from "../../secrets/KeyForm.ts"
import { clipped } from "../../wire/Clipped.ts"

/** One attempt: a status, or the cause why there was none; both where its stream began and broke off, and others were asked to go on. */
export interface AttemptRecord {
  readonly upstream: string
  /** None where its list of models was asked for. */
  readonly upstreamModel: string | undefined
  readonly status: number | undefined
  readonly cause: string | undefined
  readonly ms: number
  /** It was asked to resume an answer that another upstream broke off. */
  readonly resumed?: true
}

/** The answer as the client got it: a plain body, or the data of a stream's events (`PackedData`), to be reassembled when it is written down. */
export type AuditedBody =
  | { readonly kind: "plain"; readonly bytes: Uint8Array }
  | { readonly kind: "events"; readonly packed: Uint8Array; readonly truncated: boolean }

/** What is unknown is `undefined`, and NULL in the audit. */
export interface AuditRecord {
  readonly id: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly clientIp: string
  readonly endpoint: string
  /** As asked. */
  readonly model: string | undefined
  /** As sent. */
  readonly upstreamModel: string | undefined
  readonly upstream: string | undefined
  readonly attempts: ReadonlyArray<AttemptRecord>
  readonly stream: boolean | undefined
  readonly status: number
  readonly outcome: Outcome
  readonly error: string | undefined
  readonly usage: Usage
  readonly latencyMs: number
  readonly ttftMs: number | undefined
  readonly finishReason: string | undefined
  readonly tools: boolean | undefined
  readonly toolCalls: boolean | undefined
  readonly multimodal: boolean | undefined
  readonly userAgent: string | undefined
  /** Tells one client's key from another's without keeping it. */
  readonly keyFingerprint: string | undefined
  /** Credentials redacted. */
  readonly headers: Readonly<Record<string, string>>
  readonly request: Uint8Array | undefined
  readonly response: AuditedBody | undefined
  /** Of `latencyMs`, what no upstream was waited for. */
  readonly overheadMs: number | undefined
  /** The conversation dialect that the client spoke. */
  readonly dialect: string | undefined
  /** What the upstream that answered called the request. */
  readonly upstreamRequestId: string | undefined
  /** What the answer calls itself; of a stream it is read off the answer when that is put together. */
  readonly responseId: string | undefined
  /** By which tariff the answer says it was made; of a stream likewise. */
  readonly serviceTier: string | undefined
  /** Tells one conversation from another, where the client said which a request belongs to, without keeping its name. */
  readonly conversation: string | undefined
  /** Tells one configuration from another. */
  readonly configHash: string
}

/** Headers whose values a record keeps. Of any other it has the name alone: what it is for, and whether it lets somebody in, only its owner knows. */
const keptNames: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "anthropic-beta",
  "anthropic-version",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "forwarded",
  "host",
  "http-referer",
  "keep-alive",
  "openai-beta",
  "openai-organization",
  "openai-project",
  "origin",
  "pragma",
  "priority",
  "referer",
  "te",
  "traceparent",
  "transfer-encoding",
  "user-agent",
  "via",
  "x-client-request-id",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
  "x-request-timeout-ms",
  "x-title",
])

const isKept = (name: string): boolean =>
  name.startsWith("x-stainless-") ||
  keptNames.has(name) ||
  name.startsWith("sec-fetch-") ||
  name.startsWith("sec-ch-")

/** Who asked, in URLs: without a user, and without a query or fragment, which hold codes and tokens. */
const pageOf = (url: string): string => url.replace(/[?#].*$/s, "").replace(/^([^/]*\/\/)[^/]*@/, "$1")

/** What a record keeps of a header, in characters, and of how many: clients may send 16 KiB of them, which is four rows otherwise. */
const longestHeader = 256
const longestName = 64
const mostHeaders = 64

/** A header as a record keeps it. */
export const keptHeader = (value: string): string => clipped(value, longestHeader)

/** A name that somebody made up, who may have put the value there. */
const strangeName = (name: string): string => (hasKeyForm(name) ? "[redacted]" : clipped(name, longestName))

/** The headers by their names, with the values of those that hold no secret; long ones cut, and the last of very many left out. */
export const redactHeaders = (
  headers: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> => {
  const redacted: Record<string, string> = {}
  let left = mostHeaders
  for (const given in headers) {
    const value = headers[given]
    if (value === undefined) continue
    if (left-- === 0) {
      redacted["\u2026"] = "[more headers, left out]"
      break
    }
    const name = given.toLowerCase()
    if (!isKept(name)) redacted[strangeName(given)] = "[redacted]"
    else redacted[given] = keptHeader(name === "referer" || name === "http-referer" ? pageOf(value) : value)
  }
  return redacted
}
