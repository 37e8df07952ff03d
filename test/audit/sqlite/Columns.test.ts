import { describe, expect, it } from "vitest"
import { noUsage } from "../../../src/answer/Usage.ts"
import { columnNames, layout, layouts } from "../../../src/audit/sqlite/Columns.ts"
import * as Rows from "../../../src/audit/sqlite/Rows.ts"
import { keyIn, sampleRecord } from "../../support/AuditRecords.ts"

/** The row of a record with some of it said. */
const rowOf = (key: string, over: Parameters<typeof sampleRecord>[1] = {}) =>
  Rows.byColumn(Rows.valuesOf(sampleRecord("a", over), key))

/**
 * The layouts that were written to disks. What stands here never changes: a new column goes into a new layout, in Columns.ts and below, as soon as a
 * release has written the last one.
 */
const written: ReadonlyArray<string> = [
  "id TEXT NOT NULL, started_at TEXT NOT NULL, client_ip TEXT, endpoint TEXT NOT NULL, model TEXT, upstream_model TEXT, upstream TEXT, " +
    "attempts TEXT NOT NULL, stream INTEGER, status INTEGER, outcome TEXT NOT NULL, error TEXT, prompt_tokens INTEGER, " +
    "completion_tokens INTEGER, total_tokens INTEGER, cached_tokens INTEGER, reasoning_tokens INTEGER, latency_ms REAL, ttft_ms REAL, " +
    "finish_reason TEXT, tools INTEGER, tool_calls INTEGER, multimodal INTEGER, user_agent TEXT, key_fingerprint TEXT, headers TEXT, " +
    "request TEXT, response TEXT",
  "overhead_ms REAL, dialect TEXT, upstream_request_id TEXT, cache_write_tokens INTEGER, audio_tokens INTEGER, image_tokens INTEGER, " +
    "service_tier TEXT, response_id TEXT, conversation TEXT, config_hash TEXT, dropped TEXT, search_units REAL, audio_seconds REAL, " +
    "characters INTEGER, images INTEGER, answer_bytes INTEGER, answer_type TEXT",
  "not_asked TEXT",
]

const adding =
  "A layout that was written to disks never changes. Add the column to a new layout at the end of `layouts` (src/audit/sqlite/Columns.ts), " +
  "to `written` in this test, and to the table of docs/audit.md."

describe("the layouts", () => {
  it("are those that were written to disks, and this release's at the end", () => {
    const now = layouts.map((added) => added.map(({ name, type }) => `${name} ${type}`).join(", "))
    expect(now, adding).toEqual(written)
    expect(layout).toBe(written.length)
  })

  it("are all columns in their order, each once", () => {
    expect(layouts.flat().map(({ name }) => name)).toEqual(columnNames)
    expect(new Set(columnNames).size).toBe(columnNames.length)
  })

  it("add none that a row of an older layout cannot be without", () => {
    for (const added of layouts.slice(1)) {
      for (const { name, type } of added) expect(type, name).not.toContain("NOT NULL")
    }
  })
})

