import { describe, expect, it } from "vitest"
import { attemptMs, firstContentMs } from "../../../src/audit/record/AttemptTimes.ts"
import type { AttemptRecord, AuditRecord } from "../../../src/audit/record/AuditRecord.ts"
import { sampleRecord } from "../../support/AuditRecords.ts"

const attempt = (about: Partial<AttemptRecord>): AttemptRecord => ({
  upstream: "a",
  upstreamModel: "m",
  status: 200,
  cause: undefined,
  ms: 100,
  ...about,
})

const failed = attempt({ status: 503, ms: 40 })
const overtaken = attempt({ cause: "cancelled, another upstream answered first", ms: 500 })

describe("How long attempts took by themselves", () => {
  it("is their own time, and of the one that gave the answer all of that", () => {
    const cases: ReadonlyArray<
      readonly [string, Partial<AuditRecord>, AttemptRecord, boolean, number, number?]
    > = [
      ["one that failed", { attempts: [failed], latencyMs: 45 }, failed, false, 40],
      ["a plain answer", { latencyMs: 104, overheadMs: 4, ttftMs: undefined }, attempt({}), true, 100],
      // Its head came after 100 ms, and what it relays to the caller for as long as the rest.
      ["a relayed one", { latencyMs: 1_004, overheadMs: 4, ttftMs: undefined }, attempt({}), true, 1_000],
      ["a stream", { latencyMs: 1_000, ttftMs: 104 }, attempt({}), true, 996, 100],
      ["a stream behind a failure", { latencyMs: 1_000, ttftMs: 144 }, attempt({}), true, 956, 100],
      ["a stream beside a slower one", { latencyMs: 1_000, ttftMs: 504 }, attempt({}), true, 596, 100],
      [
        "one that went on with another's stream",
        { latencyMs: 1_004, overheadMs: 4, ttftMs: 50 },
        attempt({ resumed: true }),
        true,
        1_000,
      ],
    ]
    for (const [what, about, one, isAnswering, ms, first] of cases) {
      const record = sampleRecord("id", { attempts: [one], ...about })
      expect([what, attemptMs(record, one, isAnswering), firstContentMs(record, one, isAnswering)]).toEqual([
        what,
        ms,
        first,
      ])
    }
  })

  it("is never less than the time until the answer began, whatever else ran beside it", () => {
    const answering = attempt({})
    const record = sampleRecord("id", {
      attempts: [overtaken, answering],
      latencyMs: 504,
      overheadMs: 4,
      ttftMs: undefined,
    })
    expect(attemptMs(record, answering, true)).toBe(100)
  })
})
