/** The spans of a request that is over, all of it off its record: one of the request, and one of each attempt below it. */
import { answeringOf, isStep, resultOf } from "../../audit/record/AttemptResult.ts"
import type { AttemptRecord, AuditRecord } from "../../audit/record/AuditRecord.ts"
import type { AttemptSpan, RequestTrace } from "../../audit/record/RequestTrace.ts"
import { errorTypeOf, reasonOf, requestErrorOf } from "./AttemptTold.ts"
import { saidIn } from "./Content.ts"
import { operationName, placeOf, systemOf } from "./GenAiNames.ts"
import type { Generation } from "./OtlpSettings.ts"
import type { Attributes, SpanData } from "./SpanData.ts"

/** Longer texts of others say no more, and a collector would refuse them. */
const longestMessage = 1024

const clipped = (text: string): string =>
  text.length > longestMessage ? `${text.slice(0, longestMessage)}…` : text

/** As many of these as a collector is to keep. */
const mostListed = 32

/** Of a request, in words; nothing where there are none. */
const listed = (words: ReadonlyArray<string>): ReadonlyArray<string> | undefined =>
  words.length === 0 ? undefined : words.slice(0, mostListed).map(clipped)

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000)

/** What was renamed from one generation to the next. */
const answerNames = {
  stable: {
    cacheWrite: "gen_ai.usage.cache_creation.input_tokens",
    tier: "gen_ai.openai.response.service_tier",
  },
  latest: { cacheWrite: "gen_ai.usage.cache_write.input_tokens", tier: "openai.response.service_tier" },
} as const

/** One per answer: an answer that broke off has no reason of the model's own. */
const finishReasonsOf = ({ finishReason, outcome }: AuditRecord): ReadonlyArray<string> | undefined => {
  const reason = finishReason ?? (outcome === "stream_broken" ? "error" : undefined)
  return reason === undefined ? undefined : [reason]
}

/** What is said of the model's answer, which is that of the attempt that gave it. */
const answerAttributes = (record: AuditRecord, span: AttemptSpan, generation: Generation): Attributes => {
  const { cacheWriteTokens, cachedTokens, inputTokens, outputTokens, reasoningTokens } = record.usage
  const names = answerNames[generation]
  return {
    "gen_ai.response.id": record.responseId,
    "gen_ai.response.finish_reasons": finishReasonsOf(record),
    "gen_ai.response.time_to_first_chunk":
      record.ttftMs === undefined
        ? undefined
        : Math.max(0, record.startedAt + record.ttftMs - span.beganAt) / 1000,
    "gen_ai.usage.input_tokens": inputTokens,
    "gen_ai.usage.output_tokens": outputTokens,
    "gen_ai.usage.cache_read.input_tokens": cachedTokens,
    [names.cacheWrite]: cacheWriteTokens,
    "gen_ai.usage.reasoning.output_tokens": reasoningTokens,
    [names.tier]: record.serviceTier,
  }
}

/** A model, where one was asked for; callers may call it whatever they like. */
const named = (model: string | undefined): string | undefined =>
  model === undefined || model === "" ? undefined : clipped(model)

/** An attempt that is over, and where it stands among those of its request. */
interface TracedAttempt {
  readonly attempt: AttemptRecord
  readonly span: AttemptSpan
  readonly before: AttemptRecord | undefined
  readonly number: number
  readonly isAnswering: boolean
  /** What of prompts, answers and settings is told there. */
  readonly said: Attributes
}

