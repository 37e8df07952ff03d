/** An audit as it lies on disk, of made-up rows: the months before the last in archives, by the gateway's own moving of them. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import fc from "fast-check"
import { type AuditFiles, auditFiles } from "../../src/audit/AuditUrl.ts"
import { outcomes } from "../../src/audit/read/AuditFilter.ts"
import { type Pace, rotate } from "../../src/audit/sqlite/Archive.ts"
import type { SqlValue } from "../../src/audit/sqlite/ColumnKinds.ts"
import type { DatabaseFault } from "../../src/audit/sqlite/DatabaseFault.ts"
import { openLive } from "../../src/audit/sqlite/LiveDatabase.ts"
import { insertColumns, type StoredName } from "../../src/audit/sqlite/Rows.ts"
import { temporaryDirectory } from "./AuditRecords.ts"

/** What callers and upstreams may well send to see what happens. */
export const hostileTexts: ReadonlyArray<string> = [
  "'; DROP TABLE requests_2026_11; --",
  '"quoted", and more',
  "two\r\nlines",
  "\u001b[31mred\u0007",
  "=cmd|' /C calc'!A0",
  "@SUM(1+1)*2",
  "right\u202eto left",
  "雪\u{1f980}",
  "100%_like",
  "nul\0inside",
  "",
  " ",
]

/** Rows begin within these; three months. */
export const firstInstant = Date.UTC(2026, 8, 20)
export const lastInstant = Date.UTC(2026, 10, 22, 17, 35)

const maybe = <A extends SqlValue>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | null> =>
  fc.option(arbitrary, { nil: null, freq: 3 })

/** Instants that fall together often, and on the edges of months. */
export const instants: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: firstInstant, max: lastInstant }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Date.UTC(2026, 9, 1) - 1,
      Date.UTC(2026, 9, 1),
      Date.UTC(2026, 10, 1) - 1,
      Date.UTC(2026, 10, 1),
      Date.UTC(2026, 10, 1, 12),
    ),
  },
)

export const models = fc.constantFrom("gpt-4o", "deepseek-chat", ...hostileTexts)
export const upstreams = fc.constantFrom("official", "spare", "o'brien")
export const addresses = fc.constantFrom("192.0.2.7", "2001:db8::1")
export const fingerprints = fc.constantFrom("00112233aabbccdd", "ffeeddccbbaa9988")
export const statuses = fc.constantFrom(200, 400, 404, 429, 499, 500, 502, 504)
const milliseconds = fc.oneof(
  fc.integer({ min: 0, max: 200_000 }).map((tenths) => tenths / 10),
  fc.double({ min: 0, max: 1_800_000, noNaN: true }).map((ms) => Math.round(ms * 1000) / 1000),
)
const counts = fc.oneof(fc.nat(100_000), fc.constant(Number.MAX_SAFE_INTEGER))
const flags = fc.constantFrom(0, 1)
const texts = fc.oneof(fc.constantFrom(...hostileTexts), fc.string())

/** A row by column. */
export type AuditRow = Readonly<Record<StoredName, SqlValue>>

/** A row, but for its key. */
const unkeyedRows: fc.Arbitrary<Omit<AuditRow, "record_key">> = fc.record({
  id: fc.oneof(fc.uuid(), fc.constantFrom("asked-twice", "it's", "a\tb")),
  started_at: instants.map((ms) => new Date(ms).toISOString()),
  client_ip: addresses,
  endpoint: fc.constantFrom("chat.completions", "completions", "models"),
  model: maybe(models),
  upstream_model: maybe(models),
  upstream: maybe(upstreams),
  attempts: fc.constantFrom("[]", '[{"upstream":"official","status":200,"ms":12.5}]'),
  stream: maybe(flags),
  status: statuses,
  outcome: fc.constantFrom(...outcomes),
  error: maybe(texts),
  prompt_tokens: maybe(counts),
  completion_tokens: maybe(counts),
  total_tokens: maybe(counts),
  cached_tokens: maybe(counts),
  reasoning_tokens: maybe(counts),
  latency_ms: milliseconds,
  ttft_ms: maybe(milliseconds),
  finish_reason: maybe(fc.constantFrom("stop", "length")),
  tools: maybe(flags),
  tool_calls: maybe(flags),
  multimodal: maybe(flags),
  user_agent: maybe(texts),
  key_fingerprint: maybe(fingerprints),
  headers: texts.map((value) => JSON.stringify({ "x-any": value })),
  request: maybe(texts),
  response: maybe(texts),
  overhead_ms: maybe(milliseconds),
  dialect: maybe(fc.constant("chat")),
  upstream_request_id: maybe(texts),
  cache_write_tokens: maybe(counts),
  audio_tokens: maybe(counts),
  image_tokens: maybe(counts),
  service_tier: maybe(texts),
  response_id: maybe(texts),
  conversation: maybe(fingerprints),
  config_hash: maybe(fc.constant("0123456789ab")),
  dropped: maybe(texts),
  search_units: maybe(counts),
  audio_seconds: maybe(milliseconds),
  characters: maybe(counts),
  images: maybe(counts),
  answer_bytes: maybe(counts),
  answer_type: maybe(texts),
  not_asked: fc.constantFrom(null, '[{"upstream":"spare","dialect":"messages","cause":"no"}]'),
})

