import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type BytesEnd, relayOf } from "../../src/gateway/RelayedBytes.ts"

const cutBy = { message: "This gateway is shutting down.", type: "server_error", param: null, code: null }

describe("Bytes that are handed on", () => {
  it.effect.each(["before anybody writes", "while they are written"])("are broken off by a cut %s", (when) =>
    Effect.gen(function* () {
      const asked: Array<string> = []
      const relay = relayOf<BytesEnd>({
        source: {
          attach: () => {
            asked.push("attach")
            if (when === "while they are written") relay.cut(cutBy)
          },
          pause: () => {},
          resume: () => {},
          close: () => void asked.push("close"),
        },
        onBytes: () => {},
        onEnd: (end) => end,
      })
      if (when === "before anybody writes") relay.cut(cutBy)
      const exit = yield* Effect.exit(relay.run({ write: () => true, onDrain: () => {} }))
      expect(Exit.isInterrupted(exit)).toBe(true)
      expect(relay.ended()).toEqual({ kind: "broken", error: cutBy.message })
      expect(asked).toEqual(when === "before anybody writes" ? ["close"] : ["attach", "close"])
    }),
  )
})
