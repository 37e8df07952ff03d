import { describe, expect, it } from "vitest"
import type { AttemptRecord, AuditRecord } from "../../../src/audit/record/AuditRecord.ts"
import { spansOf } from "../../../src/telemetry/otlp/RequestSpans.ts"
import { noon, sampleRecord, sampleTrace } from "../../support/AuditRecords.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

/** An attempt that began so many milliseconds after its request. */
const attempt = (upstream: string, after: number, about: Partial<AttemptRecord> = {}): AttemptRecord => ({
  upstream,
  upstreamModel: "m",
  status: undefined,
  cause: undefined,
  ms: 5,
  span: {
    id: `b7ad6b71692033${String(after).padStart(2, "0")}`,
    upstream: makeUpstream({ name: upstream }),
    traceparent: "",
    tracestate: undefined,
    beganAt: noon + after,
    endedAt: noon + after + 5,
  },
  ...about,
})

const told = (record: Partial<AuditRecord>) =>
  spansOf(sampleRecord("r", record), sampleTrace, { generation: "stable", capturesContent: false })

const reasons = (attempts: ReadonlyArray<AttemptRecord>) =>
  told({ attempts, upstream: "a" })
    .slice(1)
    .map(({ attributes }) => [attributes["sluice.client"], attributes["sluice.attempt.reason"]])

describe("The spans of a request", () => {
  it("go by when attempts began, and take no hedge for a step of the way", () => {
    const hedge = attempt("b", 20, { cause: "cancelled", hedged: true })
    expect(reasons([hedge, attempt("a", 10, { status: 200 })])).toEqual([
      ["a", "first"],
      ["b", "hedge"],
    ])
    const failed = attempt("a", 10, { status: 500 })
    expect(reasons([hedge, failed, attempt("a", 30, { status: 200 })]).at(-1)).toEqual(["a", "retry"])
    expect(reasons([failed, hedge, attempt("c", 30, { status: 200 })]).at(-1)).toEqual(["c", "fallback"])
  })

  it("tell the dialect of an attempt that was translated, and of no other", () => {
    const [, first, second] = told({
      attempts: [attempt("a", 10, { status: 503 }), attempt("b", 20, { status: 200, dialect: "messages" })],
    })
    expect(first?.attributes["sluice.attempt.dialect"]).toBeUndefined()
    expect(second?.attributes["sluice.attempt.dialect"]).toBe("messages")
  })

  it("tell who was passed by and why, and what was dropped, as much of it as a collector keeps", () => {
    const [none] = told({})
    expect(none?.attributes).toMatchObject({ "sluice.dropped": undefined, "sluice.not_asked": undefined })
    const [some] = told({
      dropped: ["seed"],
      notAsked: [{ upstream: "b", dialect: "messages", cause: "messages has no `seed`" }],
    })
    expect(some?.attributes).toMatchObject({
      "sluice.dropped": ["seed"],
      "sluice.not_asked": ["b: messages has no `seed`"],
    })
    const causes = Array.from({ length: 60 }, () => "x".repeat(3_000))
    const [request] = told({
      dropped: causes,
      notAsked: causes.map((cause) => ({ upstream: "b", dialect: "chat", cause })),
    })
    for (const name of ["sluice.dropped", "sluice.not_asked"]) {
      const kept = request?.attributes[name]
      expect(Array.isArray(kept) && kept.map((one) => one.length)).toEqual(Array(32).fill(1_025))
    }
  })
})
