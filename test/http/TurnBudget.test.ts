import { setImmediate } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { takesTurn } from "../../src/http/TurnBudget.ts"

describe("Bodies that are whole in one turn of the event loop", () => {
  it("are read in it until they take 25 ms together, and again in the next one", async () => {
    for (let turn = 0; turn < 3; turn++) {
      await setImmediate()
      expect([10, 10, 10, 5, 1].map(takesTurn)).toEqual([true, true, false, true, false])
    }
  })
})
