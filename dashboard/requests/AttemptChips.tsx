/** The clients that a request went to, in order: `openai 429 → azure 200`. */
import type { AttemptTold } from "../../src/admin/api/RequestRow.ts"
import { duration } from "../words/Numbers.ts"
import { attemptTone, attemptWord } from "./Attempt.ts"

/** In a line of the list; the story has all of them. */
const mostInLine = 4

const titleOf = ({ cause, ms, resumed, upstream }: AttemptTold): string =>
  [
    upstream,
    duration(ms),
    ...(resumed === true ? ["resumed the answer"] : []),
    ...(cause ? [cause] : []),
  ].join(", ")

const AttemptChip = ({ attempt }: { readonly attempt: AttemptTold }) => (
  <span class={`chip ${attemptTone(attempt)}`} title={titleOf(attempt)}>
    <span class="of">
      {attempt.resumed === true && "↷ "}
      {attempt.upstream}
    </span>{" "}
    <b>{attemptWord(attempt)}</b>
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
