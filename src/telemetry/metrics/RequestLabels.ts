/** The values of labels that a request decides: each one of a list, so that nobody can make series up. */
import type { AuditRecord } from "../../audit/record/AuditRecord.ts"
import { parentIn } from "../../wire/TraceContext.ts"

/** Said where there is none: no model was asked for, no client was asked. */
export const none = "none"

/** The statuses that answers have, of which an upstream may send any: others are told by their class. */
const told: ReadonlySet<number> = new Set([
  200, 201, 202, 204, 206, 301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413,
  414, 415, 416, 417, 421, 422, 424, 425, 426, 428, 429, 431, 451, 498, 499, 500, 501, 502, 503, 504, 507,
  511, 520, 521, 522, 523, 524, 525, 526, 529, 530,
])

const texts = new Map([...told].map((status) => [status, String(status)]))

export const statusLabel = (status: number): string => texts.get(status) ?? `${Math.floor(status / 100)}xx`

/** The endpoints whose answers count tokens, by their names in the audit. */
const counting: ReadonlySet<string> = new Set([
  "chat.completions",
  "completions",
  "embeddings",
  "messages",
  "responses",
])

export const countsTokens = (endpoint: string): boolean => counting.has(endpoint)

/** The trace of a request, where it is kept: its own, or the one that its caller names where traces are off. */
export const keptTrace = ({ headers, trace }: Pick<AuditRecord, "headers" | "trace">): string | undefined => {
  const kept = trace ?? parentIn(headers["traceparent"])
  return kept?.isSampled === true ? kept.traceId : undefined
}

/** The path of an endpoint as GPT_API had it, of its name. */
export const pathLabel = (endpoint: string): string =>
  ["score", "classify", "pooling", "tokenize", "detokenize"].includes(endpoint)
    ? `/${endpoint}`
    : `/v1/${endpoint.replaceAll(".", "/")}`
