/** Looking for past requests in short steps: what is found is shown at once, and what lies further back is asked for by itself. */
import { listRequests, type Params } from "../api/Admin.ts"

/** How long one question looks through the audit, so that what it finds is seen at once, and no other waits for long. */
export const within_ms = "100"

/** Requests of a page. */
const pageRows = 50

/** Looking for requests, until somebody has it stop. */
export interface Search {
  isStopped: boolean
}

/** Until somebody looks at the page. */
const seen = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (!document.hidden || signal.aborted) return resolve()
    document.addEventListener("visibilitychange", () => resolve(), { once: true, signal })
    signal.addEventListener("abort", () => resolve(), { once: true })
  })

/** What is found for one page, as it is found: what a filter passes over takes several questions. */
export async function* pagesFrom(params: Params, signal: AbortSignal, search: Search) {
  let cursor = params["cursor"]
  let wanted = pageRows
  for (;;) {
    const limit = wanted === pageRows ? undefined : String(wanted)
    const answer = await listRequests({ ...params, cursor, limit, within_ms }, signal)
    if (signal.aborted) return
    const page = answer.ok ? answer.value : undefined
    wanted -= page?.rows.length ?? 0
    cursor = page?.next ?? undefined
    const goesOn = cursor !== undefined && page?.searched_to !== null && wanted > 0 && !search.isStopped
    yield { answer, goesOn }
    if (!goesOn) return
    await seen(signal)
    if (signal.aborted) return
  }
}
