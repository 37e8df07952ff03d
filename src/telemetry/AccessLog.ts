/** One line per request and one per failed attempt; never a secret, never a body. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import type { AttemptRecord, AuditRecord } from "../domain/AuditRecord.ts"
import { Lines } from "./Lines.ts"

export class AccessLog extends Context.Tag("sluice/AccessLog")<
  AccessLog,
  {
    /** At `info`, when a request is over. */
    readonly request: (record: AuditRecord) => void
    /** At `warn`, for an attempt that gave no answer. */
    readonly failedAttempt: (id: string, attempt: AttemptRecord) => void
  }
>() {}

/** What is unknown is `undefined`, and left out. */
const requestMembers = (record: AuditRecord): Readonly<Record<string, unknown>> => ({
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
})

const attemptMembers = (id: string, attempt: AttemptRecord): Readonly<Record<string, unknown>> => ({
  id,
  upstream: attempt.upstream,
  model: attempt.upstreamModel,
  cause: attempt.cause ?? `status ${attempt.status}`,
  ms: Math.round(attempt.ms),
})

export const layer: Layer.Layer<AccessLog, never, Lines> = Layer.effect(
  AccessLog,
  Effect.map(Lines, ({ write }) =>
    AccessLog.of({
      request: (record) => write(LogLevel.Info, "request", requestMembers(record)),
      failedAttempt: (id, attempt) => write(LogLevel.Warning, "attempt failed", attemptMembers(id, attempt)),
    }),
  ),
)
