/** The list of requests. The time of each is a link to its story; arrow keys go from one to the next. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { Ago } from "../look/Ago.tsx"
import { goTo } from "../route/Here.ts"
import { type Filters, fragmentOf } from "../route/Route.ts"
import { duration, exact, short } from "../words/Numbers.ts"
import { attemptsOf } from "./Attempt.ts"
import { AttemptChips } from "./AttemptChips.tsx"
import { Outcome } from "./Outcome.tsx"
import { keyOf } from "./Rows.ts"

const toStory = (row: RequestRow, filters: Filters) => ({
  page: "requests" as const,
  id: row.id,
  filters: { ...filters, at: row.started_at },
})

const Tokens = ({ row }: { readonly row: RequestRow }) => {
  const { cached_tokens: cached, completion_tokens: out, prompt_tokens: prompt } = row
  if (prompt === null && out === null) return <span class="muted">–</span>
  const title = `${exact(prompt ?? 0)} of the prompt${cached ? `, ${exact(cached)} of them cached` : ""}; ${exact(out ?? 0)} of the answer`
  return (
    <span title={title}>
      {short(prompt ?? 0)} <span class="muted">/</span> {short(out ?? 0)}
    </span>
  )
}

/** A bar of the duration beside others: by its logarithm, from 10 ms to 2 minutes. */
const lengthOf = (ms: number): number => Math.max(2, Math.min(100, (100 * Math.log10(ms / 10)) / 4.08))

const Total = ({ ms }: { readonly ms: number }) => (
  <>
    {duration(ms)}
    <span class="length" aria-hidden="true" style={{ width: `${lengthOf(ms)}%` }} />
  </>
)

const Line = ({
  filters,
  isOpen,
  row,
}: {
  readonly row: RequestRow
  readonly filters: Filters
  readonly isOpen: boolean
}) => (
  <tr
    class={isOpen ? "open" : undefined}
    onClick={(event) => {
      // A click on the link is its own, and who selects text wants no story.
      if (event.defaultPrevented || getSelection()?.type === "Range") return
      if (event.target instanceof Element && event.target.closest("a") === null) goTo(toStory(row, filters))
    }}
  >
    <td class="when">
      <a data-id={row.id} href={fragmentOf(toStory(row, filters))} aria-current={isOpen ? "true" : undefined}>
        <Ago at={row.started_at} />
      </a>
    </td>
    <td title={row.error ?? undefined}>
      <Outcome outcome={row.outcome} status={row.status} />
    </td>
    <td class="model">
      <span title={row.model ?? undefined}>{row.model ?? "–"}</span>
    </td>
    <td class="path">
      {row.attempts.length === 0 ? (
        <span class="muted clipped" title={row.error ?? undefined}>
          {row.error ?? "no client asked"}
        </span>
      ) : (
        <AttemptChips attempts={attemptsOf(row)} />
      )}
    </td>
    <td class="lesser endpoint" title={row.endpoint}>
      {row.endpoint}
    </td>
    <td class="lesser caller code" title={row.user_agent ?? undefined}>
      {row.key_fingerprint?.slice(0, 8) ?? row.client_ip ?? "–"}
    </td>
    <td class="num tokens">
      <Tokens row={row} />
    </td>
    <td class="num lesser ttft">
      {row.ttft_ms === null ? <span class="muted">–</span> : duration(row.ttft_ms)}
    </td>
    <td class="num total">{row.latency_ms === null ? "–" : <Total ms={row.latency_ms} />}</td>
  </tr>
)

/** Moves the focus to the link of the next or the former line. */
const moveAlong = (event: KeyboardEvent): void => {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
  if (step === 0 || !(event.target instanceof Element) || !(event.currentTarget instanceof Element)) return
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("td.when a")]
  const from = event.target.closest<HTMLElement>("td.when a")
  const at = from === null ? -1 : links.indexOf(from)
  const next = links[at + step]
  if (at < 0 || next === undefined) return
  event.preventDefault()
  next.focus()
}

export const RequestTable = ({
  filters,
  open,
  rows,
}: {
  readonly rows: ReadonlyArray<RequestRow>
  readonly filters: Filters
  readonly open: string | undefined
}) => (
  <table class="requests" onKeyDown={moveAlong}>
    <thead>
      <tr>
        <th scope="col">When</th>
        <th scope="col">Outcome</th>
        <th scope="col">Model</th>
        <th scope="col">Clients asked</th>
        <th scope="col" class="lesser">
          Endpoint
        </th>
        <th scope="col" class="lesser">
          Caller
        </th>
        <th scope="col" class="num">
          <abbr title="Tokens of the prompt / of the answer">Tokens</abbr>
        </th>
        <th scope="col" class="num lesser">
          <abbr title="Time to the first content of the answer">First</abbr>
        </th>
        <th scope="col" class="num">
          Total
        </th>
      </tr>
    </thead>
    <tbody>
      {rows.map((row) => (
        <Line key={keyOf(row)} row={row} filters={filters} isOpen={row.id === open} />
      ))}
    </tbody>
  </table>
)
