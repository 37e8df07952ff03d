/** Where the time of a request went: why it was slow, at a glance. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import type { Tone } from "../look/Tone.ts"
import { attemptTone, attemptWord } from "../requests/Attempt.ts"

export interface Span {
  readonly what: string
  readonly ms: number
  readonly tone: Tone | "wait" | "write" | "own"
}

type Timed = Pick<RequestRow, "attempts" | "latency_ms" | "overhead_ms" | "ttft_ms">

/** Spans shorter than this say nothing. */
const leastMs = 0.5

/**
 * The spans of a request in their order: Sluice itself, the attempts that failed, the wait for the first content, and the rest of the answer. They add
 * up to the whole, however the measures were rounded; hedged attempts, which ran beside each other, are cut to what is left.
 */
export const spansOf = ({
  attempts,
  latency_ms: total,
  overhead_ms: own,
  ttft_ms: first,
}: Timed): ReadonlyArray<Span> => {
  if (total === null) return []
  const spans: Array<Span> = []
  let left = total
  const add = (span: Span) => {
    const ms = Math.max(0, Math.min(span.ms, left))
    left -= ms
    if (ms >= leastMs) spans.push({ ...span, ms })
  }
  add({ what: "Sluice itself", ms: own ?? 0, tone: "own" })
  const writing = first === null ? 0 : Math.min(left, Math.max(0, total - first))
  left -= writing
  const last = attempts.at(-1)
  for (const attempt of attempts.slice(0, -1)) {
    add({ what: `${attempt.upstream}: ${attemptWord(attempt)}`, ms: attempt.ms, tone: attemptTone(attempt) })
  }
  const asked = last?.upstream ?? "waiting"
  if (last !== undefined && attemptTone(last) !== "good") {
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
