/** The list of requests in the page. */
import { describe, expect, it } from "@effect/vitest"
import { keyOf, mostRows, withNewer, withOlder } from "../../dashboard/requests/Rows.ts"
import type { RequestRow } from "../../src/admin/api/RequestRow.ts"

const row = (second: number, id = "r"): RequestRow => ({
  id,
  started_at: new Date(second * 1000).toISOString(),
  client_ip: null,
  endpoint: "chat.completions",
  model: null,
  upstream_model: null,
  upstream: null,
  attempts: [],
  stream: null,
  status: 200,
  outcome: "ok",
  error: null,
  prompt_tokens: null,
  completion_tokens: null,
  total_tokens: null,
  cached_tokens: null,
  reasoning_tokens: null,
  latency_ms: null,
  ttft_ms: null,
  finish_reason: null,
  tools: null,
  tool_calls: null,
  multimodal: null,
  user_agent: null,
  key_fingerprint: null,
  overhead_ms: null,
  dialect: null,
  upstream_request_id: null,
  cache_write_tokens: null,
  audio_tokens: null,
  image_tokens: null,
  service_tier: null,
  response_id: null,
  conversation: null,
  config_hash: null,
  dropped: [],
  search_units: null,
  audio_seconds: null,
  characters: null,
  images: null,
  answer_bytes: null,
  answer_type: null,
  not_asked: [],
})

const many = (from: number, count: number) => Array.from({ length: count }, (_, index) => row(from + index))

describe("The list of requests", () => {
  it("has the newest first and none twice, however they come", () => {
    const rows = withNewer([row(3), row(1)], [row(2), row(3), row(3, "another")])
    expect(rows.map(keyOf)).toEqual([row(3, "r"), row(3, "another"), row(2), row(1)].map(keyOf))
  })

  it("is bounded: newer ones drive out the oldest, and older ones the newest", () => {
    const full = withNewer([], many(1_000, mostRows))
    const newer = withNewer(full, [row(9_000)])
    expect([newer.length, newer.at(0)?.started_at]).toEqual([mostRows, row(9_000).started_at])
    const older = withOlder(full, [row(1)])
    expect([older.length, older.at(-1)?.started_at]).toEqual([mostRows, row(1).started_at])
  })
})
