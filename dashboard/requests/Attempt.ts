/** What became of an attempt, by a word and a tone. */
import type { AttemptTold, RequestRow } from "../../src/admin/api/RequestRow.ts"
import type { Tone } from "../look/Tone.ts"

/** Attempts that did not fail, but were given up: by the caller, or for another that was faster. */
const givenUp: ReadonlyArray<readonly [string, string]> = [
  ["the caller left", "caller left"],
  ["cancelled, another upstream answered first", "overtaken"],
]

const givenUpWord = (cause: string): string | undefined => givenUp.find(([of]) => of === cause)?.[1]

/** The attempts of a request. Of a stream that broke off and that nobody was asked to resume, the request alone says so. */
export const attemptsOf = ({
  attempts,
  outcome,
}: Pick<RequestRow, "attempts" | "outcome">): ReadonlyArray<AttemptTold> =>
  attempts.map((attempt, at) =>
    outcome === "stream_broken" && at === attempts.length - 1 && attemptTone(attempt) === "good"
      ? { ...attempt, cause: "broke off" }
      : attempt,
  )

/** Why an attempt gave no answer, in a word or two. */
const shortCause = (cause: string): string =>
  cause.length <= 18 ? cause : `${cause.slice(0, 16).trimEnd()}…`

export const attemptTone = ({ cause, status }: AttemptTold): Tone => {
  if (cause && givenUpWord(cause) !== undefined) return "off"
  if (status === undefined || status === null) return cause ? "bad" : "off"
  if (status >= 500) return "bad"
  if (status >= 400) return "warn"
  return cause ? "bad" : "good"
}

/** What became of it: its status, or why there is none; both where its answer began and broke off. */
export const attemptWord = ({ cause, status }: AttemptTold): string => {
  const left = cause ? givenUpWord(cause) : "left"
  if (status !== undefined && status !== null) {
    return cause && status < 400 ? `${status} ${left ?? "broke off"}` : String(status)
  }
  return left ?? shortCause(cause ?? "")
}
