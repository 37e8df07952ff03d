/** The reader against an oracle: what it says of files is what a loop over the rows says, while they move too. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import fc from "fast-check"
import type { AuditFiles } from "../../../src/audit/AuditUrl.ts"
import { type AuditFilter, everything, outcomes } from "../../../src/audit/read/AuditFilter.ts"
import { type Grouping, groupings, ranked } from "../../../src/audit/read/AuditStats.ts"
import { briefColumns, type Row } from "../../../src/audit/read/FoundRow.ts"
import {
  idQuery,
  pageQuery,
  type RowPlace,
  stepQuery,
  tallyQuery,
} from "../../../src/audit/read/MonthQuery.ts"
import { openReader } from "../../../src/audit/read/Reader.ts"
import { type ColumnName, columnNames } from "../../../src/audit/sqlite/Columns.ts"
import { connect, query, runAll } from "../../../src/audit/sqlite/Database.ts"
import { archiveName } from "../../../src/audit/sqlite/Months.ts"
import { runs } from "../../support/Runs.ts"
import {
  type AuditRow,
  addresses,
  fingerprints,
  instants,
  lastInstant,
  madeUpRows,
  models,
  moveMonths,
  newAudit,
  rowWith,
  statuses,
  storedAudit,
  upstreams,
  writeRows,
} from "../../support/StoredAudit.ts"

const rows = madeUpRows(700, 20261122)

const filters: fc.Arbitrary<AuditFilter> = fc.record({
  since: fc.option(instants, { nil: undefined }),
  until: fc.option(instants, { nil: undefined }),
  model: fc.option(models, { nil: undefined, freq: 1 }),
  upstream: fc.option(upstreams, { nil: undefined, freq: 1 }),
  status: fc.option(
    fc.oneof(
      statuses.map((status) => ({ first: status, last: status })),
      fc.constantFrom({ first: 400, last: 499 }, { first: 500, last: 599 }),
    ),
    { nil: undefined, freq: 1 },
  ),
  endpoint: fc.option(fc.constantFrom("chat.completions", "models"), { nil: undefined, freq: 1 }),
  outcome: fc.option(fc.constantFrom(...outcomes, "failed" as const), { nil: undefined, freq: 1 }),
  clientIp: fc.option(addresses, { nil: undefined, freq: 1 }),
  keyFingerprint: fc.option(fingerprints, { nil: undefined, freq: 1 }),
  conversation: fc.option(fingerprints, { nil: undefined, freq: 1 }),
  text: fc.option(fc.constantFrom("GPT-4", "%", "_", "drop table", "'", "\\", "seek"), {
    nil: undefined,
    freq: 1,
  }),
})

const holdsText = (row: AuditRow, text: string): boolean =>
  [row.id, row.model, row.error].some((value) =>
    String(value ?? "")
      .toLowerCase()
      .includes(text.toLowerCase()),
  )

const admits = (filter: AuditFilter, row: AuditRow): boolean => {
  const at = Date.parse(String(row.started_at))
  const status = Number(row.status)
  return (
    (filter.since === undefined || at >= filter.since) &&
    (filter.until === undefined || at < filter.until) &&
    (filter.model === undefined || row.model === filter.model) &&
    (filter.upstream === undefined || row.upstream === filter.upstream) &&
    (filter.status === undefined || (status >= filter.status.first && status <= filter.status.last)) &&
    (filter.endpoint === undefined || row.endpoint === filter.endpoint) &&
    (filter.outcome === undefined ||
      (filter.outcome === "failed" ? row.outcome !== "ok" : row.outcome === filter.outcome)) &&
    (filter.clientIp === undefined || row.client_ip === filter.clientIp) &&
    (filter.keyFingerprint === undefined || row.key_fingerprint === filter.keyFingerprint) &&
    (filter.conversation === undefined || row.conversation === filter.conversation) &&
    (filter.text === undefined || holdsText(row, filter.text))
  )
}

const sortKey = (row: AuditRow): string => `${row.started_at} ${row.record_key}`

const oldestFirst = (some: ReadonlyArray<AuditRow>): ReadonlyArray<AuditRow> =>
  some.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))

const only = (names: ReadonlyArray<ColumnName>, row: AuditRow): Row =>
  Object.fromEntries(names.map((name) => [name, row[name]]))

const collected = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.map(Stream.runCollect(stream), Chunk.toReadonlyArray)

const idsOf = (some: ReadonlyArray<Row | AuditRow>) => some.map(({ id }) => id)

/** Runs a property of an effect whose surroundings are there already. */
const holds = <A>(
  arbitrary: fc.Arbitrary<A>,
  property: (value: A) => Effect.Effect<void, unknown>,
  numRuns: number,
) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(arbitrary, (value) => Effect.runPromise(property(value))),
      { numRuns: runs(numRuns) },
    ),
  )