const attemptSpan = (
  record: AuditRecord,
  trace: RequestTrace,
  { attempt, before, isAnswering, number, said, span }: TracedAttempt,
  generation: Generation,
): SpanData => {
  const { address, owner, port } = placeOf(span.upstream)
  const operation = operationName(record.endpoint)
  const isCut = isAnswering && record.outcome === "stream_broken"
  const result = resultOf(record, attempt, isAnswering)
  const errorType = errorTypeOf(attempt, result)
  const model = named(attempt.upstreamModel)
  return {
    name: model === undefined ? operation : `${operation} ${model}`,
    kind: "client",
    traceId: trace.traceId,
    spanId: span.id,
    parentId: trace.spanId,
    isParentRemote: false,
    state: trace.state,
    beganAt: span.beganAt,
    endedAt: Math.max(span.beganAt, span.endedAt),
    error:
      errorType === undefined
        ? undefined
        : clipped(attempt.cause ?? (isCut ? record.error : undefined) ?? errorType),
    attributes: {
      "gen_ai.operation.name": operation,
      "gen_ai.provider.name": owner,
      "gen_ai.system": generation === "stable" ? systemOf(owner) : undefined,
      "gen_ai.request.model": model,
      "gen_ai.request.stream": record.stream === true ? true : undefined,
      "server.address": address,
      "server.port": port,
      "http.response.status_code": attempt.status,
      "error.type": errorType,
      "gen_ai.conversation.id": record.conversation,
      "sluice.client": attempt.upstream,
      "sluice.attempt.number": number,
      "sluice.attempt.reason": reasonOf(attempt, before),
      "sluice.attempt.result": result,
      "sluice.attempt.dialect": attempt.dialect,
      "sluice.attempt.cause": attempt.cause === undefined ? undefined : clipped(attempt.cause),
      "sluice.attempt.time_to_answer": seconds(attempt.ms),
      ...(isAnswering ? answerAttributes(record, span, generation) : undefined),
      ...said,
    },
  }
}

const requestSpan = (record: AuditRecord, trace: RequestTrace): SpanData => {
  const { error, type } = requestErrorOf(record)
  return {
    name: `${trace.method} ${trace.route}`,
    kind: "server",
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentId: trace.parentId,
    isParentRemote: true,
    state: trace.state,
    beganAt: record.startedAt,
    endedAt: record.startedAt + record.latencyMs,
    error: error === undefined ? undefined : clipped(error),
    attributes: {
      "http.request.method": trace.method,
      "http.route": trace.route,
      "url.path": trace.route,
      "url.scheme": "http",
      "http.response.status_code": record.status,
      "error.type": type,
      "client.address": record.clientIp,
      "user_agent.original": record.userAgent,
      "gen_ai.request.model": named(record.model),
      "sluice.request.id": record.id,
      "sluice.endpoint": record.endpoint,
      "sluice.client": record.upstream,
      "sluice.outcome": record.outcome,
      "sluice.attempts": record.attempts.length,
      "sluice.overhead": seconds(record.overheadMs),
      "sluice.time_to_first_event": seconds(record.ttftMs),
      "sluice.dropped": listed(record.dropped),
      "sluice.not_asked": listed(record.notAsked.map(({ cause, upstream }) => `${upstream}: ${cause}`)),
      "sluice.key.fingerprint": record.keyFingerprint,
    },
  }
}

/** As they began: a record has them as they ended. */
const tracedIn = ({ attempts }: AuditRecord): ReadonlyArray<Pick<TracedAttempt, "attempt" | "span">> =>
  attempts
    .flatMap((attempt) => (attempt.span === undefined ? [] : [{ attempt, span: attempt.span }]))
    .sort((a, b) => a.span.beganAt - b.span.beganAt)

/** How it is told. */
export interface Telling {
  readonly generation: Generation
  readonly capturesContent: boolean
}

/** The spans of a request; its own is the first of them. */
export const spansOf = (
  record: AuditRecord,
  trace: RequestTrace,
  { capturesContent, generation }: Telling,
): ReadonlyArray<SpanData> => {
  const answering = answeringOf(record)
  const all = tracedIn(record)
  const { content, settings } = saidIn(record, capturesContent)
  // Prompt and answer are told once.
  const telling = answering ?? all.at(-1)?.attempt
  const attempts = all.map(({ attempt, span }, at) => {
    const said = attempt === telling ? { ...settings, ...content } : settings
    const before = all.slice(0, at).findLast((earlier) => isStep(earlier.attempt))?.attempt
    const traced = { attempt, span, before, number: at + 1, isAnswering: attempt === answering, said }
    return attemptSpan(record, trace, traced, generation)
  })
  return [requestSpan(record, trace), ...attempts]
}
