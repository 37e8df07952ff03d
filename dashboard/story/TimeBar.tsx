/** The time of a request as one bar of its spans. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { duration, percent } from "../words/Numbers.ts"
import { mostOf, spansOf } from "./WhereTimeWent.ts"

export const TimeBar = ({ row }: { readonly row: RequestRow }) => {
  const spans = spansOf(row)
  const total = row.latency_ms ?? 0
  const most = mostOf(spans)
  if (spans.length === 0) return null
  return (
    <section class="times">
      <h3>Time</h3>
      <div class="timebar" aria-hidden="true">
        {spans.map(({ ms, tone, what }) => (
          <span
            key={what}
            class={`span ${tone}`}
            style={{ flexGrow: ms }}
            title={`${what}: ${duration(ms)}`}
          />
        ))}
      </div>
      <ul class="legend">
        {spans.map((span) => (
          <li key={span.what} class={span === most ? "most" : undefined}>
            <span class={`swatch ${span.tone}`} aria-hidden="true" />
            <span class="what">{span.what}</span>
            <span class="num">{duration(span.ms)}</span>
            <span class="num muted">{percent(span.ms, total)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
