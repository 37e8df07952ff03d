/** The whole story of one request. */
import { useEffect, useRef } from "preact/hooks"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { type Answer, story as askStory } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { Ago } from "../look/Ago.tsx"
import { Copy } from "../look/Copy.tsx"
import { Trouble } from "../look/Notice.tsx"
import { attemptsOf, attemptTone, attemptWord } from "../requests/Attempt.ts"
import { Outcome } from "../requests/Outcome.tsx"
import { fragmentOf } from "../route/Route.ts"
import { duration } from "../words/Numbers.ts"
import { absolute } from "../words/Times.ts"
import { Bodies } from "./Bodies.tsx"
import { changesOf } from "./Changes.ts"
import { Facts } from "./Facts.tsx"
import { TimeBar } from "./TimeBar.tsx"

/** A request that has just finished is told before it is kept: it is asked for until it is. */
const untilKept = (answer: Answer<unknown>): number | undefined =>
  !answer.ok && answer.problem.kind === "missing" ? 700 : undefined

const Attempts = ({ row }: { readonly row: RequestRow }) =>
  row.attempts.length === 0 ? null : (
    <section>
      <h3>Clients asked</h3>
      <ol class="attempts">
        {attemptsOf(row).map((attempt, index) => (
          <li key={index}>
            <span class={`chip ${attemptTone(attempt)}`}>
              <span class="of">{attempt.upstream}</span> <b>{attemptWord(attempt)}</b>
            </span>
            <span class="num">{duration(attempt.ms)}</span>
            {attempt.dialect !== undefined && <span class="muted">asked in {attempt.dialect}</span>}
            {attempt.resumed === true && <span class="muted">resumed the answer</span>}
            {attempt.cause && !attemptWord(attempt).endsWith(attempt.cause) && (
              <span class="cause">{attempt.cause}</span>
            )}
            {attempt.said !== undefined && <span class="cause">{attempt.said}</span>}
          </li>
        ))}
      </ol>
      {row.model !== null && (
        <p>
          <a href={fragmentOf({ page: "upstreams", filters: { model: row.model, endpoint: row.endpoint } })}>
            Where would it go now?
          </a>
        </p>
      )}
    </section>
  )

const Changes = ({ row }: { readonly row: RequestRow }) => {
  const changes = changesOf(row)
  return changes.length === 0 ? null : (
    <section>
      <h3>Changed on the way</h3>
      <ul class="changes">
        {changes.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </section>
  )
}

/** Others that have the same id, which callers choose. */
const Namesakes = ({ others }: { readonly others: ReadonlyArray<RequestRow> }) =>
  others.length === 0 ? null : (
    <p class="muted">
      Others have the same id:{" "}
      {others.map(({ id, started_at: at }) => (
        <a key={at} href={fragmentOf({ page: "requests", id, filters: { at } })}>
          {absolute(at)}
        </a>
      ))}
    </p>
  )

const Head = ({ onClose, row }: { readonly row: RequestRow; readonly onClose: () => void }) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  return (
    <header class="story-head">
      <h2 tabIndex={-1} ref={heading}>
        {row.model ?? row.endpoint}
      </h2>
      <button type="button" class="quiet close" onClick={onClose}>
        Close
      </button>
      <p>
        <Outcome outcome={row.outcome} status={row.status} />
        <span>{row.endpoint}</span>
        {row.latency_ms !== null && <span class="num">{duration(row.latency_ms)}</span>}
        <Ago at={row.started_at} />
      </p>
      <p class="muted code">
        {row.id} <Copy text={row.id} what="id" />
      </p>
    </header>
  )
}

export const StoryPanel = ({
  at,
  id,
  onClose,
  row,
}: {
  readonly id: string
  /** When it came, where that is known. */
  readonly at: string | undefined
  /** It as the list has it, to be shown at once. */
  readonly row: RequestRow | undefined
  readonly onClose: () => void
}) => {
  const panel = useRef<HTMLElement>(null)
  const { isAwaited, problem, value } = useAnswer(askStory, { id }, row === undefined ? undefined : untilKept)
  const stories = value?.requests ?? []
  const story = stories.find(({ started_at }) => started_at === at) ?? stories[0]
  const told = story ?? row
  const isWaiting = story === undefined && (isAwaited || (row !== undefined && problem?.kind === "missing"))
  return (
    <aside
      class="story"
      aria-label="Request"
      ref={panel}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose()
      }}
    >
      <div class="story-told">
        {told !== undefined && <Head row={told} onClose={onClose} />}
        {told === undefined && (
          <button type="button" class="quiet close" onClick={onClose}>
            Close
          </button>
        )}
        {told?.error && <p class="error-text">{told.error}</p>}
        {isWaiting && <p class="muted waiting">Asking …</p>}
        {!isWaiting && story === undefined && problem !== undefined && <Trouble title={problem.message} />}
        {told !== undefined && (
          <>
            <TimeBar row={told} />
            <Attempts row={told} />
            <Changes row={told} />
          </>
        )}
        {story !== undefined && <Bodies story={story} />}
        {told !== undefined && <Facts row={told} />}
        <Namesakes others={stories.filter((other) => other !== story)} />
      </div>
    </aside>
  )
}
