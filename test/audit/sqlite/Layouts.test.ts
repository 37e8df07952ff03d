/** Every layout a release wrote, wherever it stands (live, archive, `.partial`, spill), by every command and by the gateway that takes it on. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { AuditFiles } from "../../../src/audit/AuditUrl.ts"
import { queuedRecord } from "../../../src/audit/queue/QueuedRecord.ts"
import { everything } from "../../../src/audit/read/AuditFilter.ts"
import { groupings, ranked } from "../../../src/audit/read/AuditStats.ts"
import { briefColumns } from "../../../src/audit/read/FoundRow.ts"
import { idQuery, type MonthTable, pageQuery, tallyQuery } from "../../../src/audit/read/MonthQuery.ts"
import { openReader } from "../../../src/audit/read/Reader.ts"
import { type Pace, rotate } from "../../../src/audit/sqlite/Archive.ts"
import { columnNames, layout } from "../../../src/audit/sqlite/Columns.ts"
import { connect, query } from "../../../src/audit/sqlite/Database.ts"
import { DatabaseFault } from "../../../src/audit/sqlite/DatabaseFault.ts"
import { openLive } from "../../../src/audit/sqlite/LiveDatabase.ts"
import { makeStore } from "../../../src/audit/sqlite/Store.ts"
import { addColumns, createViews } from "../../../src/audit/sqlite/Tables.ts"
import { quickPace } from "../../support/AuditInThread.ts"
import {
  auditOfLayout1,
  columnsOfLayout1,
  rowsOfLayout1,
  type State,
  states,
} from "../../support/AuditLayouts.ts"
import { ask, fullPolicy, sampleRecord } from "../../support/AuditRecords.ts"

const november = Date.UTC(2026, 10, 22, 20)

/** Rows that no reader sees before a gateway has started: they wait in the spill. */
const waiting = (state: State) => (state === "spilled" ? "2026-11" : "none")

const expectedIn = (state: State) =>
  rowsOfLayout1.filter((row) => !String(row["started_at"]).startsWith(waiting(state)))

const exported = (path: string) =>
  Effect.scoped(
    Effect.flatMap(openReader(path), (reader) => Stream.runCollect(reader.export(everything))),
  ).pipe(Effect.map(Chunk.toReadonlyArray))

/** What a gateway of this release does with an audit that it finds. */
const takenOn = (files: AuditFiles) =>
  Effect.gen(function* () {
    const store = yield* makeStore(files)
    let report = yield* store.drain
    while (report.spilled > 0 && report.fault === undefined) report = yield* store.drain
    expect(report).toMatchObject({ spilled: 0, lost: 0, fault: undefined })
    return yield* rotate(files, november, 0, quickPace)
  }).pipe(Effect.scoped)

const layoutOf = (path: string) => ask(path, "PRAGMA user_version")[0]?.["user_version"]

const columnsAt = (path: string, table: string) =>
  ask(path, `SELECT name FROM pragma_table_info('${table}')`).map(({ name }) => name)

const archiveOf = (files: AuditFiles, month: string) => join(files.directory, `record_${month}.db`)