/** What the tests that only read share. */
class Stored extends Context.Tag("test/Stored")<Stored, AuditFiles>() {}
const stored = Layer.scoped(Stored, Effect.orDie(storedAudit(rows)))

layer(stored)("a stored audit", (it) => {
  it.scoped("law: list gives the newest rows a filter admits, over live database and archives", () =>
    Effect.gen(function* () {
      const files = yield* Stored
      expect(existsSync(join(files.directory, "record_202609.db"))).toBe(true)
      expect(existsSync(join(files.directory, "record_202610.db"))).toBe(true)
      const reader = yield* openReader(files.database)
      yield* holds(
        fc.tuple(filters, fc.integer({ min: 1, max: 800 })),
        ([filter, limit]) =>
          Effect.gen(function* () {
            const admitted = oldestFirst(rows.filter((row) => admits(filter, row)))
            const expected = admitted.toReversed().slice(0, limit)
            const listed = yield* collected(reader.list(filter, limit))
            expect(listed).toEqual(expected.map((row) => only(briefColumns, row)))
          }),
        60,
      )
    }),
  )

  it.scoped("law: pages in either order, one behind the other, are all rows a filter admits", () =>
    Effect.gen(function* () {
      const files = yield* Stored
      const reader = yield* openReader(files.database)
      yield* holds(
        fc.record({
          filter: filters,
          order: fc.constantFrom("newest" as const, "oldest" as const),
          limit: fc.integer({ min: 1, max: 300 }),
          // None: each stretch is a page's worth of looking.
          budgetMs: fc.constantFrom(0, Number.POSITIVE_INFINITY),
        }),
        ({ budgetMs, filter, limit, order }) =>
          Effect.gen(function* () {
            const paged: Array<Row> = []
            let after: RowPlace | undefined
            do {
              const asked = { filter, order, whole: false, after, limit, budgetMs }
              const { next, rows: some, searchedTo } = yield* reader.page(asked)
              expect(some.length === limit || next === undefined || searchedTo !== undefined).toBe(true)
              paged.push(...some)
              after = next
            } while (after !== undefined)
            const admitted = oldestFirst(rows.filter((row) => admits(filter, row)))
            const expected = order === "newest" ? admitted.toReversed() : admitted
            expect(paged).toEqual(expected.map((row) => only(briefColumns, row)))
          }),
        40,
      )
    }),
  )

  it.scoped("law: export gives every row a filter admits, whole, the oldest first", () =>
    Effect.gen(function* () {
      const files = yield* Stored
      const reader = yield* openReader(files.database)
      expect(yield* collected(reader.export(everything))).toEqual(
        oldestFirst(rows).map((row) => only(columnNames, row)),
      )
      yield* holds(
        filters,
        (filter) =>
          Effect.gen(function* () {
            const expected = oldestFirst(rows.filter((row) => admits(filter, row)))
            const exported = yield* collected(reader.export(filter))
            expect(exported).toEqual(expected.map((row) => only(columnNames, row)))
          }),
        20,
      )
    }),
  )

  it.scoped("shows all rows of an id that callers chose twice, and none of one that is not there", () =>
    Effect.gen(function* () {
      const files = yield* Stored
      const reader = yield* openReader(files.database)
      for (const id of ["asked-twice", "it's", "a\tb"]) {
        const expected = oldestFirst(rows.filter((row) => row.id === id))
        expect(expected.length).toBeGreaterThan(2)
        const shown = yield* reader.show(id)
        expect(shown.map((row) => row.started_at)).toEqual(expected.toReversed().map((row) => row.started_at))
        expect(new Set(shown.map((row) => JSON.stringify(row)))).toEqual(
          new Set(expected.map((row) => JSON.stringify(only(columnNames, row)))),
        )
      }
      expect(yield* reader.show("' OR 1=1 --")).toEqual([])
    }),
  )

  const groupOf = (row: AuditRow, by: Grouping): string | undefined => {
    const value = {
      model: row.model,
      upstream: row.upstream,
      key: row.key_fingerprint,
      ip: row.client_ip,
      endpoint: row.endpoint,
      status: row.status,
      outcome: row.outcome,
      day: String(row.started_at).slice(0, 10),
      hour: String(row.started_at).slice(0, 13),
    }[by]
    return value === null ? undefined : String(value)
  }

  const nearestRank = (values: ReadonlyArray<number>, share: number): number | undefined =>
    values.map(Math.round).toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1]

  const total = (values: ReadonlyArray<number>): number | undefined =>
    values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0)

  const statsByHand = (some: ReadonlyArray<AuditRow>, by: Grouping) => {
    const groups = new Map<string | undefined, ReadonlyArray<AuditRow>>()
    for (const row of some) {
      const group = groupOf(row, by)
      groups.set(group, [...(groups.get(group) ?? []), row])
    }
    return new Map(
      [...groups].map(([group, members]) => {
        const known = (name: ColumnName) =>
          members.flatMap((row) => (typeof row[name] === "number" ? [row[name]] : []))
        const answered = members.filter(
          ({ endpoint, outcome }) => outcome !== "rejected" && endpoint !== "models",
        )
        const timed = (name: ColumnName) =>
          answered.flatMap((row) => (typeof row[name] === "number" ? [row[name]] : []))
        const rejected = members.filter(({ outcome }) => outcome === "rejected").length
        const good = members.filter(({ outcome }) => outcome === "ok" || outcome === "client_closed").length
        const errors = members.length - rejected - good
        return [
          group,
          {
            group,
            requests: members.length,
            errors,
            errorRate: errors === 0 ? 0 : errors / (members.length - rejected),
            rejected,
            promptTokens: total(known("prompt_tokens")),
            completionTokens: total(known("completion_tokens")),
            cachedTokens: total(known("cached_tokens")),
            reasoningTokens: total(known("reasoning_tokens")),
            latencyP50: nearestRank(timed("latency_ms"), 0.5),
            latencyP95: nearestRank(timed("latency_ms"), 0.95),
            ttftP50: nearestRank(timed("ttft_ms"), 0.5),
            ttftP95: nearestRank(timed("ttft_ms"), 0.95),
          },
        ]
      }),
    )
  }

  it.scoped("law: stats are what a loop over the rows a filter admits finds", () =>
    Effect.gen(function* () {
      // Few enough of the huge counts that JavaScript's sums are exact in any order.
      const modest = rows.map((row) => ({
        ...row,
        prompt_tokens: 12,
        completion_tokens: row.tools,
        cached_tokens: row.stream,
        reasoning_tokens: row.tool_calls,
      }))
      const files = yield* storedAudit(modest)
      const atOnce = yield* openReader(files.database)
      const byDay = yield* openReader(files.database, 100)
      yield* holds(
        fc.tuple(
          fc.oneof(fc.constant(everything), filters),
          fc.constantFrom(...groupings),
          fc.constantFrom(atOnce, byDay),
        ),
        ([filter, by, reader]) =>
          Effect.gen(function* () {
            const expected = statsByHand(
              modest.filter((row) => admits(filter, row)),
              by,
            )
            const found = ranked(yield* reader.stats(filter, by), by)
            expect(new Map(found.map((stats) => [stats.group, stats]))).toEqual(expected)
          }),
        20,
      )
    }),
  )

  it.scoped("sums of token counts as large as upstreams please do not fail", () =>
    Effect.gen(function* () {
      const huge = Array.from({ length: 2000 }, (_, at) =>
        rowWith(`k${at}`, { prompt_tokens: Number.MAX_SAFE_INTEGER }),
      )
      const files = yield* storedAudit(huge)
      const reader = yield* openReader(files.database)
      const [stats] = ranked(yield* reader.stats(everything, "model"), "model")
      expect(stats?.promptTokens).toBeCloseTo(2000 * Number.MAX_SAFE_INTEGER, -10)
    }),
  )
})

