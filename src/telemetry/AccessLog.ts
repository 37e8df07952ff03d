/**
 * One line per request and one per failed attempt; never a secret, never a body. A member has the name of the audit's column for the same
 * thing, and an attempt those of its entry there; `per_token_ms` is worked out of three of them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import type { AttemptRecord, AuditRecord, PassedByRecord } from "../audit/record/AuditRecord.ts"
import { perTokenMs } from "../audit/record/TokenPace.ts"
import { withoutKeyForms } from "../secrets/KeyForm.ts"
import { clipped } from "../wire/Clipped.ts"
import { Lines } from "./Lines.ts"
import { requestLine } from "./RequestLine.ts"

/** A request that reached no endpoint. */
export interface UnservedRequest {
  readonly id: string
  readonly client_ip: string
  readonly method: string
  /** As the client sent it, of any length. */
  readonly path: string
  readonly status: number
  readonly code: string | undefined
}

/** Which attempt of a request it was, from 1, and where it went. */
export interface AttemptPlace {
  readonly number: number
  readonly host: string | undefined
}

export class AccessLog extends Context.Tag("sluice/AccessLog")<
  AccessLog,
  {
    /** At `info`, when a request is over; with the `code` of the error it was refused with. */
    readonly request: (record: AuditRecord, code: string | undefined) => void
    /** At `info`, for a wrong path or method: the first mistake of a new user, which leaves no record. */
    readonly unserved: (request: UnservedRequest) => void
    /** At `info`, when a request is over of whose answer some events could not be read: how many of this upstream's were no JSON objects. */
    readonly passedOver: (id: string, upstream: string, events: number) => void
    /** At `info`, for an upstream that was not asked when it was its turn. */
    readonly passedBy: (id: string, upstream: PassedByRecord) => void
    /** At `warn`, for an attempt that gave no answer. */
    readonly failedAttempt: (id: string, attempt: AttemptRecord, where: AttemptPlace) => void
  }
>() {}

/** Longer ones are no slip of a person, and would fill the log. */
const longestText = 200

/** Of a millisecond: what is told in them is seldom more than a few. */
const tenths = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 10) / 10

/** What is unknown is `undefined`, and left out. */
const requestMembers = (
  record: AuditRecord,
  code: string | undefined,
): Readonly<Record<string, unknown>> => ({
  id: record.id,
  client_ip: record.clientIp,
  endpoint: record.endpoint,
  model: record.model,
  upstream: record.upstream,
  stream: record.stream,
  status: record.status,
  outcome: record.outcome,
  code,
  // This gateway's own words; those about an answer of an upstream may quote it.
  error:
    record.outcome === "rejected" && record.error !== undefined
      ? clipped(record.error, longestText)
      : undefined,
  latency_ms: Math.round(record.latencyMs),
  ttft_ms: record.ttftMs === undefined ? undefined : Math.round(record.ttftMs),
  overhead_ms: tenths(record.overheadMs),
  per_token_ms: tenths(perTokenMs(record.latencyMs, record.ttftMs, record.usage.outputTokens)),
  attempts: record.attempts.length,
  prompt_tokens: record.usage.inputTokens,
  completion_tokens: record.usage.outputTokens,
  finish_reason: record.finishReason,
  dropped: record.dropped.length === 0 ? undefined : record.dropped.join(","),
  key_fingerprint: record.keyFingerprint,
  trace_id: record.trace?.traceId,
})

const attemptMembers = (
  id: string,
  attempt: AttemptRecord,
  { host, number }: AttemptPlace,
): Readonly<Record<string, unknown>> => ({
  id,
  attempt: number,
  upstream: attempt.upstream,
  host,
  upstream_model: attempt.upstreamModel,
  dialect: attempt.dialect,
  status: attempt.status,
  ms: Math.round(attempt.ms),
  cause: attempt.cause,
})

export const layer: Layer.Layer<AccessLog, never, Lines> = Layer.effect(
  AccessLog,
  Effect.map(Lines, ({ people, request: writeRequest, write }) =>
    AccessLog.of({
      request: (record, code) =>
        people === undefined
          ? writeRequest(record.status, "request", requestMembers(record, code))
          : writeRequest(record.status, requestLine(record, people), {}),
      unserved: (request) =>
        writeRequest(request.status, "request", {
          ...request,
          path: clipped(withoutKeyForms(request.path), longestText),
        }),
      passedOver: (id, upstream, events) =>
        write(LogLevel.Info, "events that are no JSON objects were passed over", { id, upstream, events }),
      passedBy: (id, { cause, dialect, upstream }) =>
        write(LogLevel.Info, "not asked", { id, upstream, dialect, cause: clipped(cause, longestText) }),
      failedAttempt: (id, attempt, where) =>
        write(LogLevel.Warning, "attempt failed", attemptMembers(id, attempt, where)),
    }),
  ),
)
