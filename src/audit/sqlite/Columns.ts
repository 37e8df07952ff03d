/**
 * The audit's columns, in the documented order, by the layout they came with. To add one: a row in a layout that no release has written yet, or a new
 * layout behind the others, and a row in the table of docs/audit.md. All else follows from this list: tables, views, inserts, the spill, what is read
 * of older files, and how it is shown.
 *
 * A layout that was released never changes, for files of it are read for ever: test/audit/sqlite/Columns.test.ts holds to that.
 */
import type { AttemptRecord, PassedByRecord } from "../record/AuditRecord.ts"
import {
  amount,
  body,
  type Column,
  clip,
  flag,
  json,
  large,
  millis,
  required,
  rounded,
  text,
  whole,
} from "./ColumnKinds.ts"

/** An attempt as it is written down. What is `undefined` is left out in JSON. One without a status always has a cause. */
export const keptAttempt = ({ cause, dialect, ms, resumed, said, status, upstream }: AttemptRecord) => ({
  upstream,
  dialect,
  resumed,
  status,
  said,
  cause: cause === undefined ? (status === undefined ? null : undefined) : clip(cause),
  ms: rounded(ms),
})

const attemptsText = (attempts: ReadonlyArray<AttemptRecord>): string =>
  JSON.stringify(attempts.map(keptAttempt))

const passedByText = (upstreams: ReadonlyArray<PassedByRecord>): string =>
  JSON.stringify(upstreams.map(({ cause, dialect, upstream }) => ({ upstream, dialect, cause: clip(cause) })))

const layout1 = [
  required(text("id", ({ id }) => id)),
  required(text("started_at", ({ startedAt }) => new Date(startedAt).toISOString())),
  text("client_ip", ({ clientIp }) => clientIp),
  required(text("endpoint", ({ endpoint }) => endpoint)),
  text("model", ({ model }) => model),
  text("upstream_model", ({ upstreamModel }) => upstreamModel),
  text("upstream", ({ upstream }) => upstream),
  required(json("attempts", ({ attempts }) => attemptsText(attempts))),
  flag("stream", ({ stream }) => stream),
  whole("status", ({ status }) => status),
  required(text("outcome", ({ outcome }) => outcome)),
  text("error", ({ error }) => error),
  whole("prompt_tokens", ({ usage }) => usage.inputTokens),
  whole("completion_tokens", ({ usage }) => usage.outputTokens),
  whole("total_tokens", ({ usage }) => usage.totalTokens),
  whole("cached_tokens", ({ usage }) => usage.cachedTokens),
  whole("reasoning_tokens", ({ usage }) => usage.reasoningTokens),
  millis("latency_ms", ({ latencyMs }) => latencyMs),
  millis("ttft_ms", ({ ttftMs }) => ttftMs),
  text("finish_reason", ({ finishReason }) => finishReason),
  flag("tools", ({ tools }) => tools),
  flag("tool_calls", ({ toolCalls }) => toolCalls),
  flag("multimodal", ({ multimodal }) => multimodal),
  text("user_agent", ({ userAgent }) => userAgent),
  text("key_fingerprint", ({ keyFingerprint }) => keyFingerprint),
  large(json("headers", ({ headers }) => JSON.stringify(headers))),
  body("request"),
  body("response"),
] as const satisfies ReadonlyArray<Column>

const layout2 = [
  millis("overhead_ms", ({ overheadMs }) => overheadMs),
  text("dialect", ({ dialect }) => dialect),
  text("upstream_request_id", ({ upstreamRequestId }) => upstreamRequestId),
  whole("cache_write_tokens", ({ usage }) => usage.cacheWriteTokens),
  whole("audio_tokens", ({ usage }) => usage.audioTokens),
  whole("image_tokens", ({ usage }) => usage.imageTokens),
  text("service_tier", ({ serviceTier }) => serviceTier),
  text("response_id", ({ responseId }) => responseId),
  text("conversation", ({ conversation }) => conversation),
  text("config_hash", ({ configHash }) => configHash),
  text("dropped", ({ dropped }) => (dropped.length === 0 ? undefined : dropped.join(","))),
  amount("search_units", ({ usage }) => usage.searchUnits),
  amount("audio_seconds", ({ usage }) => usage.audioSeconds),
  whole("characters", ({ characters }) => characters),
  whole("images", ({ usage }) => usage.images),
  whole("answer_bytes", ({ answerBytes }) => answerBytes),
  text("answer_type", ({ answerType }) => answerType),
] as const satisfies ReadonlyArray<Column>

const layout3 = [
  json("not_asked", ({ notAsked }) => (notAsked.length === 0 ? undefined : passedByText(notAsked))),
] as const satisfies ReadonlyArray<Column>

/** What each layout added, the first one first: a layout's number is its place here. */
export const layouts: ReadonlyArray<ReadonlyArray<Column>> = [layout1, layout2, layout3]

/** The layout of this release, kept in `PRAGMA user_version`; a file that GPT_API wrote has 0. */
export const layout = layouts.length

/** The documented columns (docs/audit.md), in order. */
export const columns = [...layout1, ...layout2, ...layout3] as const

/** A column of docs/audit.md. */
export type ColumnName = (typeof columns)[number]["name"]

/** Their names. */
export const columnNames: ReadonlyArray<ColumnName> = columns.map(({ name }) => name)
