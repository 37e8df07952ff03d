/** The clients that a request went to, in order: `openai 429 → azure 200`. */
import type { AttemptTold } from "../../src/admin/api/RequestRow.ts"
import { duration } from "../words/Numbers.ts"
import type { Tone } from "./Outcome.tsx"

/** In a line of the list; the story has all of them. */
const mostInLine = 4

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

const titleOf = ({ cause, ms, resumed }: AttemptTold): string =>
  [duration(ms), ...(resumed === true ? ["resumed the answer"] : []), ...(cause ? [cause] : [])].join(", ")

export const AttemptChip = ({ attempt }: { readonly attempt: AttemptTold }) => (
  <span class={`chip ${attemptTone(attempt)}`} title={titleOf(attempt)}>
    {attempt.resumed === true && "↷ "}
    {attempt.upstream} <b>{attemptWord(attempt)}</b>
  </span>
)

export const AttemptChips = ({ attempts }: { readonly attempts: ReadonlyArray<AttemptTold> }) => (
  <span class="chips">
    {attempts.slice(0, mostInLine).map((attempt, index) => (
      <>
        {index > 0 && <span class="then"> → </span>}
        <AttemptChip key={index} attempt={attempt} />
      </>
    ))}
    {attempts.length > mostInLine && (
      <span class="muted">{` → and ${attempts.length - mostInLine} more`}</span>
    )}
  </span>
)
