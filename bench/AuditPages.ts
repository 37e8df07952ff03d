/**
 * How long pages and statistics of a large audit take: `node dist/bench-audit-pages.js [ROWS]` fills a database with that many requests of one month (a
 * million where nothing is said) and asks it what the dashboard asks. Prints a line for each question; it asserts nothing.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { auditFiles } from "../src/audit/AuditUrl.ts"
import { type AuditFilter, everything } from "../src/audit/read/AuditFilter.ts"
import type { Grouping } from "../src/audit/read/AuditStats.ts"
import type { RowPlace } from "../src/audit/read/MonthQuery.ts"
import { openReader } from "../src/audit/read/Reader.ts"
import type { RowPage } from "../src/audit/read/ReadQuestion.ts"
import { columnNames } from "../src/audit/sqlite/Columns.ts"
import { query } from "../src/audit/sqlite/Database.ts"
import { connectLive } from "../src/audit/sqlite/LiveDatabase.ts"
import { createIndexes, createTable } from "../src/audit/sqlite/Tables.ts"

const month = "2026_11"
const first = Date.UTC(2026, 10, 1)
const length = 30 * 86_400_000

/** Rows of a statement. */
const atOnce = 20_000

/** What a row holds, by its number `n`; all else is NULL. */
const values: Readonly<Partial<Record<(typeof columnNames)[number], string>>> = {
  id: "printf('%08x-3bde-7be1-a6f9-%012x', n, n * 7919)",
  started_at: "strftime('%Y-%m-%dT%H:%M:%fZ', ? + n * ?, 'unixepoch')",
  client_ip: "'192.0.2.' || (n % 200)",
  endpoint: "'chat.completions'",
  model: "CASE WHEN n % 100000 = 17 THEN 'rare' ELSE 'model-' || (n % 20) END",
  upstream: "'upstream-' || (n % 7)",
  attempts: `'[{"upstream":"official","status":200,"ms":812.25}]'`,
  stream: "n % 2",
  status: "CASE WHEN n % 50 = 3 THEN 502 ELSE 200 END",
  outcome: "CASE WHEN n % 50 = 3 THEN 'upstream_error' ELSE 'ok' END",
  error: "CASE WHEN n % 50 = 3 THEN 'official: answered 503 (overloaded)' END",
  prompt_tokens: "n % 4000",
  completion_tokens: "n % 900",
  total_tokens: "n % 4900",
  latency_ms: "n % 60000 + 0.25",
  ttft_ms: "n % 3000 + 0.5",
  key_fingerprint: "'00112233aabbcc' || (n % 90 + 10)",
  conversation: "'conversation-' || (n / 7)",
  headers: `'{"content-type":"application/json"}'`,
  request: `'{"model":"gpt-4o","messages":[{"role":"user","content":"' || hex(zeroblob(400)) || '"}]}'`,
  response: `'{"choices":[{"message":{"role":"assistant","content":"' || hex(zeroblob(300)) || '"}}]}'`,
}

const fill = (database: string, rows: number) =>
  Effect.gen(function* () {
    const sql = yield* connectLive(auditFiles(database), 1_000)
    yield* query(sql, createTable(month))
    for (const index of createIndexes(month)) yield* query(sql, index)
    const names = columnNames.filter((name) => values[name] !== undefined)
    for (let from = 0; from < rows; from += atOnce) {
      yield* query(
        sql,
        `WITH RECURSIVE numbers (n) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
          INSERT INTO requests_${month} (${names.join(", ")}, record_key)
          SELECT ${names.map((name) => values[name]).join(", ")}, printf('%012x', n) FROM numbers`,
        [from, Math.min(rows, from + atOnce), first / 1_000, length / 1_000 / rows],
      )
    }
  }).pipe(Effect.scoped)

const took = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const before = yield* Clock.currentTimeNanos
    const answer = yield* effect
    return [Number((yield* Clock.currentTimeNanos) - before) / 1e6, answer] as const
  })

