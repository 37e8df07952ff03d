/** The time a request has: what its client says can only shorten what the configuration gives. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { deadlineOf, timeoutHeader } from "../../src/access/Deadline.ts"

const said = (value: string) => ({ [timeoutHeader]: value })

describe("deadlineOf", () => {
  it("is the configuration's where the client says nothing", () => {
    expect(deadlineOf({}, 1_000, 500)).toEqual(
      Either.right({ at: 1_500, afterMs: 500, setBy: "configuration" }),
    )
  })

  it("law: a client's own time counts exactly where it is shorter", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1 }),
        fc.integer({ min: 1 }),
        fc.nat(),
        (asked, configured, startedAt) => {
          expect(deadlineOf(said(String(asked)), startedAt, configured)).toEqual(
            Either.right({
              at: startedAt + Math.min(asked, configured),
              afterMs: Math.min(asked, configured),
              setBy: asked < configured ? "client" : "configuration",
            }),
          )
        },
      ),
    )
  })

  it("refuses a time that is none, naming the header", () => {
    for (const value of ["", "0", "-1", "1.5", "1s", "abc", "1, 2", "0x10", "Infinity", "1e3"]) {
      expect(Either.getOrUndefined(Either.flip(deadlineOf(said(value), 0, 500)))).toMatchObject({
        _tag: "InvalidRequest",
        param: timeoutHeader,
      })
    }
  })

  it("takes a time too large to be counted for more than the configuration gives", () => {
    expect(Either.getOrThrow(deadlineOf(said("9".repeat(400)), 0, 500)).afterMs).toBe(500)
  })
})