describe("while the gateway writes and moves months", () => {
  it.scopedLive("every row is seen exactly once between any two steps of a move", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const some = rows.slice(0, 300)
      yield* writeRows(files, some)
      const reader = yield* openReader(files.database)
      const steps: Array<string> = []
      const exported = oldestFirst(some).map((row) => only(columnNames, row))
      yield* moveMonths(files, (_, step) =>
        Effect.gen(function* () {
          if (steps.at(-1) === "clear" && step === "clear") return
          steps.push(step)
          expect(yield* collected(reader.export(everything))).toEqual(exported)
          expect(yield* collected(reader.list(everything, 1000))).toHaveLength(300)
          const counted = ranked(yield* reader.stats(everything, "upstream"), "upstream")
          expect(counted.reduce((sum, { requests }) => sum + requests, 0)).toBe(300)
        }).pipe(Effect.orDie),
      )
      expect(new Set(steps)).toEqual(new Set(["copy", "seal", "publish", "switch", "clear"]))
    }),
  )

  it.scopedLive("an export goes on where it was when the month it reads moves under it", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, rows)
      const reader = yield* openReader(files.database)
      const seen = yield* Ref.make(0)
      const exported = yield* reader.export(everything).pipe(
        Stream.rechunk(1),
        Stream.tap(() =>
          Effect.flatMap(
            Ref.updateAndGet(seen, (count) => count + 1),
            (count) => (count === 10 ? moveMonths(files) : Effect.void),
          ),
        ),
        collected,
      )
      expect(existsSync(join(files.directory, "record_202609.db"))).toBe(true)
      expect(exported).toEqual(oldestFirst(rows).map((row) => only(columnNames, row)))
    }),
  )

  it.scopedLive("rows that come to a month which has long moved are seen with it, each once", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(rows)
      const late = madeUpRows(80, 5).map((row, at) => ({
        ...row,
        started_at: "2026-09-30T23:59:59.999Z",
        record_key: `late${at}`,
      }))
      yield* writeRows(files, late)
      const reader = yield* openReader(files.database)
      const all = oldestFirst([...rows, ...late]).map((row) => only(columnNames, row))
      expect(yield* collected(reader.export(everything))).toEqual(all)
      yield* moveMonths(files, (_, step) =>
        Effect.orDie(
          Effect.map(collected(reader.list(everything, 1000)), (listed) =>
            expect(listed, step).toHaveLength(all.length),
          ),
        ),
      )
      expect(yield* collected(reader.export(everything))).toEqual(all)
    }),
  )

  it.scopedLive("an archive that retention deletes is gone, and is not created anew", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(rows)
      const reader = yield* openReader(files.database)
      const path = join(files.directory, "record_202609.db")
      const kept = rows.filter(({ started_at }) => !String(started_at).startsWith("2026-09"))
      const exported = yield* reader.export(everything).pipe(
        Stream.rechunk(1),
        Stream.mapEffect((row) =>
          Effect.as(
            Effect.sync(() => rmSync(path, { force: true })),
            row,
          ),
        ),
        collected,
      )
      expect(exported.length).toBeGreaterThanOrEqual(kept.length)
      expect(yield* collected(reader.list(everything, 1000))).toHaveLength(kept.length)
      expect(existsSync(path)).toBe(false)
    }),
  )

  it.scopedLive("a writer that holds its lock keeps nobody from reading", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(rows.slice(0, 50))
      const writer = yield* connect(files.database, 0)
      yield* runAll(writer, ["BEGIN IMMEDIATE", "UPDATE requests_2026_11 SET model = 'other'"])
      const reader = yield* openReader(files.database)
      const listed = yield* collected(reader.list(everything, 1000))
      expect(listed).toHaveLength(50)
      expect(listed.filter(({ model }) => model === "other")).toEqual([])
      yield* query(writer, "ROLLBACK")
    }),
  )

  it.scopedLive("an archive that is locked for a moment is waited for", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(rows)
      const other = yield* connect(join(files.directory, "record_202610.db"), 0)
      yield* query(other, "BEGIN EXCLUSIVE")
      const reader = yield* openReader(files.database)
      const listing = yield* Effect.fork(collected(reader.list(everything, 1000)))
      yield* Effect.sleep("300 millis")
      expect(yield* Fiber.poll(listing)).toMatchObject({ _tag: "None" })
      yield* query(other, "ROLLBACK")
      expect(yield* Fiber.join(listing)).toHaveLength(rows.length)
    }),
  )
})

