/** Requests under way as the admin API tells them: the oldest of one process, and of all together. */
import type { RecordDraft } from "../audit/record/RecordDraft.ts"
import type { SoFar } from "../audit/record/SoFar.ts"
import { keptAttempt } from "../audit/sqlite/Columns.ts"
import { clipped } from "../wire/Clipped.ts"
import { type ActiveReport, type ActiveRequest, mostActive, mostAttempts } from "./api/ActiveReport.ts"
import type { ActiveQuery } from "./api/RequestQuery.ts"

/** A model's name may be as long as its body. */
const longestModel = 200

/** What is looked at of a request under way. */
export type ActiveDraft = Pick<
  RecordDraft,
  "attempts" | "clientIp" | "endpoint" | "id" | "soFar" | "startedAt"
>

const stateOf = (
  { asked, isAnswered, isGathered }: SoFar,
  { attempts }: ActiveDraft,
): ActiveRequest["state"] => {
  if (asked.length > 0) return asked.some(({ hasSlot }) => hasSlot) ? "asking" : "queued"
  if (isAnswered) return "answering"
  if (isGathered) return "asking"
  return attempts.length > 0 ? "pausing" : "reading"
}

const told = (draft: ActiveDraft, now: number): ActiveRequest => {
  const { attempts, clientIp, endpoint, id, soFar, startedAt } = draft
  const { asked, conversation, keyFingerprint, model, stream, ttftMs } = soFar
  return {
    id,
    started_at: new Date(startedAt).toISOString(),
    age_ms: Math.max(0, now - startedAt),
    endpoint,
    model: model === undefined ? null : clipped(model, longestModel),
    client_ip: clientIp,
    key_fingerprint: keyFingerprint ?? null,
    conversation: conversation ?? null,
    stream: stream ?? null,
    state: stateOf(soFar, draft),
    asked: asked.map(({ beganAt, upstream }) => ({
      upstream: upstream.name,
      ms: Math.max(0, now - beganAt),
    })),
    attempts: attempts.slice(-mostAttempts).map(keptAttempt),
    ttft_ms: ttftMs === undefined ? null : Math.round(ttftMs),
  }
}

/** An empty text is none: forms send those. */
const isSame = (asked: string | undefined, value: string | undefined): boolean =>
  asked === undefined || asked === "" || asked === value

const holds = (text: string | undefined, value: string | undefined): boolean =>
  text === undefined || text === "" || value?.toLowerCase().includes(text.toLowerCase()) === true

const isAt = (upstream: string | undefined, { asked }: SoFar, { attempts }: ActiveDraft): boolean =>
  isSame(upstream, attempts.at(-1)?.upstream) || asked.some((one) => isSame(upstream, one.upstream.name))

/** Whether it is one of those asked for, as far as that is known. */
const admits = (query: ActiveQuery, draft: ActiveDraft): boolean => {
  const { clientIp, endpoint, id, soFar } = draft
  return (
    isSame(query.endpoint, endpoint) &&
    isSame(query.ip, clientIp) &&
    isSame(query.model, soFar.model) &&
    isSame(query.key, soFar.keyFingerprint) &&
    isSame(query.conversation, soFar.conversation) &&
    isAt(query.upstream, soFar, draft) &&
    (holds(query.text, id) || holds(query.text, soFar.model))
  )
}

/** What one process tells. */
export const activeOf = (
  drafts: ReadonlyArray<ActiveDraft>,
  query: ActiveQuery,
  now: number,
): ActiveReport => {
  const isAll = Object.values(query).every((text) => text === undefined || text === "")
  const admitted = isAll ? drafts : drafts.filter((draft) => admits(query, draft))
  return {
    count: admitted.length,
    requests: admitted
      .toSorted((one, other) => one.startedAt - other.startedAt)
      .slice(0, mostActive)
      .map((draft) => told(draft, now)),
  }
}

const byAge = (one: ActiveRequest, other: ActiveRequest): number =>
  one.started_at < other.started_at ? -1 : one.started_at > other.started_at ? 1 : 0

/** What all processes tell together. */
export const activeReport = (said: ReadonlyArray<ActiveReport>): ActiveReport => ({
  count: said.reduce((sum, { count }) => sum + count, 0),
  requests: said
    .flatMap(({ requests }) => requests)
    .toSorted(byAge)
    .slice(0, mostActive),
})
