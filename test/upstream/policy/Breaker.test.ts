/** The breaker: its laws over any history of attempts. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  admits,
  type Breaker,
  type BreakerPolicy,
  begun,
  closed,
  ended,
} from "../../../src/upstream/policy/Breaker.ts"
import type { Sign } from "../../../src/upstream/policy/Signs.ts"

const policyArb: fc.Arbitrary<BreakerPolicy> = fc
  .record({
    failures: fc.integer({ min: 1, max: 5 }),
    openMs: fc.integer({ min: 1, max: 1_000 }),
    more: fc.integer({ min: 0, max: 5_000 }),
  })
  .map(({ failures, more, openMs }) => ({ failures, openMs, maxOpenMs: openMs + more }))

const signArb: fc.Arbitrary<Sign> = fc.oneof(
  fc.constant<Sign>("well"),
  fc.constant<Sign>("answering"),
  fc.constant<Sign>("failing"),
  fc.integer({ min: 0, max: 10_000 }).map((limitedForMs) => ({ limitedForMs })),
  fc.constantFrom<Sign>("credentials_rejected", "out_of_credit", "model_missing", "nothing"),
)

interface Step {
  readonly passMs: number
  readonly sign: Sign
}

const historyArb: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.record({ passMs: fc.integer({ min: 0, max: 3_000 }), sign: signArb }),
  { maxLength: 30 },
)

/** An attempt that takes no time. */
const at = (now: number) => ({ beganAt: now, now })

/** One attempt after the other, from a closed breaker at time 0. */
const endOf = (history: ReadonlyArray<Step>, policy: BreakerPolicy) => {
  let now = 0
  let breaker: Breaker = closed
  for (const { passMs, sign } of history) {
    now += passMs
    breaker = ended(begun(breaker, now), sign, at(now), policy)
  }
  return { breaker, now }
}