describe("a row", () => {
  it("says flags as 0 and 1, times in ISO and milliseconds, attempts and headers as JSON", () => {
    const row = Rows.byColumn(
      Rows.completed(Rows.valuesOf(sampleRecord("a"), "k1"), { request: "asked", response: "answered" }),
    )
    const { attempts, headers, ...rest } = row
    expect(rest).toEqual({
      id: "a",
      started_at: "2026-11-22T17:35:00.123Z",
      client_ip: "192.0.2.7",
      endpoint: "chat.completions",
      model: "gpt-4o",
      upstream_model: "gpt-4o-2024",
      upstream: "official",
      stream: 0,
      status: 200,
      outcome: "ok",
      error: null,
      prompt_tokens: 12,
      completion_tokens: 34,
      total_tokens: 46,
      cached_tokens: null,
      reasoning_tokens: 5,
      latency_ms: 815.123,
      ttft_ms: null,
      finish_reason: "stop",
      tools: 1,
      tool_calls: 0,
      multimodal: 0,
      user_agent: "openai-node/6",
      key_fingerprint: "00112233aabbccdd",
      request: "asked",
      response: "answered",
      overhead_ms: 1.123,
      dialect: "chat",
      upstream_request_id: "req_upstream",
      cache_write_tokens: 3,
      audio_tokens: null,
      image_tokens: null,
      service_tier: "default",
      response_id: "chatcmpl-1",
      conversation: "8899aabbccddeeff",
      config_hash: "0123456789ab",
      dropped: null,
      search_units: null,
      audio_seconds: null,
      characters: null,
      images: null,
      answer_bytes: null,
      answer_type: null,
      not_asked: null,
      record_key: "k1",
    })
    expect(JSON.parse(String(attempts))).toEqual([
      { upstream: "spare", cause: "connection refused", ms: 1.5 },
      { upstream: "official", status: 200, ms: 812.25 },
    ])
    expect(JSON.parse(String(headers))).toEqual({
      "content-type": "application/json",
      authorization: "[redacted]",
    })
  })

  it("tells of a stream that broke off what it began with and why it ended, and who was asked to go on", () => {
    const attempt = { upstreamModel: "m", ms: 1 }
    const row = rowOf("k1", {
      attempts: [
        { ...attempt, upstream: "a", status: 200, cause: "broke off: it closed" },
        { ...attempt, upstream: "b", status: undefined, cause: "timed out", resumed: true },
        { ...attempt, upstream: "c", status: 200, cause: undefined, resumed: true },
      ],
    })
    expect(JSON.parse(String(row["attempts"]))).toEqual([
      { upstream: "a", status: 200, cause: "broke off: it closed", ms: 1 },
      { upstream: "b", resumed: true, cause: "timed out", ms: 1 },
      { upstream: "c", resumed: true, status: 200, ms: 1 },
    ])
  })

  it("tells of an attempt in which dialect it was, where that is not the caller's", () => {
    const attempt = { upstreamModel: "m", status: 200, cause: undefined, ms: 1 }
    const row = rowOf("k1", {
      attempts: [
        { ...attempt, upstream: "a", dialect: undefined },
        { ...attempt, upstream: "b", dialect: "chat" },
      ],
    })
    expect(JSON.parse(String(row["attempts"]))).toEqual([
      { upstream: "a", status: 200, ms: 1 },
      { upstream: "b", dialect: "chat", status: 200, ms: 1 },
    ])
  })

  it("tells who was not asked, and why", () => {
    const one = { upstream: "spare", dialect: "messages", cause: "it has no `seed`" } as const
    expect(JSON.parse(String(rowOf("k1", { notAsked: [one] })["not_asked"]))).toEqual([one])
  })

  it("says NULL of what is unknown, never 0", () => {
    const row = rowOf("k1", {
      model: undefined,
      stream: undefined,
      tools: undefined,
      toolCalls: undefined,
      multimodal: undefined,
      ttftMs: undefined,
      keyFingerprint: undefined,
      usage: { ...noUsage, outputTokens: 0 },
    })
    for (const name of [
      "model",
      "stream",
      "tools",
      "tool_calls",
      "multimodal",
      "ttft_ms",
      "key_fingerprint",
      "prompt_tokens",
      "total_tokens",
    ] as const) {
      expect(row[name], name).toBeNull()
    }
    expect(row["completion_tokens"]).toBe(0)
  })

  it("keeps no more than 4096 characters of what callers and upstreams choose", () => {
    const long = "x".repeat(1_000_000)
    const row = rowOf("k1", { model: long, error: long, userAgent: long, finishReason: long })
    for (const name of ["model", "error", "user_agent", "finish_reason"] as const) {
      expect(String(row[name])).toBe(`${"x".repeat(4096)}…[cut]`)
    }
  })

  it("has its values in the order an INSERT names them, and by column reads the same", () => {
    const values = Rows.valuesOf(sampleRecord("a"), "k")
    expect(values).toHaveLength(columnNames.length + 1)
    expect(values[0]).toBe("a")
    expect(values.at(-1)).toBe("k")
    const row = Rows.byColumn(values)
    expect(Object.keys(row)).toEqual(Rows.insertColumns)
    expect(Object.values(row)).toEqual(values)
    expect(keyIn(values)).toBe("k")
    expect(Rows.endpointIn(values)).toBe(row["endpoint"])
    expect(Rows.monthIn(values)).toBe("2026_11")
  })
})
