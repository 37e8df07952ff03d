/** Requests, live and past, and the story of the one that is open. */
import { useEffect, useRef } from "preact/hooks"
import { Empty, Trouble } from "../look/Notice.tsx"
import { changeTo, goTo } from "../route/Here.ts"
import { fragmentOf, type Route, type Filters as Set } from "../route/Route.ts"
import { StoryPanel } from "../story/StoryPanel.tsx"
import { counted } from "../words/Numbers.ts"
import { absolute, dayAndTime } from "../words/Times.ts"
import { Filters, type Known } from "./Filters.tsx"
import { type ListControls, useRequestList } from "./FollowedList.ts"
import { LiveLine } from "./LiveLine.tsx"
import type { RequestList } from "./RequestList.ts"
import { RequestTable } from "./RequestTable.tsx"
import { mostRows } from "./Rows.ts"
import { UnderWay } from "./UnderWay.tsx"

/** Without what only says which story is open. */
const filtersOf = ({ at: _at, ...filters }: Set): Set => filters

/** The filters of what is under way; nothing where what is asked for is known of finished requests alone. */
const activeFilters = ({ outcome = "", since: _since, status = "", ...filters }: Set): Set | undefined =>
  outcome === "" && status === "" ? filters : undefined

const distinct = (values: ReadonlyArray<string | null>): ReadonlyArray<string> =>
  [...new Set(values.filter((value) => value !== null))].sort().slice(0, 100)

const knownIn = ({ rows }: RequestList): Known => ({
  models: distinct(rows.map(({ model }) => model)),
  upstreams: distinct(rows.map(({ upstream }) => upstream)),
  endpoints: distinct(rows.map(({ endpoint }) => endpoint)),
})

const Nothing = ({ isFiltered }: { readonly isFiltered: boolean }) =>
  isFiltered ? (
    <Empty title="No request is like this.">
      <p>
        Change the filters, or <a href={fragmentOf({ page: "requests" })}>clear them</a>.
      </p>
    </Empty>
  ) : (
    <Empty title="No requests yet.">
      <p>
        Send one: <a href={fragmentOf({ page: "connect" })}>Connect</a> has the lines to paste. It is shown
        here when it has finished.
      </p>
    </Empty>
  )

/** Asks for what is older. What takes long goes on by itself, until it is stopped. */
const Further = ({ controls, list }: { readonly list: RequestList; readonly controls: ListControls }) => {
  if (list.searchedTo === null)
    return (
      <button type="button" disabled={list.isAwaited} onClick={controls.older}>
        {list.isAwaited ? "Asking …" : "Older requests"}
      </button>
    )
  return list.isAwaited ? (
    <button type="button" onClick={controls.stop}>
      Stop
    </button>
  ) : (
    <button type="button" onClick={controls.older}>
      Search further back
    </button>
  )
}

const Foot = ({ controls, list }: { readonly list: RequestList; readonly controls: ListControls }) => (
  <footer class="foot">
    {list.leftOut.map((words) => (
      <p key={words} class="warn">
        {words}
      </p>
    ))}
    {list.searchedTo !== null && (
      <p class="muted" title={absolute(list.searchedTo)}>
        {`Searched back to ${dayAndTime(list.searchedTo)}${list.isAwaited ? " …" : "."}`}
      </p>
    )}
    {list.rows.length > 0 && (
      <p class="muted">
        {counted(list.rows.length, "request")}
        {list.rows.length >= mostRows && ", as many as are shown at once. Filters lead to others."}
      </p>
    )}
    {list.next !== null && <Further list={list} controls={controls} />}
  </footer>
)

const Lines = ({
  controls,
  filters,
  list,
  open,
}: {
  readonly list: RequestList
  readonly controls: ListControls
  readonly filters: Set
  readonly open: string | undefined
}) => {
  const isFiltered = Object.values(filters).some((value) => value !== "")
  return (
    <>
      {list.problem !== undefined && (
        <Trouble title={list.problem.message}>
          <button type="button" onClick={controls.again}>
            Ask again
          </button>
        </Trouble>
      )}
      {list.rows.length > 0 && <RequestTable rows={list.rows} filters={filters} open={open} />}
      {list.rows.length === 0 && list.isAwaited && <p class="muted waiting">Asking …</p>}
      {list.rows.length === 0 && !list.isAwaited && list.problem === undefined && list.next === null && (
        <Nothing isFiltered={isFiltered} />
      )}
      <Foot list={list} controls={controls} />
    </>
  )
}

export const RequestsPage = ({ route }: { readonly route: Route }) => {
  const filters = filtersOf(route.filters)
  const isLive = (filters["until"] ?? "") === ""
  const [list, controls] = useRequestList(filters, isLive)
  const ofActive = activeFilters(filters)
  const lines = useRef<HTMLElement>(null)
  const { id } = route
  // The story took the focus; its line gets it back.
  const was = useRef(id)
  useEffect(() => {
    if (id === undefined && was.current !== undefined) {
      const links = [...(lines.current?.querySelectorAll<HTMLElement>("td.when a") ?? [])]
      links.find(({ dataset }) => dataset["id"] === was.current)?.focus()
    }
    was.current = id
  }, [id])
  const row = list.rows.find(
    (one) => one.id === id && (route.filters["at"] ?? one.started_at) === one.started_at,
  )
  return (
    <div class={id === undefined ? "split" : "split with-story"}>
      <div class="tools-line">
        <Filters
          set={filters}
          known={knownIn(list)}
          onChange={(set) => changeTo({ page: "requests", id, filters: set })}
        />
        <LiveLine list={list} controls={controls} isLive={isLive} />
      </div>
      <section class="lines" aria-label="Requests" ref={lines}>
        {isLive && ofActive !== undefined && (
          <UnderWay key={JSON.stringify(ofActive)} filters={ofActive} list={list} />
        )}
        <Lines list={list} controls={controls} filters={filters} open={id} />
      </section>
      {id !== undefined && (
        <StoryPanel
          key={id}
          id={id}
          at={route.filters["at"]}
          row={row}
          onClose={() => goTo({ page: "requests", filters })}
        />
      )}
    </div>
  )
}