describe("follow", () => {
  const november = (key: string, said: Partial<AuditRow> = {}): AuditRow => rowWith(key, { id: key, ...said })

  /** Follows in the background; `seen` are the ids so far. */
  const following = (files: AuditFiles, filter: AuditFilter, count: number) =>
    Effect.gen(function* () {
      const reader = yield* openReader(files.database)
      const seen: Array<unknown> = []
      yield* reader.follow(filter, count).pipe(
        Stream.runForEach(({ id }) => Effect.sync(() => seen.push(id))),
        Effect.forkScoped,
      )
      /** Lets seconds pass until so many were seen; the limit is there for a test that fails. */
      const until = (count: number) =>
        Effect.zipRight(TestClock.adjust("1 second"), Effect.yieldNow()).pipe(
          Effect.repeat({ until: () => seen.length >= count, times: 50 }),
        )
      /** Polls that find nothing more. */
      const still = Effect.replicateEffect(TestClock.adjust("1 second"), 5)
      yield* until(Math.min(count, 1))
      return { seen, still, until }
    })

  it.scoped("begins with the last rows, the oldest first, and goes on with each that comes", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [
        november("a", { started_at: "2026-11-01T00:00:01.000Z" }),
        november("b", { started_at: "2026-11-01T00:00:02.000Z" }),
        november("c", { started_at: "2026-11-01T00:00:03.000Z" }),
      ])
      const { seen, still, until } = yield* following(files, everything, 2)
      expect(seen).toEqual(["b", "c"])
      // One that began long before the others, and ended only now.
      yield* writeRows(files, [november("d", { started_at: "2026-11-01T00:00:00.000Z" })])
      yield* until(3)
      yield* writeRows(files, [november("e"), november("f")])
      yield* until(5)
      yield* still
      expect(seen).toEqual(["b", "c", "d", "e", "f"])
    }),
  )

  it.scoped("gives only what the filter admits, and more rows at once than a page", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [november("a", { model: "mine" }), november("b", { model: "other" })])
      const { seen, still, until } = yield* following(files, { ...everything, model: "mine" }, 5)
      const many = Array.from({ length: 2500 }, (_, at) =>
        november(`r${String(at).padStart(4, "0")}`, { model: at % 2 === 0 ? "mine" : "other" }),
      )
      yield* writeRows(files, many)
      yield* until(1251)
      yield* still
      expect(seen).toEqual(["a", ...many.filter(({ model }) => model === "mine").map(({ id }) => id)])
    }),
  )

  it.scoped("misses and repeats nothing when the month ends and moves between two polls", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const october = { started_at: "2026-10-31T23:59:59.000Z" }
      yield* writeRows(files, [november("a", october)])
      const { seen, still, until } = yield* following(files, everything, 5)
      yield* writeRows(files, [november("b", october)])
      yield* moveMonths(files)
      yield* writeRows(files, [november("late", october), november("c")])
      yield* until(4)
      yield* writeRows(files, [november("later", october)])
      yield* moveMonths(files)
      yield* writeRows(files, [november("d")])
      yield* until(6)
      yield* still
      expect(seen.toSorted()).toEqual(["a", "b", "c", "d", "late", "later"])
    }),
  )

  it.scoped("goes on with the database that takes the place of a removed one", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [november("a"), november("b")])
      const { seen, still, until } = yield* following(files, everything, 5)
      renameSync(files.database, `${files.database}.old`)
      yield* still
      yield* writeRows(files, [november("c")])
      yield* until(3)
      yield* still
      expect(seen).toEqual(["a", "b", "c"])
    }),
  )
})