/** Keys in another order than that of arrival. */
const keyed = (row: Omit<AuditRow, "record_key">, at: number): AuditRow => ({
  ...row,
  record_key: `k${String((at * 7919) % 1_000_003).padStart(7, "0")}`,
})

/** So many rows, the same every time. */
export const madeUpRows = (count: number, seed: number): ReadonlyArray<AuditRow> =>
  fc.sample(unkeyedRows, { numRuns: count, seed }).map(keyed)

/** A row with some of it said. */
export const rowWith = (key: string, said: Partial<AuditRow>): AuditRow => ({
  ...plain,
  ...said,
  record_key: key,
})

const plain: Omit<AuditRow, "record_key"> = {
  id: "req-1",
  started_at: "2026-11-22T17:35:00.123Z",
  client_ip: "192.0.2.7",
  endpoint: "chat.completions",
  model: "gpt-4o",
  upstream_model: "gpt-4o-2024",
  upstream: "official",
  attempts: '[{"upstream":"official","status":200,"ms":812.25}]',
  stream: 0,
  status: 200,
  outcome: "ok",
  error: null,
  prompt_tokens: 12,
  completion_tokens: 34,
  total_tokens: 46,
  cached_tokens: null,
  reasoning_tokens: null,
  latency_ms: 815.123,
  ttft_ms: null,
  finish_reason: "stop",
  tools: 0,
  tool_calls: 0,
  multimodal: 0,
  user_agent: "openai-node/6",
  key_fingerprint: "00112233aabbccdd",
  headers: '{"content-type":"application/json"}',
  request: '{"model":"gpt-4o"}',
  response: '{"choices":[]}',
  overhead_ms: 2.875,
  dialect: "chat",
  upstream_request_id: "req_7f3a",
  cache_write_tokens: null,
  audio_tokens: null,
  image_tokens: null,
  service_tier: "default",
  response_id: "chatcmpl-1",
  conversation: null,
  config_hash: "1f0e9a2b7c3d",
  dropped: null,
  search_units: null,
  audio_seconds: null,
  characters: null,
  images: null,
  answer_bytes: null,
  answer_type: null,
  not_asked: null,
}

/** Writes rows as the gateway does. */
export const writeRows = (
  files: AuditFiles,
  rows: ReadonlyArray<AuditRow>,
): Effect.Effect<void, DatabaseFault> =>
  Effect.acquireUseRelease(
    openLive(files),
    (live) => live.write(rows.map((row) => insertColumns.map((name) => row[name]))),
    (live) => live.close,
  )

/** Moves the months before that of `lastInstant`; `between` runs after every step. */
export const moveMonths = (files: AuditFiles, between: Pace["between"] = () => Effect.void) =>
  Effect.filterOrDieMessage(
    rotate(files, lastInstant, 0, { rowsPerCopy: 100, rowsPerClear: 100, between }),
    ({ fault }) => fault === undefined,
    "the months did not move",
  )

/** An audit's files in a directory of their own, gone with the scope. */
export const newAudit: Effect.Effect<AuditFiles, never, Scope.Scope> = Effect.map(
  temporaryDirectory,
  (path) => auditFiles(join(path, "record.db")),
)

/** An audit with these rows: two months in archives, one in the live database. */
export const storedAudit = (
  rows: ReadonlyArray<AuditRow>,
): Effect.Effect<AuditFiles, DatabaseFault, Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* newAudit
    yield* writeRows(files, rows)
    yield* moveMonths(files)
    return files
  })
