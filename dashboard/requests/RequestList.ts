/** The requests that are shown: pages of past ones by their cursors, and those that finish meanwhile. */
import type { RequestPage } from "../../src/admin/api/RequestPages.ts"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import type { Answer } from "../api/Admin.ts"
import type { LiveState } from "../api/LiveRequests.ts"
import type { Problem } from "../api/Problem.ts"
import { keyOf, mostRows, unknownTo, withNewer, withOlder } from "./Rows.ts"

export interface RequestList {
  readonly rows: ReadonlyArray<RequestRow>
  /** Finished while the list is paused; shown when it goes on. */
  readonly held: ReadonlyArray<RequestRow>
  readonly isPaused: boolean
  readonly live: LiveState
  readonly isAwaited: boolean
  readonly problem: Problem | undefined
  /** The cursor of the next page; null where there is none. */
  readonly next: string | null
  readonly searchedTo: string | null
  readonly leftOut: ReadonlyArray<string>
}

export const empty: RequestList = {
  rows: [],
  held: [],
  isPaused: false,
  live: { is: "connecting" },
  isAwaited: true,
  problem: undefined,
  next: null,
  searchedTo: null,
  leftOut: [],
}

type Event =
  | { readonly of: "filters" }
  | { readonly of: "asking" }
  /** `goesOn`: what lies further back is asked for by itself. */
  | {
      readonly of: "first" | "older" | "newest"
      readonly answer: Answer<RequestPage>
      readonly goesOn: boolean
    }
  | { readonly of: "finished"; readonly row: RequestRow }
  | { readonly of: "live"; readonly state: LiveState }
  | { readonly of: "pause" }
  | { readonly of: "go_on" }

/** With requests that are newer. Where the oldest gave way to them, the next page would leave a gap: there is none then. */
const newer = (list: RequestList, more: ReadonlyArray<RequestRow>): RequestList => {
  const rows = withNewer(list.rows, more)
  const oldest = list.rows.at(-1)
  const last = rows.at(-1)
  const isCut = oldest !== undefined && last !== undefined && keyOf(last) > keyOf(oldest)
  return { ...list, rows, next: isCut ? null : list.next }
}

/** With requests that wait until the list goes on; those that it shows do not. */
const holding = (list: RequestList, more: ReadonlyArray<RequestRow>): RequestList => ({
  ...list,
  held: withNewer(list.held, unknownTo(list.rows, more)),
})

/** With a page of older ones. A full list stands still, so that what somebody looks for does not move on. */
const older = (list: RequestList, more: ReadonlyArray<RequestRow>): RequestList => {
  const rows = withOlder(list.rows, more)
  const held = unknownTo(rows, list.held)
  return { ...list, rows, held, isPaused: list.isPaused || rows.length >= mostRows }
}

const pageCame = (
  list: RequestList,
  { answer, goesOn, of }: Extract<Event, { of: "first" | "older" | "newest" }>,
): RequestList => {
  // What is newer is asked for beside what is older.
  const isAwaited = of === "newest" ? list.isAwaited : goesOn
  if (!answer.ok) return { ...list, isAwaited, problem: answer.problem }
  const { left_out: leftOut, next, rows, searched_to: searchedTo } = answer.value
  const settled = { ...list, isAwaited, problem: undefined, leftOut }
  switch (of) {
    case "first":
      return { ...settled, rows: withNewer(rows, list.rows), next, searchedTo }
    case "older":
      return { ...older(settled, rows), next, searchedTo }
    case "newest":
      return list.isPaused ? holding(settled, rows) : newer(settled, rows)
  }
}

export const afterEvent = (list: RequestList, event: Event): RequestList => {
  switch (event.of) {
    case "filters":
      return { ...empty, isPaused: list.isPaused, live: list.live }
    case "asking":
      return { ...list, isAwaited: true }
    case "first":
    case "older":
    case "newest":
      return pageCame(list, event)
    case "finished":
      return list.isPaused ? holding(list, [event.row]) : newer(list, [event.row])
    case "live":
      return { ...list, live: event.state }
    case "pause":
      return { ...list, isPaused: true }
    case "go_on":
      return { ...newer(list, list.held), isPaused: false, held: [] }
  }
}