describe("what cannot be read", () => {
  const failure = (path: string) => Effect.flip(Effect.scoped(openReader(path)))

  it.scopedLive("a file that is not there is not created", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      expect(yield* failure(files.database)).toMatchObject({ reason: "absent" })
      expect(existsSync(files.database)).toBe(false)
      expect(yield* failure(join(files.directory, "no", "such.db"))).toMatchObject({ reason: "absent" })
    }),
  )

  it.scopedLive("a database of a later release", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(rows.slice(0, 5))
      const live = yield* connect(files.database, 100)
      yield* query(live, "PRAGMA user_version = 99")
      expect(yield* failure(files.database)).toMatchObject({ reason: "newer" })
    }),
  )

  it.scopedLive(
    "an archive of a later release, or one that is broken: the others are read, and it is named",
    () =>
      Effect.gen(function* () {
        const files = yield* storedAudit(rows.slice(0, 50))
        const path = join(files.directory, archiveName(files.name, "2026_10"))
        const idsOf = Effect.flatMap(openReader(files.database), (reader) =>
          Effect.map(collected(reader.list(everything, 100)), (found) => found.map(({ id }) => id)),
        )
        renameSync(path, `${path}.away`)
        const others = yield* idsOf
        renameSync(`${path}.away`, path)
        expect((yield* idsOf).length).toBeGreaterThan(others.length)
        const archive = yield* connect(path, 100)
        yield* query(archive, "PRAGMA user_version = 99")
        for (const reason of ["newer", "broken"]) {
          if (reason === "broken") writeFileSync(path, "no database".repeat(1000))
          const reader = yield* openReader(files.database)
          const all = yield* reader.stats(everything, "model")
          expect([...all.values()].reduce((sum, { requests }) => sum + requests, 0)).toBe(others.length)
          const exported = yield* collected(reader.export(everything))
          expect(exported.map(({ id }) => id).toReversed()).toEqual(others)
          expect((yield* collected(reader.list(everything, 100))).map(({ id }) => id)).toEqual(others)
          expect(reader.leftOut()).toMatchObject([{ path, reason }])
        }
      }),
  )

  it.scopedLive("a file of GPT_API's that the gateway has not taken over, said so", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const sql = yield* connect(files.database, 100)
      yield* query(sql, "CREATE TABLE records (Time TEXT)")
      const error = yield* failure(files.database)
      expect(error).toMatchObject({ reason: "foreign" })
      expect(error.message).toContain("GPT_API")
    }),
  )

  it.scoped("a file that is no database, and one that stays locked", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const path = join(files.directory, "other.db")
      writeFileSync(path, "no database".repeat(1000))
      expect(yield* failure(path)).toMatchObject({ reason: "broken" })
      const locked = yield* connect(files.database, 0)
      yield* runAll(locked, ["PRAGMA user_version = 1", "BEGIN EXCLUSIVE"])
      const opening = yield* Effect.fork(failure(files.database))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(opening)).toMatchObject({ reason: "busy" })
    }),
  )

  it.scopedLive("an archive alone is an audit too, and reading leaves it as it was", () =>
    Effect.gen(function* () {
      const some = rows.slice(0, 20)
      const files = yield* storedAudit(some)
      const path = join(files.directory, "record_202610.db")
      const before = readFileSync(path)
      const reader = yield* openReader(path)
      const listed = yield* collected(reader.list(everything, 100))
      const expected = some.filter(({ started_at }) => String(started_at).startsWith("2026-10"))
      expect(idsOf(listed).toSorted()).toEqual(idsOf(expected).toSorted())
      expect(readFileSync(path).equals(before)).toBe(true)
    }),
  )
})

