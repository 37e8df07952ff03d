/** What came of a request and of its attempts, as the conventions tell it. */
import { isFallback } from "../../audit/record/AttemptResult.ts"
import type { AttemptRecord, AuditRecord } from "../../audit/record/AuditRecord.ts"
import { statusLabel } from "../metrics/RequestLabels.ts"

/** Why an attempt was made; `before` is the step of the request's way before it. */
export const reasonOf = (attempt: AttemptRecord, before: AttemptRecord | undefined): string => {
  if (attempt.resumed === true) return "resume"
  if (attempt.hedged === true) return "hedge"
  if (before === undefined) return "first"
  return isFallback(attempt, before) ? "fallback" : "retry"
}

/** `error.type` of an attempt: its status where that says it, else in a word. Upstreams cannot make up labels by unusual ones. */
export const errorTypeOf = ({ status }: AttemptRecord, result: string): string | undefined => {
  if (result === "ok" || result === "cancelled") return undefined
  return status !== undefined && status >= 300 ? statusLabel(status) : result
}

/** Faults of the gateway and its upstreams; a caller's mistake is none of the server's. */
export const requestErrorOf = ({
  error,
  outcome,
  status,
}: AuditRecord): { readonly type: string | undefined; readonly error: string | undefined } => {
  if (status >= 500) return { type: statusLabel(status), error: error ?? `answered ${status}` }
  if (outcome === "stream_broken") return { type: outcome, error: error ?? outcome }
  return { type: undefined, error: undefined }
}
