/** How far a page is looked for at once. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nextStretch } from "../../../src/audit/read/Paging.ts"

describe("The next stretch of rows", () => {
  it.each([
    ["is twice as long while there is time", 4_000, 5, 1_000, 8_000],
    ["ends at a length", 64_000, 5, 1_000, 64_000],
    ["is what the rest of the time is likely to do", 16_000, 40, 20, 8_000],
    ["is no shorter than is worth a query", 64_000, 400, 1, 500],
    ["is of rows that took no time at all", 4_000, 0, 1, 4_000],
    ["knows no time that is over", 4_000, 5, Number.POSITIVE_INFINITY, 8_000],
  ])("%s", (_, rows, tookMs, leftMs, expected) => {
    expect(nextStretch(rows, tookMs, leftMs)).toBe(expected)
  })

  it("law: takes no longer than what is left, at the pace of the last, but for the shortest", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 500, max: 64_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 1, max: 1_000 }),
        (rows, tookMs, leftMs) => {
          const next = nextStretch(rows, tookMs, leftMs)
          expect(next === 500 || (next * tookMs) / rows <= leftMs).toBe(true)
        },
      ),
    )
  })
})