describe("A breaker", () => {
  it("law: whatever happened, it admits somebody again within the longest wait", () => {
    fc.assert(
      fc.property(historyArb, policyArb, (history, policy) => {
        const { breaker, now } = endOf(history, policy)
        expect(admits(breaker, now + policy.maxOpenMs)).toBe(true)
        // Also where the attempt that it admitted never comes to an end.
        const probed = begun(breaker, now + policy.maxOpenMs)
        expect(admits(probed, now + 2 * policy.maxOpenMs)).toBe(true)
      }),
    )
  })

  it("law: whatever happened, one attempt that went well closes it", () => {
    fc.assert(
      fc.property(historyArb, policyArb, (history, policy) => {
        const { breaker, now } = endOf(history, policy)
        const probed = begun(breaker, now + policy.maxOpenMs)
        expect(ended(probed, "well", at(now + policy.maxOpenMs), policy)).toEqual(closed)
      }),
    )
  })

  it("law: an open one admits a single attempt at a time", () => {
    fc.assert(
      fc.property(historyArb, policyArb, (history, policy) => {
        const { breaker, now } = endOf([...history, { passMs: 0, sign: "credentials_rejected" }], policy)
        const later = now + policy.maxOpenMs
        expect(admits(breaker, later)).toBe(true)
        expect(admits(begun(breaker, later), later)).toBe(false)
      }),
    )
  })

  it("law: it opens with the last of so many failures in a row, however many others came between before", () => {
    fc.assert(
      fc.property(policyArb, fc.integer({ min: 0, max: 20 }), (policy, runs) => {
        let breaker = closed
        for (let run = 0; run < runs; run++) {
          for (let i = 1; i < policy.failures; i++) breaker = ended(breaker, "failing", at(0), policy)
          expect(breaker._tag).toBe("Closed")
          breaker = ended(breaker, "well", at(0), policy)
        }
        for (let i = 0; i < policy.failures; i++) {
          expect(breaker._tag).toBe("Closed")
          breaker = ended(breaker, "failing", at(0), policy)
        }
        expect(breaker).toMatchObject({ _tag: "Open", until: policy.openMs, reason: "failing" })
      }),
    )
  })

  it("law: with no failures allowed for, it never opens", () => {
    fc.assert(
      fc.property(historyArb, policyArb, (history, policy) => {
        expect(endOf(history, { ...policy, failures: 0 }).breaker).toEqual(closed)
      }),
    )
  })

  it("law: of attempts that began before it opened, none closes it nor lengthens its wait", () => {
    fc.assert(
      fc.property(
        historyArb,
        policyArb,
        fc.constantFrom<Sign>("well", "answering", "failing", "nothing"),
        fc.nat(10_000),
        (history, policy, sign, laterMs) => {
          const { breaker, now } = endOf([...history, { passMs: 1, sign: "credentials_rejected" }], policy)
          const outdated = { beganAt: now - 1, now: now + laterMs }
          expect(ended(breaker, sign, outdated, policy)).toEqual(breaker)
          const probed = begun(breaker, now + policy.maxOpenMs)
          expect(ended(probed, sign, outdated, policy)).toEqual(probed)
        },
      ),
    )
  })

  it("law: streams that begin and break open it like any other failures, though beginnings came between", () => {
    fc.assert(
      fc.property(policyArb, (policy) => {
        let breaker: Breaker = closed
        for (let i = 0; i < policy.failures; i++) {
          expect(breaker._tag).toBe("Closed")
          breaker = ended(ended(breaker, "answering", at(0), policy), "failing", at(0), policy)
        }
        expect(breaker._tag).toBe("Open")
      }),
    )
  })

  it("law: a probe whose stream begins closes it, and one that then breaks opens it again", () => {
    fc.assert(
      fc.property(historyArb, policyArb, (history, policy) => {
        const { breaker, now } = endOf([...history, { passMs: 0, sign: "credentials_rejected" }], policy)
        const later = now + policy.maxOpenMs
        const answering = ended(begun(breaker, later), "answering", at(later), policy)
        expect(admits(answering, later)).toBe(true)
        expect(admits(ended(answering, "failing", at(later), policy), later)).toBe(false)
      }),
    )
  })

  it("waits twice as long after each failed probe, up to the longest wait", () => {
    const policy: BreakerPolicy = { failures: 1, openMs: 100, maxOpenMs: 350 }
    const waits: Array<number> = []
    let now = 0
    let breaker = ended(closed, "failing", at(now), policy)
    for (let probe = 0; probe < 4; probe++) {
      if (breaker._tag !== "Open") throw new Error(`it is ${breaker._tag}`)
      waits.push(breaker.until - now)
      now = breaker.until
      breaker = ended(begun(breaker, now), "failing", at(now), policy)
    }
    expect(waits).toEqual([100, 200, 350, 350])
  })

  it("opens for one caller alone whose requests alone fail, and for all once another's fails too", () => {
    const by = (caller: string, now: number) => ({ beganAt: now, now, caller })
    const twice = { failures: 2, openMs: 1_000, maxOpenMs: 10_000 }
    const one = ended(ended(closed, "failing", by("a", 1), twice), "failing", by("a", 2), twice)
    expect([admits(one, 3, "a"), admits(one, 3, "b"), admits(one, 3)]).toEqual([false, true, false])
    expect(ended(one, "failing", by("a", 3), twice)).toBe(one)
    const all = ended(one, "failing", by("b", 4), twice)
    expect([admits(all, 5, "a"), admits(all, 5, "b")]).toEqual([false, false])
    expect(ended(one, "well", by("b", 4), twice)).toEqual(closed)
    // Of both from the beginning.
    const both = ended(ended(closed, "failing", by("a", 1), twice), "failing", by("b", 2), twice)
    expect([admits(both, 3, "a"), admits(both, 3, "c")]).toEqual([false, false])
    // No request of anybody's is the reason.
    const none = ended(ended(closed, "failing", { beganAt: 1, now: 1 }, twice), "failing", by("a", 2), twice)
    expect(admits(none, 3, "c")).toBe(false)
  })
})
