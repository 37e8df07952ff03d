/** One line per request and one per failed attempt; never a secret, never a body. */
import * as Effect from "effect/Effect"
import type { AttemptRecord, AuditRecord } from "../domain/AuditRecord.ts"

/** At `info`, when a request is over. What is unknown is left out. */
export const logRequest = (record: AuditRecord): Effect.Effect<void> => {
  const line: Record<string, unknown> = {
    id: record.id,
    ip: record.clientIp,
    endpoint: record.endpoint,
    model: record.model,
    upstream: record.upstream,
    status: record.status,
    outcome: record.outcome,
    ms: Math.round(record.latencyMs),
    ttft: record.ttftMs === undefined ? undefined : Math.round(record.ttftMs),
    attempts: record.attempts.length,
    input_tokens: record.usage.inputTokens,
    output_tokens: record.usage.outputTokens,
  }
  for (const [name, value] of Object.entries(line)) if (value === undefined) delete line[name]
  return Effect.logInfo("request", line)
}

/** At `warn`, for an attempt that gave no answer. */
export const logFailedAttempt = (id: string, attempt: AttemptRecord): Effect.Effect<void> =>
  Effect.logWarning("attempt failed", {
    id,
    upstream: attempt.upstream,
    model: attempt.upstreamModel,
    cause: attempt.cause ?? `status ${attempt.status}`,
    ms: Math.round(attempt.ms),
  })
