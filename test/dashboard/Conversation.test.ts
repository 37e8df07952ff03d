/** Bodies that are nested to break what shows them. */
import { describe, expect, it } from "vitest"
import { indented, tooDeep } from "../../dashboard/conversation/Loose.ts"
import { requestIn } from "../../dashboard/conversation/Reading.ts"

const listsIn = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

const resultsIn = (levels: number): string =>
  `${'{"type":"tool_result","content":['.repeat(levels)}"bottom"${"]}".repeat(levels)}`

const asked = (content: string) => requestIn(`{"messages":[{"role":"user","content":[${content}]}]}`)

const levelsOf = (told: unknown): number => [...JSON.stringify(told).matchAll(/"parts":/g)].length

describe("A body with more levels than anybody reads", () => {
  it("is shown as it came, where it is to be indented", () => {
    for (const levels of [100, 5_000, 200_000]) {
      expect(indented(listsIn(levels))).toBe(listsIn(levels))
    }
    expect(indented("[[1]]")).toBe("[\n  [\n    1\n  ]\n]")
  })

  it("says so in the conversation, and shows all that is not so deep", () => {
    for (const levels of [100, 5_000, 100_000]) {
      expect(asked(`"hello",{"type":"unheard-of","x":${listsIn(levels)}}`).turns[0]?.parts).toEqual([
        { is: "text", text: "hello" },
        { is: "other", told: tooDeep },
      ])
      const { turns } = asked(resultsIn(levels))
      expect(JSON.stringify(turns)).toContain(tooDeep)
      expect(levelsOf(turns)).toBeLessThan(70)
    }
    expect(JSON.stringify(asked(resultsIn(5)))).toContain("bottom")
  })
})
