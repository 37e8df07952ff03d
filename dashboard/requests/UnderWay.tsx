/** Requests that have been under way for a while, above those that are over. Nothing is there where there are none. */
import { useMemo, useRef, useState } from "preact/hooks"
import type { ActiveRequest } from "../../src/admin/api/ActiveReport.ts"
import { activeRequests, type Params } from "../api/Admin.ts"
import { useAnswer } from "../api/Asking.ts"
import { useNow } from "../look/Now.ts"
import { exact } from "../words/Numbers.ts"
import { absolute } from "../words/Times.ts"
import { running, shownOf, waitOf } from "./Active.ts"
import { AttemptChips } from "./AttemptChips.tsx"
import type { RequestList } from "./RequestList.ts"
import { keyOf } from "./Rows.ts"

/** Often enough that one which hangs is seen within two seconds. */
const againMs = () => 800

/** Shown without being asked for. */
const mostAtOnce = 5

const Line = ({ one }: { readonly one: ActiveRequest }) => (
  <li title={one.id}>
    <time class="num" dateTime={one.started_at} title={absolute(one.started_at)}>
      {running(one.age_ms)}
    </time>
    <span class="model" title={one.model ?? undefined}>
      {one.model ?? one.endpoint}
    </span>
    <span class="path">
      <AttemptChips attempts={one.attempts} />
      {one.attempts.length > 0 && <span class="then"> → </span>}
      <span class="wait">{waitOf(one)}</span>
    </span>
    <span class="caller code">{one.key_fingerprint?.slice(0, 8) ?? one.client_ip}</span>
  </li>
)

/** How many there are; `told` of `count` are known here. */
const countOf = (shown: number, told: number, count: number): string =>
  count > told ? `the oldest ${exact(told)} of ${exact(count)}` : exact(shown)

/** The section, which gives its place up smoothly: what leaves it last is seen to go. */
const Section = ({
  count,
  shown,
}: {
  readonly shown: ReadonlyArray<ActiveRequest>
  readonly count: string
}) => {
  const [isWhole, setWhole] = useState(false)
  const last = useRef({ shown, count })
  if (shown.length > 0) last.current = { shown, count }
  const kept = last.current
  return (
    <section class={shown.length > 0 ? "under-way" : "under-way gone"} aria-label="Under way">
      <div>
        <h2>
          Under way <span class="muted num">{kept.count}</span>
        </h2>
        <ul>
          {kept.shown.slice(0, isWhole ? undefined : mostAtOnce).map((one) => (
            <Line key={keyOf(one)} one={one} />
          ))}
        </ul>
        {kept.shown.length > mostAtOnce && (
          <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? `Show the oldest ${mostAtOnce}` : `Show all ${exact(kept.shown.length)}`}
          </button>
        )}
      </div>
    </section>
  )
}

/** What is known of those under way while the list is held is what was known when it was. */
export const UnderWay = ({ filters, list }: { readonly filters: Params; readonly list: RequestList }) => {
  const { isPaused, live } = list
  const isHeld = isPaused || live.is !== "live"
  const { problem, value } = useAnswer(activeRequests, filters, againMs, isHeld)
  const cameAt = useMemo(Date.now, [value])
  const now = useNow()
  if (value === undefined || problem !== undefined || live.is === "lost")
    return <Section shown={[]} count="" />
  const sinceMs = isPaused ? 0 : Math.max(0, now - cameAt)
  const shown = shownOf(value, sinceMs, list.rows)
  return <Section shown={shown} count={countOf(shown.length, value.requests.length, value.count)} />
}