describe("an audit of layout 1, which no newer gateway has touched", () => {
  for (const state of states) {
    it.scoped(`is listed, shown, exported and counted by a newer release: ${state}`, () =>
      Effect.gen(function* () {
        const files = yield* auditOfLayout1(state)
        const expected = expectedIn(state)
        expect(yield* exported(files.database)).toEqual(expected)
        const reader = yield* openReader(files.database)
        const listed = Chunk.toReadonlyArray(yield* Stream.runCollect(reader.list(everything, 100)))
        expect(listed.map(({ id }) => id)).toEqual(expected.map(({ id }) => id).toReversed())
        expect(Object.keys(listed[0] ?? {})).toEqual(briefColumns)
        for (const row of expected) expect(yield* reader.show(String(row["id"]))).toEqual([row])
        for (const by of groupings) {
          const groups = ranked(yield* reader.stats(everything, by), by)
          expect(groups.reduce((all, { requests }) => all + requests, 0)).toBe(expected.length)
        }
        const failed = Chunk.toReadonlyArray(
          yield* Stream.runCollect(reader.list({ ...everything, outcome: "upstream_error" }, 100)),
        )
        expect(failed.map(({ id }) => id)).toEqual(
          expected.flatMap(({ id, outcome }) => (outcome === "upstream_error" ? [id] : [])).toReversed(),
        )
      }),
    )
  }

  it.scoped("is left as it was by whoever only reads it", () =>
    Effect.gen(function* () {
      const files = yield* auditOfLayout1("moved")
      const contents = () =>
        readdirSync(files.directory)
          .filter((name) => name.endsWith(".db"))
          .map((name) => readFileSync(join(files.directory, name)).toString("base64"))
      const before = contents()
      yield* exported(files.database)
      expect(contents()).toEqual(before)
      expect(layoutOf(files.database)).toBe(1)
    }),
  )

  it.scoped("is read by an index, though it lacks columns", () =>
    Effect.gen(function* () {
      const files = yield* auditOfLayout1("published")
      const present: ReadonlySet<string> = new Set([...columnsOfLayout1, "record_key", "seq"])
      const live: MonthTable = { schema: "main", month: "2026_10", present }
      const archived: MonthTable = { ...live, schema: "archive" }
      const sql = yield* connect(files.database, 100)
      yield* query(sql, "ATTACH DATABASE ? AS archive", [archiveOf(files, "202610")])
      const filter = { ...everything, since: november - 86_400_000 }
      for (const standing of [
        { live, archived: undefined },
        { live: undefined, archived },
        { live, archived },
      ]) {
        for (const { text, values } of [
          pageQuery(standing, filter, columnNames, "newest", undefined, 50),
          idQuery(standing, columnNames, "october-chat"),
          tallyQuery(standing, filter, "model"),
        ]) {
          const plan = (yield* query(sql, `EXPLAIN QUERY PLAN ${text}`, values)).map(({ detail }) => detail)
          expect(plan.join("\n")).toContain("SEARCH")
          expect(plan.join("\n")).not.toMatch(/SCAN (?:main|archive|requests_|kept|live)/)
        }
      }
    }),
  )
})

/** The statements that bring `moved` to this layout. */
const change: ReadonlyArray<string> = [
  ...addColumns("2026_11", new Set(columnsOfLayout1)),
  ...createViews(["2026_11"], undefined),
  `PRAGMA user_version = ${layout}`,
]

const victim = `
  const Sqlite = require(Number(process.versions.node.split(".")[0]) < 22 ? "better-sqlite3-12" : "better-sqlite3")
  const [database, statements] = process.argv.slice(1)
  const sql = new Sqlite(database)
  sql.exec("BEGIN IMMEDIATE")
  for (const text of JSON.parse(statements)) sql.exec(text)
  process.stdout.write("within")
  setInterval(() => {}, 1000)
`

