/** What the log is told where an export fails. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { originOf, sending } from "../../../src/telemetry/otlp/Exporting.ts"
import { nothingExported } from "../../../src/telemetry/otlp/OtlpSettings.ts"

const target = {
  url: "http://127.0.0.1:1/v1/traces",
  headers: Redacted.make({ authorization: "Bearer the-collectors-key" }),
  timeoutMs: 1_000,
  protocol: "http/json",
} as const

/** What is told of a failure that the exporter tells so. */
const toldOf = (failure: string | undefined) =>
  Effect.gen(function* () {
    const send = yield* sending<number>(() => () => async () => failure, target, originOf(nothingExported))
    return yield* send([1])
  })

describe("A collector's words", () => {
  it.effect("are told without the key that it was sent, in one line, and not at length", () =>
    Effect.gen(function* () {
      expect(yield* toldOf(undefined)).toBeUndefined()
      expect(yield* toldOf("Request timed out")).toMatch(/^Request timed out/)
      expect(yield* toldOf("no such key: the-collectors-key")).toMatch(/^no such key: \[redacted\]/)
      const long = yield* toldOf(`\u001b[31mno\nkey${"!".repeat(5_000)}`)
      expect(long).toMatch(/^[^\p{Cc}]{1,250}$/u)
    }),
  )
})
