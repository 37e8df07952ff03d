/** What came of an attempt, in the few words that a label may have. */
import type { AttemptRecord } from "../../audit/record/AuditRecord.ts"

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

/** Whether it was made since the one before, at another client, gave no answer. */
export const isFallback = (attempt: AttemptRecord, before: AttemptRecord | undefined): boolean =>
  before !== undefined &&
  attempt.upstream !== before.upstream &&
  attempt.resumed === undefined &&
  attempt.hedged === undefined
