/** Requests under way as they are shown: which of them, for how long they have been, and whom each waits for. */
import type { ActiveReport, ActiveRequest } from "../../src/admin/api/ActiveReport.ts"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { duration } from "../words/Numbers.ts"
import { keyOf } from "./Rows.ts"

/** Younger ones are not shown: where much goes on, most are over before they can be read. */
export const youngestMs = 1_000

/** With the time that passed since it was told. */
const later = (one: ActiveRequest, ms: number): ActiveRequest => ({
  ...one,
  age_ms: one.age_ms + ms,
  asked: one.asked.map((asked) => ({ ...asked, ms: asked.ms + ms })),
})

/**
 * Those that are shown, the oldest first: no young ones, and none that has finished since.
 *
 * @param sinceMs how long ago it was told
 */
export const shownOf = (
  { requests }: ActiveReport,
  sinceMs: number,
  finished: ReadonlyArray<RequestRow>,
): ReadonlyArray<ActiveRequest> => {
  const old = requests.map((one) => later(one, sinceMs)).filter(({ age_ms }) => age_ms >= youngestMs)
  if (old.length === 0) return old
  const over = new Set(finished.map(keyOf))
  return old.filter((one) => !over.has(keyOf(one)))
}

/** A time that runs, in whole seconds: `4 s`, `1 m 12 s`. */
export const running = (ms: number): string => {
  const seconds = Math.floor(ms / 1000)
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1000)
}

const namesOf = ({ asked }: ActiveRequest): string => asked.map(({ upstream }) => upstream).join(" and ")

/** For how long, where it is not as long as the request has been under way. */
const forHowLong = ({ asked, attempts }: ActiveRequest): string => {
  const [first] = asked
  return first === undefined || attempts.length === 0 ? "" : `, ${running(first.ms)}`
}

/** Whom it waits for, or what it does. */
export const waitOf = (one: ActiveRequest): string => {
  switch (one.state) {
    case "reading":
      return "no client asked yet"
    case "queued":
      return `waits for a place at ${namesOf(one)}${forHowLong(one)}`
    case "asking":
      if (one.asked.length === 0) return "waits for lists of models"
      return one.ttft_ms === null
        ? `waits for ${namesOf(one)}${forHowLong(one)}`
        : `waits for ${namesOf(one)} to resume it${forHowLong(one)}`
    case "pausing":
      return "pauses before clients are asked again"
    case "answering":
      return one.ttft_ms === null ? "answering" : `answering since ${running(one.age_ms - one.ttft_ms)}`
  }
}
