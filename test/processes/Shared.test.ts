import { describe, expect, it } from "vitest"
import { shared } from "../../src/processes/Shared.ts"

describe("A shared run", () => {
  it("serves all who ask at once, and was begun after they did", async () => {
    let begun = 0
    const ends: Array<(run: number) => void> = []
    const ask = shared(() => {
      begun += 1
      return new Promise<number>((resolve) => ends.push(resolve))
    })
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const first = [ask(), ask()]
    await turn()
    expect(begun).toBe(1)
    const later = Array.from({ length: 100 }, ask)
    await turn()
    expect(begun).toBe(1)
    ends[0]?.(1)
    expect(await Promise.all(first)).toEqual([1, 1])
    await turn()
    expect(begun).toBe(2)
    ends[1]?.(2)
    expect(new Set(await Promise.all(later))).toEqual(new Set([2]))
    await turn()
    expect(begun).toBe(2)
  })

  it("that fails does not keep the next one from running", async () => {
    let runs = 0
    const ask = shared(async () => {
      runs += 1
      if (runs === 1) throw new Error("the first")
      return runs
    })
    await expect(ask()).rejects.toThrow("the first")
    expect(await ask()).toBe(2)
  })
})
