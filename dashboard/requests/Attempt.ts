/** What became of an attempt, by a word and a tone. */
import type { AttemptTold } from "../../src/admin/api/RequestRow.ts"
import type { Tone } from "../look/Tone.ts"

/** Why an attempt gave no answer, in a word or two. */
const shortCause = (cause: string): string =>
  cause.length <= 18 ? cause : `${cause.slice(0, 16).trimEnd()}…`

export const attemptTone = ({ cause, status }: AttemptTold): Tone => {
  if (status === undefined || status === null) return cause === undefined || cause === null ? "off" : "bad"
  if (status >= 500) return "bad"
  if (status >= 400) return "warn"
  return cause === undefined || cause === null ? "good" : "bad"
}

/** What became of it: its status, or why there is none. */
export const attemptWord = ({ cause, status }: AttemptTold): string => {
  if (status !== undefined && status !== null) return String(status)
  return cause === undefined || cause === null ? "left" : shortCause(cause)
}
