/** Where the time of a request went: why it was slow, at a glance. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import type { Tone } from "../look/Tone.ts"
import { attemptsOf, attemptTone, attemptWord } from "../requests/Attempt.ts"

export interface Span {
  readonly what: string
  readonly ms: number
  readonly tone: Tone | "wait" | "write" | "own"
}

type Timed = Pick<RequestRow, "attempts" | "latency_ms" | "outcome" | "overhead_ms" | "ttft_ms">

/** Spans shorter than this say nothing. */
const leastMs = 0.5

/** Somebody was asked twice: there was a wait before the second time, and it is none of the clients'. */
const isAskedAgain = (attempts: Timed["attempts"]): boolean =>
  new Set(attempts.map(({ upstream }) => upstream)).size < attempts.length

/**
 * The spans of a request in their order: Sluice itself, the attempts that failed, the wait for the first content, and the rest of the answer. They add
 * up to the whole, however the measures were rounded. Of hedged attempts, which ran beside each other, the one that answered has all of its time.
 */
export const spansOf = (row: Timed): ReadonlyArray<Span> => {
  const { latency_ms: total, overhead_ms: own, ttft_ms: first } = row
  if (total === null) return []
  const attempts = attemptsOf(row)
  const spans: Array<Span> = []
  let left = total
  const add = (span: Span) => {
    const ms = Math.max(0, Math.min(span.ms, left))
    left -= ms
    if (ms >= leastMs) spans.push({ ...span, ms })
  }
  const what = isAskedAgain(attempts) ? "Sluice itself, with waits between attempts" : "Sluice itself"
  add({ what, ms: own ?? 0, tone: "own" })
  const writing = first === null ? 0 : Math.min(left, Math.max(0, total - first))
  left -= writing
  const last = attempts.at(-1)
  const answering = Math.min(left, last?.ms ?? 0)
  left -= answering
  for (const attempt of attempts.slice(0, -1)) {
    add({ what: `${attempt.upstream}: ${attemptWord(attempt)}`, ms: attempt.ms, tone: attemptTone(attempt) })
  }
  left += answering
  const asked = last?.upstream ?? "waiting"
  if (last !== undefined && attemptTone(last) !== "good" && first === null) {
    add({ what: `${asked}: ${attemptWord(last)}`, ms: left, tone: attemptTone(last) })
  } else {
    add({
      what: first === null ? `${asked} until it answered` : `${asked} until its first content`,
      ms: left,
      tone: "wait",
    })
  }
  left = writing
  add({ what: "the rest of the answer", ms: writing, tone: "write" })
  return spans
}

/** The longest span, where it is most of the time. */
export const mostOf = (spans: ReadonlyArray<Span>): Span | undefined => {
  const total = spans.reduce((sum, { ms }) => sum + ms, 0)
  return spans.find(({ ms }) => ms > total / 2)
}