const filters: Readonly<Record<string, Partial<AuditFilter>>> = {
  "no filter": {},
  "a model of 1 in 20": { model: "model-4" },
  "a model of 1 in 100,000": { model: "rare" },
  "no such model": { model: "nobody-asks-for-it" },
  "failed, 1 in 50": { outcome: "failed" },
  "no such outcome": { outcome: "stream_broken" },
  "a conversation of a month ago": { conversation: "conversation-0" },
  "text, 1 in 50": { text: "OVERLOADED" },
  "no such text": { text: "nobody says it" },
}

/** Where pages begin, as days before the month's end. */
const places = [0, 29]

const placeOf = (day: number): RowPlace => ({
  startedAt: new Date(first + length - day * 86_400_000).toISOString(),
  key: "",
})

const pageOf = (database: string, filter: AuditFilter, after: RowPlace, limit = 50, budgetMs = 1_000) =>
  Effect.flatMap(openReader(database), (reader) =>
    reader.page({ filter, order: "newest", whole: false, after, limit, budgetMs }),
  ).pipe(Effect.scoped)

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const pages = (database: string) =>
  Effect.gen(function* () {
    for (const [name, filter] of Object.entries(filters)) {
      for (const day of places) {
        const page = pageOf(database, { ...everything, ...filter }, placeOf(day))
        const [cold] = yield* took(page)
        const [warm, { rows, searchedTo }] = yield* took(page)
        const found = `${rows.length} rows${searchedTo === undefined ? "" : `, searched to ${searchedTo}`}`
        yield* say(
          `page, ${name}, ${day} days back: ${cold.toFixed(0)} ms, again ${warm.toFixed(0)} ms (${found})`,
        )
      }
    }
  })

/** As the dashboard looks for a page: one short question after the other, from the newest, until it is full or all is looked through. */
const searched = (database: string, filter: AuditFilter) =>
  Effect.gen(function* () {
    let after: RowPlace | undefined = placeOf(0)
    let found = 0
    let firstAt: number | undefined
    const times: Array<number> = []
    while (after !== undefined && found < 50) {
      const [ms, page]: readonly [number, RowPage] = yield* took(
        pageOf(database, filter, after, 50 - found, 100),
      )
      times.push(ms)
      found += page.rows.length
      if (found > 0) firstAt ??= times.reduce((sum, one) => sum + one, 0)
      after = page.searchedTo === undefined ? undefined : page.next
    }
    return { found, firstAt, times }
  })

const searches = (database: string) =>
  Effect.gen(function* () {
    for (const [name, filter] of Object.entries(filters)) {
      const { firstAt, found, times } = yield* searched(database, { ...everything, ...filter })
      const total = times.reduce((sum, one) => sum + one, 0)
      yield* say(
        `as the page asks, ${name}: ${times.length} questions of at most ${Math.max(...times).toFixed(0)} ms, ` +
          `${firstAt === undefined ? "nothing found" : `the first rows after ${firstAt.toFixed(0)} ms`}, ${found} rows after ${total.toFixed(0)} ms`,
      )
    }
  })

const usage = (database: string) =>
  Effect.gen(function* () {
    for (const days of [1, 7, 30]) {
      for (const by of ["hour", "model", "key"] satisfies ReadonlyArray<Grouping>) {
        const filter = { ...everything, since: first + length - days * 86_400_000, until: first + length }
        const [ms, { all, isComplete }] = yield* took(
          Effect.flatMap(openReader(database), (reader) => reader.report(filter, by, 4_000)).pipe(
            Effect.scoped,
          ),
        )
        yield* say(
          `usage by ${by}, ${days} days: ${ms.toFixed(0)} ms (${all.requests} requests${isComplete ? "" : ", cut short"})`,
        )
      }
    }
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "sluice-pages-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

const measured: Effect.Effect<void, unknown, Scope.Scope> = Effect.gen(function* () {
  const database = join(yield* folder, "record.db")
  const rows = Number(process.argv[2] ?? 1_000_000)
  const [ms] = yield* took(fill(database, rows))
  yield* say(`${rows} rows in ${(ms / 1_000).toFixed(0)} s`)
  yield* pages(database)
  yield* searches(database)
  yield* usage(database)
})

await Effect.runPromise(Effect.scoped(measured))
