/** Requests under way as the page shows them. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { running, shownOf, waitOf, youngestMs } from "../../dashboard/requests/Active.ts"
import type { ActiveRequest } from "../../src/admin/api/ActiveReport.ts"
import { rowTold } from "../../src/admin/RowTold.ts"
import { rowWith } from "../support/StoredAudit.ts"

const active: ActiveRequest = {
  id: "one",
  started_at: "2026-11-22T17:35:00.000Z",
  age_ms: 61_000,
  endpoint: "chat.completions",
  model: "gpt-4o",
  client_ip: "192.0.2.7",
  key_fingerprint: null,
  conversation: null,
  stream: true,
  state: "asking",
  asked: [{ upstream: "openai-1", ms: 42_345 }],
  attempts: [{ upstream: "azure", status: 429, ms: 3 }],
  ttft_ms: null,
}

describe("A request under way", () => {
  it.each<readonly [string, Partial<ActiveRequest>]>([
    ["waits for openai-1, 42 s", {}],
    ["waits for openai-1", { attempts: [] }],
    ["waits for a place at openai-1, 42 s", { state: "queued" }],
    ["waits for openai-1 to resume it, 42 s", { ttft_ms: 900 }],
    [
      "waits for openai-1 and azure",
      {
        attempts: [],
        asked: [
          { upstream: "openai-1", ms: 9 },
          { upstream: "azure", ms: 1 },
        ],
      },
    ],
    ["waits for lists of models", { asked: [], attempts: [] }],
    ["no client asked yet", { state: "reading", asked: [] }],
    ["pauses before clients are asked again", { state: "pausing", asked: [] }],
    ["answering", { state: "answering", asked: [] }],
    ["answering since 1 m 0 s", { state: "answering", asked: [], ttft_ms: 1_000 }],
  ])("%s", (words, more) => {
    expect(waitOf({ ...active, ...more })).toBe(words)
  })

  it("has a time that runs in whole seconds", () => {
    expect([1_234, 12_999, 59_999, 61_999].map(running)).toEqual(["1 s", "12 s", "59 s", "1 m 1 s"])
  })

  it("is shown from the second on, and not when it is over", () => {
    fc.assert(
      fc.property(fc.nat(3_000), fc.nat(3_000), fc.boolean(), (age, since, isOver) => {
        const row = rowTold(rowWith("key", { id: active.id, started_at: active.started_at }))
        const report = { count: 1, requests: [{ ...active, age_ms: age }] }
        const shown = shownOf(report, since, isOver ? [row] : [{ ...row, id: "another" }])
        expect(shown.map(({ age_ms }) => age_ms)).toEqual(
          isOver || age + since < youngestMs ? [] : [age + since],
        )
      }),
    )
  })
})
