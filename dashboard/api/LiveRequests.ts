/** Requests as they finish, by server-sent events. A connection that breaks is made again, and what was missed meanwhile is told. */
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"
import { addressOf, isSignedOut, type Params } from "./Admin.ts"
import { waitAfter } from "./Backoff.ts"

/** `lost` until the connection is there again: at this time it is tried. */
export type LiveState =
  | { readonly is: "connecting" }
  | { readonly is: "live" }
  | { readonly is: "lost"; readonly triedAt: number }

export interface LiveListener {
  readonly onRow: (row: RequestRow) => void
  /** Requests may have been missed, as those that finished before all processes were watched: the pages have them. */
  readonly onGap: () => void
  readonly onState: (state: LiveState) => void
}

/** How long a request that has finished may be on its way into the audit, where the pages find it. */
const writtenMs = 500

/** Listens until the function it gives is called. */
export const listen = (filters: Params, { onGap, onRow, onState }: LiveListener): (() => void) => {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let written: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let isOver = false

  const stop = () => {
    isOver = true
    clearTimeout(timer)
    clearTimeout(written)
    source?.close()
  }

  const again = () => {
    source?.close()
    if (isOver) return
    failures += 1
    const waitMs = waitAfter(failures, Math.random())
    onState({ is: "lost", triedAt: Date.now() + waitMs })
    timer = setTimeout(connect, waitMs)
    // An event source does not tell why it was refused. If nobody is signed in any more, this question tells.
    void isSignedOut().then((isOut) => {
      if (isOut) stop()
    })
  }

  const connect = () => {
    if (isOver) return
    onState({ is: "connecting" })
    source = new EventSource(addressOf("requests/live", filters))
    source.addEventListener("open", () => {
      failures = 0
      onState({ is: "live" })
    })
    source.addEventListener("ready", () => {
      clearTimeout(written)
      written = setTimeout(onGap, writtenMs)
    })
    source.addEventListener("request", (event) => {
      if (event instanceof MessageEvent) onRow(JSON.parse(event.data))
    })
    source.addEventListener("missed", onGap)
    source.addEventListener("end", again)
    // Browsers try again by themselves after some failures and not after others; here all are the same.
    source.addEventListener("error", again)
  }

  connect()
  return stop
}
