/** Which signals count as another one. */
import { describe, expect, it } from "@effect/vitest"
import { signalCounter } from "../../src/runtime/Signals.ts"

const counted = (signals: ReadonlyArray<readonly [string, number]>) => {
  const countOf = signalCounter()
  return signals.map(([signal, atMs]) => countOf(signal, atMs))
}

describe("a signal", () => {
  it.each([
    {
      what: "counts once where npm passes on the Ctrl-C of the terminal",
      signals: [
        ["SIGINT", 0],
        ["SIGINT", 30],
      ],
      counts: [1, 1],
    },
    {
      what: "counts again when it is pressed again, echoes and all",
      signals: [
        ["SIGINT", 0],
        ["SIGINT", 30],
        ["SIGINT", 900],
        ["SIGINT", 930],
        ["SIGINT", 1800],
      ],
      counts: [1, 1, 2, 2, 3],
    },
    {
      what: "counts at once when it is another one",
      signals: [
        ["SIGINT", 0],
        ["SIGTERM", 1],
      ],
      counts: [1, 2],
    },
    { what: "counts at the very start", signals: [["SIGTERM", 0]], counts: [1] },
  ] as const)("$what", ({ signals, counts }) => {
    expect(counted(signals)).toEqual(counts)
  })
})