layer(stored)("query plans", (it) => {
  /** The ways SQLite takes, or would take, through the table itself. */
  const planOf = (files: AuditFiles, { text, values }: { text: string; values: ReadonlyArray<unknown> }) =>
    Effect.gen(function* () {
      const sql = yield* connect(files.database, 100)
      yield* query(sql, "ATTACH DATABASE ? AS archive", [join(files.directory, "record_202610.db")])
      const plan = yield* query(sql, `EXPLAIN QUERY PLAN ${text}`, values)
      return plan.map(({ detail }) => String(detail))
    }).pipe(Effect.scoped)

  const present: ReadonlySet<string> = new Set([...columnNames, "record_key", "seq"])
  const november = { schema: "main", month: "2026_11", present }
  const live = { live: november, archived: undefined }
  const october = { schema: "archive", month: "2026_10", present }
  const archived = { live: undefined, archived: october }
  const both = { live: { ...october, schema: "main" }, archived: october }
  const lastDay = { ...everything, since: lastInstant - 86_400_000 }
  const commonFilters: ReadonlyArray<AuditFilter> = [
    lastDay,
    { ...everything, since: lastInstant - 86_400_000, until: lastInstant },
    { ...lastDay, model: "gpt-4o" },
    { ...lastDay, upstream: "official", status: { first: 500, last: 599 } },
    { ...lastDay, outcome: "ok", clientIp: "192.0.2.7", keyFingerprint: "00112233aabbccdd" },
  ]
  const place = { startedAt: "2026-11-22T00:00:00.000Z", key: "k" }

  it.scoped("common filters, later pages and single ids search an index and scan nothing", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(rows)
      // A late row, so that October stands in both files.
      yield* writeRows(files, [rowWith("late", { started_at: "2026-10-31T23:59:59.999Z" })])
      for (const standing of [live, archived, both]) {
        const questions = [
          ...commonFilters.flatMap((filter) => [
            pageQuery(standing, filter, briefColumns, "newest", undefined, 50),
            pageQuery(standing, filter, columnNames, "oldest", place, 64),
            tallyQuery(standing, filter, "model"),
          ]),
          pageQuery(standing, everything, columnNames, "oldest", place, 64),
          idQuery(standing, columnNames, "req-1"),
        ]
        for (const question of questions) {
          const plan = (yield* planOf(files, question)).join("\n")
          expect(plan).toContain("SEARCH")
          expect(plan).not.toMatch(/SCAN (?:main|archive|requests_|kept|live)/)
        }
      }
      const arrivals = (yield* planOf(files, stepQuery(november, 10, 100))).join("\n")
      expect(arrivals).toContain("INTEGER PRIMARY KEY")
    }),
  )

  it.scoped(
    "a list without a filter reads the index in its order and sorts no more than what begins together",
    () =>
      Effect.gen(function* () {
        const files = yield* Stored
        const plan = yield* planOf(files, pageQuery(live, everything, briefColumns, "newest", undefined, 50))
        expect(plan).toEqual([
          expect.stringContaining("USING INDEX requests_2026_11_time"),
          "USE TEMP B-TREE FOR LAST TERM OF ORDER BY",
        ])
      }),
  )

  it.scoped("statistics never touch the rows with their bodies", () =>
    Effect.gen(function* () {
      const files = yield* Stored
      for (const by of groupings) {
        for (const standing of [live, archived]) {
          const [way] = yield* planOf(files, tallyQuery(standing, lastDay, by))
          expect(way).toContain("USING COVERING INDEX")
        }
      }
    }),
  )
})
