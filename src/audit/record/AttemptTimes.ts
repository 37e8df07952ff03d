/** How long attempts took by themselves. Their records say when an answer had begun, and that of the request how long it went on then. */
import type { AttemptRecord, AuditRecord } from "./AuditRecord.ts"

/** Milliseconds from its beginning to its end, which is that of the answer where it gave that. */
export const attemptMs = (record: AuditRecord, attempt: AttemptRecord, isAnswering: boolean): number => {
  if (attempt.span !== undefined) return attempt.span.endedAt - attempt.span.beganAt
  const { attempts, latencyMs, overheadMs, ttftMs } = record
  if (!isAnswering) return attempt.ms
  if (ttftMs !== undefined && attempt.resumed === undefined)
    return attempt.ms + Math.max(0, latencyMs - ttftMs)
  if (overheadMs === undefined) return attempt.ms
  const others = attempts.reduce((sum, { ms }) => sum + ms, -attempt.ms)
  return Math.max(attempt.ms, latencyMs - overheadMs - others)
}

/** Milliseconds from its beginning to the first content of the stream that it gave; nothing of one that went on with another's. */
export const firstContentMs = (
  { ttftMs }: AuditRecord,
  { ms, resumed }: AttemptRecord,
  isAnswering: boolean,
): number | undefined => (isAnswering && ttftMs !== undefined && resumed === undefined ? ms : undefined)
