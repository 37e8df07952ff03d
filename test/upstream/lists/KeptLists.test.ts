import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { bytesOf, type Model } from "../../../src/routing/ModelList.ts"
import { KeptLists } from "../../../src/upstream/lists/KeptLists.ts"

const list = (...ids: ReadonlyArray<string>): ReadonlyArray<Model> =>
  ids.map((id) => ({ id, object: "model", created: 0, owned_by: "them" }))

const large = (name: string): ReadonlyArray<Model> =>
  list(...Array.from({ length: 2_000 }, (_, at) => `${name}-${at}`))

const asked = (kept: KeptLists<object>, key: string, models: ReadonlyArray<Model>): void => {
  kept.ask(key)
  kept.keep(key, models)
}

describe("KeptLists", () => {
  it("holds one list once, though a thousand made-up keys were given it", () => {
    const kept = new KeptLists(() => ({}))
    for (let at = 0; at < 985; at++) asked(kept, `key ${at}`, large("same"))
    expect(kept.bytes).toBe(bytesOf(large("same")))
    expect(kept.models("key 0")).toEqual(large("same"))
  })

  it("holds no more than it may of lists that differ", () => {
    const most = 4 * bytesOf(large("x"))
    const kept = new KeptLists(() => ({}), most)
    for (let at = 0; at < 100; at++) {
      asked(kept, `key ${at}`, large(`${at % 10}`))
      expect(kept.bytes).toBeLessThanOrEqual(most)
    }
    expect(kept.models("key 99")).toBeDefined()
    expect(kept.models("key 0")).toBeUndefined()
  })

  it("lets made-up keys push out each other, not one that is asked for again", () => {
    const kept = new KeptLists(() => ({}), 4 * bytesOf(large("x")))
    asked(kept, "good", large("good"))
    kept.ask("good")
    for (let at = 0; at < 3_000; at++) asked(kept, `key ${at}`, at < 50 ? large(`${at}`) : list(`${at}`))
    expect(kept.models("good")).toEqual(large("good"))
    expect(kept.models("key 2999")).toBeDefined()
  })

  it("knows what was known of a key until it is forgotten, and keeps nothing under one that is", () => {
    const kept = new KeptLists(() => ({}))
    const about = kept.ask("a")
    expect(kept.ask("a")).toBe(about)
    kept.keep("b", list("x"))
    expect([kept.models("b"), kept.bytes]).toEqual([undefined, 0])
  })

  it("law: it holds what the lists take that are kept, each once, and no more than it may", () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 20 }).map(String),
      models: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 5 }).map((ids) => list(...ids)),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 800, max: 6_000 }), (steps, most) => {
        const kept = new KeptLists(() => ({}), most)
        for (const { key, models } of steps) {
          asked(kept, key, models)
          expect(kept.models(key)).toEqual(models)
          const all = new Map(
            Array.from({ length: 21 }, (_, at) => kept.models(String(at)) ?? []).map((one) => [
              JSON.stringify(one),
              bytesOf(one),
            ]),
          )
          expect(kept.bytes).toBe([...all.values()].reduce((sum, bytes) => sum + bytes, 0))
          expect(kept.bytes).toBeLessThanOrEqual(Math.max(most, bytesOf(models)))
        }
      }),
    )
  })
})
