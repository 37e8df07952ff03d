/** A request's line for people. */
import { stripVTControlCharacters } from "node:util"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { noUsage } from "../../src/answer/Usage.ts"
import type { AttemptRecord, AuditRecord } from "../../src/audit/record/AuditRecord.ts"
import { requestLine } from "../../src/telemetry/RequestLine.ts"
import { coloured, plain } from "../../src/terminal/Colour.ts"
import { sampleRecord } from "../support/AuditRecords.ts"
import { hostileTexts } from "../support/StoredAudit.ts"

const attempt = (upstream: string, over: Partial<AttemptRecord> = {}): AttemptRecord => ({
  upstream,
  upstreamModel: "gpt-4o",
  status: 200,
  cause: undefined,
  ms: 3,
  ...over,
})

const record = (over: Partial<AuditRecord>): AuditRecord =>
  sampleRecord("01a21eb3-3bde-7be1-a6f9-454680722e66", {
    model: "gpt-4o",
    attempts: [attempt("openai")],
    status: 200,
    outcome: "ok",
    error: undefined,
    usage: { ...noUsage, inputTokens: 9, outputTokens: 12 },
    latencyMs: 45.2,
    ttftMs: undefined,
    ...over,
  })

describe("requestLine", () => {
  it.each<readonly [Partial<AuditRecord>, string]>([
    [{ dropped: ["seed", "top_k"] }, "200  gpt-4o → openai  45ms  9→12 tokens  dropped seed,top_k  80722e66"],
    [{}, "200  gpt-4o → openai  45ms  9→12 tokens  80722e66"],
    [
      {
        attempts: [
          attempt("openai", { status: 503 }),
          attempt("azure", { status: undefined, cause: "could not connect" }),
          attempt("deepseek"),
        ],
        ttftMs: 412,
        latencyMs: 12_108,
      },
      "200  gpt-4o → openai ✗503 → azure ✗could not connect → deepseek  12.1s  first 412ms  9→12 tokens  80722e66",
    ],
    [
      {
        attempts: [],
        status: 404,
        outcome: "rejected",
        error: "nobody serves gpt-4o",
        usage: noUsage,
        latencyMs: 0.8,
      },
      "404  gpt-4o  rejected  0.8ms  nobody serves gpt-4o  80722e66",
    ],
    [
      { model: undefined, endpoint: "models", attempts: [], usage: noUsage, latencyMs: 5 },
      "200  models  5ms  80722e66",
    ],
    [
      { outcome: "client_closed", status: 499, usage: noUsage },
      "499  gpt-4o → openai  client_closed  45ms  80722e66",
    ],
    [{ overheadMs: 130.4 }, "200  gpt-4o → openai  45ms  overhead 130ms  9→12 tokens  80722e66"],
  ])("%j", (over, line) => {
    expect(requestLine(record(over), plain)).toBe(line)
  })

  it("law: whatever callers and upstreams say, it is one line that drives no terminal", () => {
    const texts = fc.oneof(
      fc.constantFrom(...hostileTexts),
      fc.fullUnicodeString(),
      fc.constant("x".repeat(10_000)),
    )
    fc.assert(
      fc.property(texts, texts, texts, texts, (model, upstream, cause, id) => {
        const over = record({
          id,
          model,
          attempts: [attempt(upstream, { status: undefined, cause })],
          error: cause,
          outcome: "upstream_error",
        })
        for (const paint of [plain, coloured]) {
          const line = stripVTControlCharacters(requestLine(over, paint))
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
          expect(line.length).toBeLessThan(6_000)
        }
      }),
    )
  })
})
