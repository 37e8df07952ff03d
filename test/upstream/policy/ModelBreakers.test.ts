/** The breakers of models at one upstream: bounded, whatever models are asked for. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Breaker, closed } from "../../../src/upstream/policy/Breaker.ts"
import {
  type ModelBreakers,
  mostModels,
  none,
  setAside,
  withBreaker,
} from "../../../src/upstream/policy/ModelBreakers.ts"

const open = (until: number) => Breaker.Open({ until, waitMs: 1_000, reason: "rate_limited" })

const all = (models: ReadonlyArray<string>, from: ModelBreakers = none, until = 1_000) =>
  models.reduce((breakers, model) => withBreaker(breakers, model, open(until), 0), from)

const names = (count: number, prefix = "m") => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

describe("The breakers of models", () => {
  it("law: are never more than the bound, however many models are asked for", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 300 }), fc.nat(2_000_000), (models, now) => {
        let breakers = none
        for (const model of models) breakers = withBreaker(breakers, model, open(now), now)
        expect(breakers.size).toBeLessThanOrEqual(mostModels)
        const last = models.at(-1)
        if (last !== undefined) expect(breakers.has(last)).toBe(true)
      }),
    )
    expect(all(names(1_000)).size).toBe(mostModels)
  })

  it("forget first what nobody asks for any more, then the oldest", () => {
    const later = 2_000_000
    const old = all(names(10, "old"))
    const full = all(names(mostModels - 10), old, later)
    const added = withBreaker(full, "new", open(later), later)
    expect([...added.keys()].some((name) => name.startsWith("old"))).toBe(false)
    expect(added.size).toBe(mostModels - 9)
    expect(all(["new"], all(names(mostModels))).has("m0")).toBe(false)
  })

  it("keep none that is as new, and none of a name that is too long to be one", () => {
    expect(withBreaker(all(["m"]), "m", closed, 0).size).toBe(0)
    expect(all(["x".repeat(10_000)]).size).toBe(0)
  })

  it("tell of those set aside alone, not of one that failed once or that nobody asked again", () => {
    const breakers = withBreaker(all(["open"]), "failed", Breaker.Closed({ failures: 1 }), 0)
    expect(setAside(breakers, 0).map(({ model }) => model)).toEqual(["open"])
    expect(setAside(breakers, 10_000_000)).toEqual([])
  })
})
