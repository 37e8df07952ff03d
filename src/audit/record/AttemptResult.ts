/** What came of the attempts of a request, in few words: labels of metrics, spans and pages have them. */
import type { AttemptRecord, AuditRecord } from "./AuditRecord.ts"

const ofStatus = (status: number): string =>
  status === 429 ? "429" : status >= 500 ? "5xx" : status >= 400 ? "4xx" : status >= 300 ? "3xx" : "ok"

/** What an attempt came to; `cut` where its stream broke off after it had begun. */
export const attemptResult = ({ cause, failure, status }: AttemptRecord): string => {
  if (failure !== undefined) return failure
  // One that was answering, and was given up all the same: another was faster.
  return status === undefined || (status < 300 && cause !== undefined) ? "cancelled" : ofStatus(status)
}

/** Whether it gave an answer. */
export const hasAnswered = (attempt: AttemptRecord): boolean => attemptResult(attempt) === "ok"

/** Whether it was made since the one before on its way, at another client, gave no answer. */
export const isFallback = (attempt: AttemptRecord, before: AttemptRecord | undefined): boolean =>
  before !== undefined && attempt.upstream !== before.upstream && attempt.resumed === undefined

/** Whether it is a step of the request's way. A hedge stands beside one, and is over before or after it. */
export const isStep = ({ hedged }: AttemptRecord): boolean => hedged === undefined

/** How often a request went on to another client. Where nobody is the one who answers, as of lists of models, all were asked at once. */
export const fallbacksIn = ({ attempts, upstream }: Pick<AuditRecord, "attempts" | "upstream">): number => {
  if (upstream === undefined) return 0
  let fallbacks = 0
  let before: AttemptRecord | undefined
  for (const attempt of attempts) {
    if (!isStep(attempt)) continue
    if (isFallback(attempt, before)) fallbacks += 1
    before = attempt
  }
  return fallbacks
}

/** The attempt that gave the answer, if any did: the last that did so. */
export const answeringOf = ({ attempts, upstream }: AuditRecord): AttemptRecord | undefined =>
  attempts.findLast((attempt) => attempt.upstream === upstream && hasAnswered(attempt))

/** What an attempt came to. Of a stream that broke off and that nobody was asked to resume, the record of the request alone says so. */
export const resultOf = (record: AuditRecord, attempt: AttemptRecord, isAnswering: boolean): string =>
  isAnswering && record.outcome === "stream_broken" ? "cut" : attemptResult(attempt)