/** Runs statements in a transaction that never ends, for its process is killed. */
const killedWithin = async (database: string, statements: ReadonlyArray<string>): Promise<void> => {
  const child = spawn(process.execPath, ["-e", victim, database, JSON.stringify(statements)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  await once(child.stdout, "data")
  child.kill("SIGKILL")
  await once(child, "close")
}

describe("an audit of layout 1, which a newer gateway takes on", () => {
  for (const state of states) {
    it.scoped(`has every row once, its month moved, and room for the new columns: ${state}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(november)
        const files = yield* auditOfLayout1(state)
        expect((yield* takenOn(files)).fault).toBeUndefined()
        expect(yield* exported(files.database)).toEqual(rowsOfLayout1)
        expect(layoutOf(files.database)).toBe(layout)
        expect(new Set(columnsAt(files.database, "requests_2026_11"))).toEqual(
          new Set([...columnNames, "record_key", "seq"]),
        )
        expect(columnsAt(files.database, "requests")).toEqual(columnNames)
        expect(ask(files.database, "SELECT name FROM sqlite_master WHERE name LIKE '%2026_10%'")).toEqual([])
        expect(readdirSync(files.directory).filter((name) => /partial|spill/.test(name))).toEqual([])
        for (const month of ["202609", "202610"]) {
          const archive = archiveOf(files, month)
          expect(ask(archive, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
          expect(ask(archive, "SELECT count(*) AS n FROM requests")).toEqual([{ n: 7 }])
          expect(ask(archive, "SELECT count(*) AS n FROM records")).toEqual([{ n: 6 }])
        }
        const theirs = state === "inherited" ? 1 : 0
        expect(ask(files.database, "SELECT count(*) AS n FROM records")).toEqual([{ n: 6 + theirs }])
      }),
    )
  }

  it.scoped("leaves archives that need nothing as they were, and completes one that gets a late row", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("moved")
      const before = readFileSync(archiveOf(files, "202609"))
      const startedAt = Date.UTC(2026, 9, 31, 23, 59)
      yield* Effect.scoped(
        Effect.flatMap(makeStore(files), (store) =>
          store.write([queuedRecord(sampleRecord("late", { startedAt }), "key-late", fullPolicy)]),
        ),
      )
      expect((yield* takenOn(files)).fault).toBeUndefined()
      expect(readFileSync(archiveOf(files, "202609")).equals(before)).toBe(true)
      expect(layoutOf(archiveOf(files, "202609"))).toBe(1)
      expect(layoutOf(archiveOf(files, "202610"))).toBe(layout)
      expect(
        ask(archiveOf(files, "202610"), "SELECT id, dialect FROM requests WHERE dialect IS NOT NULL"),
      ).toEqual([{ id: "late", dialect: "chat" }])
      const rows = yield* exported(files.database)
      expect(rows).toHaveLength(rowsOfLayout1.length + 1)
      expect(rows.filter(({ id }) => id !== "late")).toEqual(rowsOfLayout1)
    }),
  )

  it.scoped("is written to and read while an older gateway and readers have it open", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("moved")
      const reader = yield* openReader(files.database)
      const older = new Sqlite(files.database)
      const names = [...columnsOfLayout1, "record_key"].join(", ")
      const row = (key: string) =>
        `INSERT INTO requests_2026_11 (${names}) SELECT ${names.replace("record_key", `'${key}'`)} FROM requests_2026_11 LIMIT 1`
      older.exec(row("before"))
      const live = yield* openLive(files)
      older.exec(row("after"))
      // What the older one makes when a month begins lacks columns, though the file has them.
      older.exec(
        `CREATE TABLE requests_2026_12 (${names.replace("record_key", "record_key UNIQUE, seq INTEGER PRIMARY KEY")})`,
      )
      older.close()
      expect(yield* Stream.runCount(reader.export(everything))).toBe(rowsOfLayout1.length + 2)
      yield* live.close
      const store = yield* makeStore(files)
      const written = yield* store.write([
        queuedRecord(
          sampleRecord("december", { startedAt: Date.UTC(2026, 11, 1) }),
          "key-december",
          fullPolicy,
        ),
      ])
      expect(written).toMatchObject({ refused: false, lost: 0, fault: undefined })
      expect(ask(files.database, "SELECT id, dialect FROM requests WHERE dialect IS NOT NULL")).toEqual([
        { id: "december", dialect: "chat" },
      ])
    }),
  )

  it.scoped("waits for another that writes, as it is, and takes rows meanwhile", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("moved")
      const other = new Sqlite(files.database)
      other.exec("BEGIN IMMEDIATE")
      const store = yield* makeStore(files)
      const record = queuedRecord(sampleRecord("meanwhile", { startedAt: november }), "key", fullPolicy)
      expect(yield* store.write([record])).toMatchObject({ refused: false, spilled: 1, locked: true })
      expect(layoutOf(files.database)).toBe(1)
      other.exec("ROLLBACK")
      other.close()
      expect(yield* store.drain).toMatchObject({ spilled: 0, fault: undefined })
      expect(layoutOf(files.database)).toBe(layout)
      expect(yield* exported(files.database)).toHaveLength(rowsOfLayout1.length + 1)
    }),
  )

  it.scopedLive("is as it was after kill -9 within the change, and is changed by the next start", () =>
    Effect.gen(function* () {
      for (const statements of [1, Math.floor(change.length / 2), change.length]) {
        const files = yield* auditOfLayout1("moved")
        yield* Effect.promise(() => killedWithin(files.database, change.slice(0, statements)))
        expect(yield* exported(files.database)).toEqual(rowsOfLayout1)
        expect(layoutOf(files.database)).toBe(1)
        yield* Effect.flatMap(openLive(files), ({ close }) => close)
        expect(layoutOf(files.database)).toBe(layout)
        expect(yield* exported(files.database)).toEqual(rowsOfLayout1)
        expect(ask(files.database, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
      }
    }),
  )
})

describe("an audit of a layout newer than this release", () => {
  const raise = (path: string) => {
    const database = new Sqlite(path)
    database.exec(`PRAGMA user_version = ${layout + 1}`)
    database.close()
  }

  it.scoped("takes no rows, which wait in the spill until a newer release is back, and says so", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("moved")
      yield* takenOn(files)
      raise(files.database)
      const store = yield* makeStore(files)
      const report = yield* store.write([queuedRecord(sampleRecord("kept"), "key-kept", fullPolicy)])
      expect(report).toMatchObject({ refused: false, spilled: 1, lost: 0 })
      expect(report.fault).toContain(`record.db has layout ${layout + 1}`)
      expect((yield* store.drain).spilled).toBe(1)
      const sql = new Sqlite(files.database)
      sql.exec(`PRAGMA user_version = ${layout}`)
      sql.close()
      expect((yield* store.drain).spilled).toBe(0)
      expect((yield* store.drain).fault).toBeUndefined()
      expect(ask(files.database, "SELECT id FROM requests WHERE id = 'kept'")).toEqual([{ id: "kept" }])
    }),
  )

  it.scoped("is left out, and the archive that is newer is named", () =>
    Effect.gen(function* () {
      const files = yield* auditOfLayout1("moved")
      raise(archiveOf(files, "202609"))
      const reader = yield* openReader(files.database)
      const all = yield* Stream.runCount(reader.list(everything, 1_000))
      expect(all).toBe(14)
      const [left, ...more] = reader.leftOut()
      expect([left?.reason, more.length]).toEqual(["newer", 0])
      expect(left?.path).toBe(archiveOf(files, "202609"))
      const recent = { ...everything, since: Date.UTC(2026, 9, 1) }
      expect(yield* Stream.runCount(reader.list(recent, 100))).toBe(14)
    }),
  )

  it.scoped(
    "keeps its archive as it is: a month of which it has a newer one waits in the live database",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(november)
        const files = yield* auditOfLayout1("published")
        raise(archiveOf(files, "202610"))
        const before = readFileSync(archiveOf(files, "202610"))
        const report = yield* takenOn(files)
        expect(report.fault).toContain(`record_202610.db has layout ${layout + 1}`)
        expect(readFileSync(archiveOf(files, "202610")).equals(before)).toBe(true)
        expect(ask(files.database, "SELECT count(*) AS n FROM requests_2026_10")).toEqual([{ n: 7 }])
      }),
  )

  it.scoped("is no reason to keep a half-made archive, which holds nothing of its own", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("sealed")
      raise(`${archiveOf(files, "202610")}.partial`)
      expect((yield* takenOn(files)).fault).toBeUndefined()
      expect(yield* exported(files.database)).toEqual(rowsOfLayout1)
    }),
  )

  it.scoped("goes back by hand to an older layout, which takes nothing away, and forth again", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("moved")
      yield* takenOn(files)
      const record = queuedRecord(sampleRecord("new", { startedAt: november }), "key-new", fullPolicy)
      yield* Effect.scoped(Effect.flatMap(makeStore(files), (store) => store.write([record])))
      const older = new Sqlite(files.database)
      older.exec("PRAGMA user_version = 1")
      const names = columnsOfLayout1.join(", ")
      older.exec(
        `INSERT INTO requests_2026_11 (${names}, record_key) SELECT ${names.replace("id", "'old'")}, 'key-old' FROM requests LIMIT 1`,
      )
      older.close()
      expect((yield* takenOn(files)).fault).toBeUndefined()
      expect(
        ask(files.database, "SELECT id, dialect FROM requests WHERE id IN ('new', 'old') ORDER BY id"),
      ).toEqual([
        { id: "new", dialect: "chat" },
        { id: "old", dialect: null },
      ])
    }),
  )
})

describe("lines of the spill", () => {
  it.scoped("of a layout that lacks columns, and of one that has more, become rows", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(november)
      const files = yield* auditOfLayout1("spilled")
      const [name = ""] = readdirSync(files.directory).filter((one) => one.endsWith(".jsonl"))
      const path = join(files.directory, name)
      const [first = "{}", ...rest] = readFileSync(path, "utf8").split("\n")
      writeFileSync(path, [JSON.stringify({ ...JSON.parse(first), of_tomorrow: 1 }), ...rest].join("\n"))
      yield* takenOn(files)
      expect(yield* exported(files.database)).toEqual(rowsOfLayout1)
    }),
  )
})

/** A fault of the test's own. */
const crash = new DatabaseFault({ kind: "refused", detail: "a crash, by the test" })

const crashAfter = (last: number): Pace => {
  let steps = 0
  return {
    rowsPerCopy: 3,
    rowsPerClear: 3,
    between: () => {
      steps++
      return steps === last ? Effect.fail(crash) : Effect.void
    },
  }
}

describe("a month that layout 1 left half moved", () => {
  for (const state of ["copying", "sealed", "published", "switched"] as const) {
    it.scoped(`is read whole, and ends in its archive whole, after a crash at any step: ${state}`, () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(november)
        for (let step = 1; ; step++) {
          const files = yield* auditOfLayout1(state)
          const crashed = yield* rotate(files, november, 0, crashAfter(step))
          expect(yield* exported(files.database)).toEqual(expectedIn(state))
          expect((yield* takenOn(files)).fault).toBeUndefined()
          expect(yield* exported(files.database)).toEqual(rowsOfLayout1)
          expect(ask(archiveOf(files, "202610"), "SELECT count(*) AS n FROM requests")).toEqual([{ n: 7 }])
          if (crashed.fault === undefined) {
            expect(step).toBeGreaterThan(2)
            return
          }
        }
      }),
    )
  }
})
