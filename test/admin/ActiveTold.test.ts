/** Requests under way as they are told: which, in which order, how many, and in which state. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type ActiveDraft, activeOf, activeReport } from "../../src/admin/ActiveTold.ts"
import { mostActive, mostAttempts } from "../../src/admin/api/ActiveReport.ts"
import type { SoFar } from "../../src/audit/record/SoFar.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const soFar: SoFar = {
  model: "gpt-4o",
  stream: true,
  keyFingerprint: "0011",
  conversation: undefined,
  ttftMs: undefined,
  asked: [],
  isAnswered: false,
  isGathered: false,
}

const draft = (id: string, startedAt: number, more: Partial<SoFar> = {}): ActiveDraft => ({
  id,
  startedAt,
  endpoint: "chat.completions",
  clientIp: "192.0.2.7",
  attempts: [],
  soFar: { ...soFar, ...more },
})

const failed = { upstream: "openai", upstreamModel: "gpt-4o", status: 429, cause: undefined, ms: 3 }

describe("Requests under way", () => {
  it("are told by whom they wait for", () => {
    const asked = { upstream: makeUpstream({ name: "azure" }), beganAt: 400, hasSlot: true, isHedge: false }
    const stateOf = (more: Partial<SoFar>, attempts: ActiveDraft["attempts"] = []) =>
      activeOf([{ ...draft("a", 0, more), attempts }], {}, 1_000).requests[0]?.state
    expect(stateOf({ model: undefined })).toBe("reading")
    expect(stateOf({ asked: [{ ...asked, hasSlot: false }] })).toBe("queued")
    expect(stateOf({ asked: [asked] })).toBe("asking")
    expect(stateOf({ asked: [{ ...asked, hasSlot: false }, asked] })).toBe("asking")
    expect(stateOf({}, [failed])).toBe("pausing")
    expect(stateOf({ isAnswered: true }, [failed])).toBe("answering")
    // A stream that another is asked to resume.
    expect(stateOf({ isAnswered: true, ttftMs: 30, asked: [asked] })).toBe("asking")
    // A list of models asks nobody itself.
    expect(stateOf({ isGathered: true })).toBe("asking")
  })

  it("say since when, and for how long whom they ask is asked", () => {
    const asked = {
      upstream: makeUpstream({ name: "azure" }),
      beganAt: 61_000,
      hasSlot: true,
      isHedge: false,
    }
    const [told] = activeOf([draft("a", 60_000, { asked: [asked] })], {}, 63_000).requests
    expect(told).toMatchObject({
      started_at: "1970-01-01T00:01:00.000Z",
      age_ms: 3_000,
      asked: [{ upstream: "azure", ms: 2_000 }],
      ttft_ms: null,
    })
  })

  it("have no age below zero where the clock was set back", () => {
    expect(activeOf([draft("a", 5_000)], {}, 1_000).requests[0]?.age_ms).toBe(0)
  })

  it("are bounded: in number, in attempts, in the length of a name", () => {
    const many = Array.from({ length: mostActive + 20 }, (_, index) => ({
      ...draft(`id-${index}`, 1_000 - index, { model: "m".repeat(100_000) }),
      attempts: Array.from({ length: 100 }, (_, ms) => ({ ...failed, ms })),
    }))
    const { count, requests } = activeOf(many, {}, 2_000)
    expect([count, requests.length]).toEqual([mostActive + 20, mostActive])
    expect(requests[0]?.id).toBe(`id-${mostActive + 19}`)
    expect(requests[0]?.model?.length).toBeLessThan(300)
    expect(requests[0]?.attempts.map(({ ms }) => ms)).toEqual(
      Array.from({ length: mostAttempts }, (_, index) => 100 - mostAttempts + index),
    )
  })

  it("of several processes are the oldest of all, whichever has them", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(1_000), { maxLength: 400 }), { maxLength: 4 }), (processes) => {
        const drafts = processes.map((starts, process) =>
          starts.map((startedAt, index) => draft(`${process}-${index}`, startedAt)),
        )
        const together = activeReport(drafts.map((own) => activeOf(own, {}, 2_000)))
        const alone = activeOf(drafts.flat(), {}, 2_000)
        expect(together.count).toBe(alone.count)
        expect(together.requests.map(({ age_ms }) => age_ms)).toEqual(
          alone.requests.map(({ age_ms }) => age_ms),
        )
      }),
    )
  })

  it("are those asked for alone", () => {
    const asked = { upstream: makeUpstream({ name: "azure" }), beganAt: 0, hasSlot: true, isHedge: false }
    const drafts = [
      { ...draft("first", 1, { asked: [asked] }), attempts: [failed] },
      draft("second", 2, { model: "o3", keyFingerprint: undefined }),
    ]
    const idsOf = (query: Parameters<typeof activeOf>[1]) =>
      activeOf(drafts, query, 10).requests.map(({ id }) => id)
    expect(idsOf({ model: "o3" })).toEqual(["second"])
    expect(idsOf({ model: "" })).toEqual(["first", "second"])
    expect(idsOf({ upstream: "azure" })).toEqual(["first"])
    expect(idsOf({ upstream: "openai" })).toEqual(["first"])
    expect(idsOf({ key: "0011" })).toEqual(["first"])
    expect(idsOf({ text: "SECO" })).toEqual(["second"])
    expect(idsOf({ text: "GPT" })).toEqual(["first"])
    expect(idsOf({ ip: "192.0.2.8" })).toEqual([])
    expect(activeOf(drafts, { endpoint: "models" }, 10).count).toBe(0)
  })
})
