/** The list of requests as it is asked for and listened to. */
import { useEffect, useReducer, useRef } from "preact/hooks"
import { listRequests, type Params } from "../api/Admin.ts"
import { listen } from "../api/LiveRequests.ts"
import { afterEvent, empty, type RequestList } from "./RequestList.ts"
import { pagesFrom, type Search, within_ms } from "./Search.ts"

export interface ListControls {
  readonly pause: () => void
  readonly goOn: () => void
  readonly older: () => void
  /** Looks no further back by itself. */
  readonly stop: () => void
  /** Asks again from the newest. */
  readonly again: () => void
}

/** @param isLive whether requests that finish from now on belong to the list */
export const useRequestList = (filters: Params, isLive: boolean): readonly [RequestList, ListControls] => {
  const [list, tell] = useReducer(afterEvent, empty)
  const asking = useRef<AbortController | undefined>(undefined)
  const searching = useRef<Search>({ isStopped: true })
  const key = JSON.stringify(filters)

  const load = async (of: "first" | "older" | "newest", cursor?: string) => {
    const signal = asking.current?.signal ?? AbortSignal.abort()
    if (of === "newest") {
      const answer = await listRequests({ ...filters, within_ms }, signal)
      if (!signal.aborted) tell({ of, answer, goesOn: false })
      return
    }
    tell({ of: "asking" })
    searching.current.isStopped = true
    const search: Search = { isStopped: false }
    searching.current = search
    for await (const page of pagesFrom({ ...filters, cursor }, signal, search)) tell({ of, ...page })
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
    stop: () => {
      searching.current.isStopped = true
    },
    older: () => void (list.next !== null && load("older", list.next)),
    again: () => void load("first"),
  }
  return [list, controls]
}
