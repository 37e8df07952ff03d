/** Requests as they finish, by a source of events that the test plays. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { type LiveState, listen } from "../../dashboard/api/LiveRequests.ts"

/** What the page takes for a browser's `EventSource`. */
class PlayedSource extends EventTarget {
  static readonly made: Array<PlayedSource> = []
  readonly address: string
  isClosed = false

  constructor(address: string) {
    super()
    this.address = address
    PlayedSource.made.push(this)
  }

  close(): void {
    this.isClosed = true
  }

  say(event: string, data?: unknown): void {
    this.dispatchEvent(
      data === undefined ? new Event(event) : new MessageEvent(event, { data: JSON.stringify(data) }),
    )
  }
}

const heard = () => {
  const rows: Array<unknown> = []
  const states: Array<LiveState["is"]> = []
  const onGap = vi.fn()
  const stop = listen(
    { model: "gpt-4o" },
    { onRow: (row) => rows.push(row), onGap, onState: ({ is }) => states.push(is) },
  )
  return { rows, states, onGap, stop }
}

const newest = (): PlayedSource => {
  const source = PlayedSource.made.at(-1)
  if (source === undefined) throw new Error("nothing is listened to")
  return source
}

beforeEach(() => {
  PlayedSource.made.length = 0
  vi.useFakeTimers()
  vi.stubGlobal("EventSource", PlayedSource)
  vi.stubGlobal("fetch", async () => Response.json({ asks_keys: true, signed_in: true }))
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe("Requests as they finish", () => {
  it("are told as they come, and those before all processes were watched are looked for when they are written", () => {
    const { onGap, rows, states } = heard()
    expect(newest().address).toBe("admin/api/requests/live?model=gpt-4o")
    newest().say("open")
    newest().say("ready")
    expect([states, onGap.mock.calls.length]).toEqual([["connecting", "live"], 0])
    vi.advanceTimersByTime(500)
    expect(onGap).toHaveBeenCalledTimes(1)
    newest().say("request", { id: "one" })
    newest().say("missed", { missed: 3 })
    expect([rows, onGap.mock.calls.length]).toEqual([[{ id: "one" }], 2])
  })

  it.each(["end", "error"])("are listened to again after %s, once, and looked for again", (event) => {
    const { onGap, states } = heard()
    const first = newest()
    first.say("open")
    first.say("ready")
    vi.advanceTimersByTime(500)
    first.say(event)
    expect([first.isClosed, states]).toEqual([true, ["connecting", "live", "lost"]])
    vi.advanceTimersByTime(500)
    expect(PlayedSource.made).toHaveLength(2)
    newest().say("open")
    newest().say("ready")
    vi.advanceTimersByTime(500)
    expect([states, onGap.mock.calls.length]).toEqual([
      ["connecting", "live", "lost", "connecting", "live"],
      2,
    ])
  })

  it("leave nothing behind when nobody looks any more", () => {
    const { onGap, stop } = heard()
    newest().say("ready")
    stop()
    newest().say("error")
    vi.advanceTimersByTime(60_000)
    expect([PlayedSource.made.length, newest().isClosed, onGap.mock.calls.length]).toEqual([1, true, 0])
  })
})
