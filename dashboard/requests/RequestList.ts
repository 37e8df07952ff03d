/** The requests that are shown: pages of past ones by their cursors, and those that finish meanwhile. */
import { useEffect, useReducer, useRef } from "preact/hooks"
import type { RequestPage } from "../../src/admin/api/RequestPages.ts"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { type Answer, listRequests, type Params } from "../api/Admin.ts"
import { type LiveState, listen } from "../api/LiveRequests.ts"
import type { Problem } from "../api/Problem.ts"
import { withNewer, withOlder } from "./Rows.ts"

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

const empty: RequestList = {
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
  | { readonly of: "first" | "older" | "newest"; readonly answer: Answer<RequestPage> }
  | { readonly of: "finished"; readonly row: RequestRow }
  | { readonly of: "live"; readonly state: LiveState }
  | { readonly of: "pause" }
  | { readonly of: "go_on" }

const pageCame = (
  list: RequestList,
  of: "first" | "older" | "newest",
  answer: Answer<RequestPage>,
): RequestList => {
  if (!answer.ok) return { ...list, isAwaited: false, problem: answer.problem }
  const { left_out: leftOut, next, rows, searched_to: searchedTo } = answer.value
  const settled = { ...list, isAwaited: false, problem: undefined, leftOut }
  switch (of) {
    case "first":
      return { ...settled, rows: withNewer(rows, list.rows), next, searchedTo }
    case "older":
      return { ...settled, rows: withOlder(list.rows, rows), next, searchedTo }
    case "newest":
      return list.isPaused
        ? { ...settled, held: withNewer(list.held, rows) }
        : { ...settled, rows: withNewer(list.rows, rows) }
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
      return pageCame(list, event.of, event.answer)
    case "finished":
      return list.isPaused
        ? { ...list, held: withNewer(list.held, [event.row]) }
        : { ...list, rows: withNewer(list.rows, [event.row]) }
    case "live":
      return { ...list, live: event.state }
    case "pause":
      return { ...list, isPaused: true }
    case "go_on":
      return { ...list, isPaused: false, rows: withNewer(list.rows, list.held), held: [] }
  }
}

export interface ListControls {
  readonly pause: () => void
  readonly goOn: () => void
  readonly older: () => void
  /** Asks again from the newest. */
  readonly again: () => void
}

/** @param isLive whether requests that finish from now on belong to the list */
export const useRequestList = (filters: Params, isLive: boolean): readonly [RequestList, ListControls] => {
  const [list, tell] = useReducer(afterEvent, empty)
  const asking = useRef<AbortController | undefined>(undefined)
  const key = JSON.stringify(filters)

  const load = async (of: "first" | "older" | "newest", cursor?: string) => {
    const signal = asking.current?.signal ?? AbortSignal.abort()
    tell({ of: "asking" })
    const answer = await listRequests({ ...filters, cursor }, signal)
    if (!signal.aborted) tell({ of, answer })
  }

  useEffect(() => {
    const current = new AbortController()
    asking.current = current
    tell({ of: "filters" })
    void load("first")
    const stop = isLive
      ? listen(filters, {
          onRow: (row) => tell({ of: "finished", row }),
          onGap: () => void load("newest"),
          onState: (state) => tell({ of: "live", state }),
        })
      : undefined
    return () => {
      current.abort()
      stop?.()
    }
    // The filters are compared by what they say.
  }, [key, isLive])

  const controls = {
    pause: () => tell({ of: "pause" }),
    goOn: () => tell({ of: "go_on" }),
    older: () => void (list.next !== null && load("older", list.next)),
    again: () => void load("first"),
  }
  return [list, controls]
}
