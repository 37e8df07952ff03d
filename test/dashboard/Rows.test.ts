/** The list of requests in the page. */
import { describe, expect, it } from "@effect/vitest"
import * as fc from "fast-check"
import { afterEvent, empty } from "../../dashboard/requests/RequestList.ts"
import { keyOf, mostRows, withNewer, withOlder } from "../../dashboard/requests/Rows.ts"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"

const row = (second: number, id = "r"): RequestRow => ({
  id,
  started_at: new Date(second * 1000).toISOString(),
  client_ip: null,
  endpoint: "chat.completions",
  model: null,
  upstream_model: null,
  upstream: null,
  attempts: [],
  stream: null,
  status: 200,
  outcome: "ok",
  error: null,
  prompt_tokens: null,
  completion_tokens: null,
  total_tokens: null,
  cached_tokens: null,
  reasoning_tokens: null,
  latency_ms: null,
  ttft_ms: null,
  finish_reason: null,
  tools: null,
  tool_calls: null,
  multimodal: null,
  user_agent: null,
  key_fingerprint: null,
  overhead_ms: null,
  dialect: null,
  upstream_request_id: null,
  cache_write_tokens: null,
  audio_tokens: null,
  image_tokens: null,
  service_tier: null,
  response_id: null,
  conversation: null,
  config_hash: null,
  dropped: [],
  search_units: null,
  audio_seconds: null,
  characters: null,
  images: null,
  answer_bytes: null,
  answer_type: null,
  not_asked: [],
})

const many = (from: number, count: number) => Array.from({ length: count }, (_, index) => row(from + index))

describe("The list of requests", () => {
  it("has the newest first and none twice, however they come", () => {
    const rows = withNewer([row(3), row(1)], [row(2), row(3), row(3, "another")])
    expect(rows.map(keyOf)).toEqual([row(3, "r"), row(3, "another"), row(2), row(1)].map(keyOf))
  })

  it("is bounded: newer ones drive out the oldest, and older ones the newest", () => {
    const full = withNewer([], many(1_000, mostRows))
    const newer = withNewer(full, [row(9_000)])
    expect([newer.length, newer.at(0)?.started_at]).toEqual([mostRows, row(9_000).started_at])
    const older = withOlder(full, [row(1)])
    expect([older.length, older.at(-1)?.started_at]).toEqual([mostRows, row(1).started_at])
  })
})

const page = (rows: ReadonlyArray<RequestRow>, next: string | null = null) =>
  ({ ok: true, value: { rows, next, searched_to: null, left_out: [] } }) as const

describe("The list as it changes", () => {
  it("holds what finishes while it is paused, each once, and nothing that it shows", () => {
    const paused = [
      { of: "first", goesOn: false, answer: page([row(2), row(1)]) },
      { of: "pause" },
      { of: "finished", row: row(3) },
      { of: "newest", goesOn: false, answer: page([row(4), row(3), row(2), row(1)]) },
      { of: "finished", row: row(2) },
    ] as const
    const list = paused.reduce(afterEvent, empty)
    expect(list.held.map(keyOf)).toEqual([row(4), row(3)].map(keyOf))
    expect(list.rows).toHaveLength(2)
    const on = afterEvent(list, { of: "go_on" })
    expect([on.rows.length, on.held.length, on.isPaused]).toEqual([4, 0, false])
  })

  it("law: is in order, has none twice and no more than it may, and no next page where it would leave a gap", () => {
    const rows = fc.array(fc.nat(30), { maxLength: 8 }).map((seconds) => seconds.map((second) => row(second)))
    const event = fc.oneof(
      rows.map((found) => ({ of: "newest", goesOn: false, answer: page(found) }) as const),
      rows.map((found) => ({ of: "older", goesOn: false, answer: page(found, "next") }) as const),
      fc.nat(30).map((second) => ({ of: "finished", row: row(second) }) as const),
      fc.constantFrom({ of: "pause" } as const, { of: "go_on" } as const),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const list = events.reduce(afterEvent, empty)
        for (const shown of [list.rows, list.held]) {
          const keys = shown.map(keyOf)
          expect(keys).toEqual([...new Set(keys)].toSorted().toReversed())
        }
        expect(list.held.filter((one) => list.rows.some((other) => keyOf(one) === keyOf(other)))).toEqual([])
      }),
    )
    const full = afterEvent(empty, {
      of: "first",
      goesOn: false,
      answer: page(many(1_000, mostRows).toReversed(), "next"),
    })
    expect([full.next, afterEvent(full, { of: "finished", row: row(9_000) }).next]).toEqual(["next", null])
  })

  it("awaits what is asked for by itself, whatever comes of newer ones meanwhile", () => {
    const found = afterEvent(empty, { of: "first", goesOn: true, answer: page([row(2)], "next") })
    expect(found.isAwaited).toBe(true)
    const newer = afterEvent(found, { of: "newest", goesOn: false, answer: page([row(3)]) })
    expect([newer.isAwaited, newer.next]).toEqual([true, "next"])
    const over = afterEvent(newer, { of: "first", goesOn: false, answer: page([row(1)]) })
    expect([over.isAwaited, over.rows.length]).toEqual([false, 3])
  })
})
