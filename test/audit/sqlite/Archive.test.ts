import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { type AuditFiles, auditFiles } from "../../../src/audit/AuditUrl.ts"
import { queuedRecord } from "../../../src/audit/queue/QueuedRecord.ts"
import { isRotationDue, type Pace, rotate } from "../../../src/audit/sqlite/Archive.ts"
import { DatabaseFault } from "../../../src/audit/sqlite/DatabaseFault.ts"
import { makeStore } from "../../../src/audit/sqlite/Store.ts"
import { quickPace } from "../../support/AuditInThread.ts"
import { ask, fullPolicy, idsIn, sampleRecord, temporaryDirectory } from "../../support/AuditRecords.ts"

const october = Date.UTC(2026, 9, 20)
const november = Date.UTC(2026, 10, 2)

const queued = (id: string, startedAt: number) =>
  queuedRecord(sampleRecord(id, { startedAt }), `key-${id}`, fullPolicy)

const ids = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(5, "0")}`)

const place = Effect.zipRight(
  TestClock.setTime(november),
  Effect.map(temporaryDirectory, (directory) => auditFiles(join(directory, "record.db"))),
)

type Store = Effect.Effect.Success<ReturnType<typeof makeStore>>

/** A store with 50 rows of October (several steps to copy) and 3 of November. */
const filled = (at: AuditFiles): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.tap(makeStore(at), (store) =>
    Effect.forEach(
      [ids("o", 50).map((id) => queued(id, october)), ids("n", 3).map((id) => queued(id, november))],
      (records) => store.write(records),
    ),
  )

/** What a reader of both files counts: live rows, and the archive's whose key the live table has not. */
const octoberIds = (at: AuditFiles): ReadonlyArray<string> => {
  const archive = join(at.directory, "record_202610.db")
  const database = new Sqlite(at.database, { readonly: true })
  try {
    const named = (text: string) =>
      database
        .prepare<{ readonly id: string }>(text)
        .all()
        .map(({ id }) => id)
    const isLive =
      database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'requests_2026_10'").get() !== undefined
    const live = isLive ? named("SELECT id FROM requests_2026_10") : []
    if (!existsSync(archive)) return live
    database.prepare("ATTACH ? AS archive").run(archive)
    const unless = isLive ? "WHERE record_key NOT IN (SELECT record_key FROM main.requests_2026_10)" : ""
    return [...live, ...named(`SELECT id FROM archive.requests_2026_10 ${unless}`)]
  } finally {
    database.close()
  }
}

const go = quickPace

const crash = new DatabaseFault({ kind: "refused", detail: "a crash, by the test" })

/** Ends the rotation after its `step`th step, without any tidying up. */
const crashAfter = (step: number): Pace => {
  let steps = 0
  return {
    ...quickPace,
    between: () => {
      steps++
      return steps === step ? Effect.fail(crash) : Effect.void
    },
  }
}

const files = (at: AuditFiles) =>
  readdirSync(at.directory)
    .filter((name) => !/-(?:wal|shm)$/.test(name))
    .toSorted()

const expectMoved = (at: AuditFiles, expected: ReadonlyArray<string>) => {
  const archive = join(at.directory, "record_202610.db")
  expect(idsIn(archive)).toEqual(expected)
  expect(idsIn(archive, "requests_2026_10")).toEqual(expected)
  expect(ask(archive, "SELECT count(*) AS n FROM records")).toEqual([{ n: expected.length }])
  expect(ask(archive, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
  expect(ask(at.database, "SELECT name FROM sqlite_master WHERE name LIKE '%2026_10%'")).toEqual([])
  expect(idsIn(at.database)).toEqual(ids("n", 3))
  expect(files(at).filter((name) => name.includes("partial"))).toEqual([])
}

describe("moving a finished month", () => {
  it.scoped("leaves one archive that needs no other file, readable by its owner only", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      const report = yield* rotate(at, november, 0, go)
      expect(report).toEqual({ archived: ["record_202610.db"], deleted: [], fault: undefined })
      expectMoved(at, ids("o", 50))
      const archive = join(at.directory, "record_202610.db")
      expect(statSync(archive).mode & 0o777).toBe(0o600)
      const alone = join(at.directory, "copy.db")
      copyFileSync(archive, alone)
      expect(ask(alone, "SELECT count(*) AS n FROM requests WHERE started_at LIKE '2026-10-%'")).toEqual([
        { n: 50 },
      ])
      expect(
        ask(alone, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").map(
          ({ name }) => name,
        ),
      ).toEqual(["requests_2026_10_id", "requests_2026_10_time"])
    }),
  )

  it.scoped("moves nothing while the month lasts", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      expect(yield* rotate(at, Date.UTC(2026, 9, 31, 23, 59, 59, 999), 0, go)).toEqual({
        archived: [],
        deleted: [],
        fault: undefined,
      })
      expect(files(at)).not.toContain("record_202610.db")
    }),
  )

  it.scoped(
    "loses and doubles nothing, for readers in between neither, when it crashes after any of its steps",
    () =>
      Effect.gen(function* () {
        for (let step = 1; ; step++) {
          const at = yield* place
          yield* Effect.scoped(filled(at))
          const crashed = yield* rotate(at, november, 0, crashAfter(step))
          const seen = octoberIds(at)
          expect(seen).toHaveLength(50)
          expect(new Set(seen).size).toBe(50)
          expect(idsIn(at.database).filter((id) => id.startsWith("n"))).toEqual(ids("n", 3))
          const resumed = yield* rotate(at, november, 0, go)
          expect(resumed.fault).toBeUndefined()
          expectMoved(at, ids("o", 50))
          if (crashed.fault === undefined) {
            expect(step).toBeGreaterThan(10)
            return
          }
        }
      }),
  )

  it.scoped("gets rows written between any two steps into the archive too, each once", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* filled(at)
      let steps = 0
      const between: Pace["between"] = () =>
        Effect.gen(function* () {
          steps++
          const seen = octoberIds(at)
          expect(new Set(seen).size).toBe(seen.length)
          expect(seen).toHaveLength(50 + steps - 1)
          const report = yield* store.write([queued(`p${String(steps).padStart(5, "0")}`, october)])
          expect(report.refused).toBe(false)
          while ((yield* store.drain).spilled > 0);
        }).pipe(Effect.when(() => steps < 12))
      expect((yield* rotate(at, november, 0, { ...quickPace, between })).fault).toBeUndefined()
      expect((yield* rotate(at, november, 0, go)).fault).toBeUndefined()
      expectMoved(at, [...ids("o", 50), ...ids("p", 13).slice(1)])
    }),
  )

  it.scoped("brings a row that came after all into the archive, and only once when it comes again", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* filled(at)
      yield* rotate(at, november, 0, go)
      yield* store.write([queued("zlate", october), queued("o00000", october)])
      expect(octoberIds(at).length).toBe(51)
      expect((yield* rotate(at, november, 0, go)).archived).toEqual([])
      expectMoved(at, [...ids("o", 50), "zlate"])
    }),
  )

  it.scoped("starts anew where rows were deleted while they were copied", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      yield* rotate(at, november, 0, crashAfter(2))
      const database = new Sqlite(at.database)
      database.exec("DELETE FROM requests_2026_10 WHERE id = 'o00007'")
      database.close()
      expect((yield* rotate(at, november, 0, go)).fault).toBeUndefined()
      expectMoved(
        at,
        ids("o", 50).filter((id) => id !== "o00007"),
      )
    }),
  )

  it.scoped("throws a broken half-made file away, says so, and succeeds the next time", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      writeFileSync(join(at.directory, "record_202610.db.partial"), "no database at all".repeat(500))
      expect((yield* rotate(at, november, 0, go)).fault).toContain("corrupt")
      expect((yield* rotate(at, november, 0, go)).fault).toBeUndefined()
      expectMoved(at, ids("o", 50))
    }),
  )

  it.scoped("adds to an archive of that month which GPT_API left, whose rows stay in `records`", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      const archive = join(at.directory, "record_202610.db")
      const database = new Sqlite(archive)
      database.exec("CREATE TABLE records (id INTEGER PRIMARY KEY, Time TEXT, Model TEXT)")
      database.exec("INSERT INTO records (Time, Model) VALUES ('2026-10-01 00:00:00', 'theirs')")
      database.close()
      expect((yield* rotate(at, november, 0, go)).fault).toBeUndefined()
      expect(idsIn(archive)).toEqual(ids("o", 50))
      expect(ask(archive, "SELECT count(*) AS n FROM records")).toEqual([{ n: 51 }])
      expect(ask(archive, "SELECT Model FROM records WHERE Time < '2026-10-02'")).toEqual([
        { Model: "theirs" },
      ])
    }),
  )

  it.scoped("waits with a month whose archive cannot be written, and keeps its rows", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      mkdirSync(join(at.directory, "record_202610.db"))
      expect((yield* rotate(at, november, 0, go)).fault).toContain("unreachable")
      expect(idsIn(at.database)).toHaveLength(53)
    }),
  )
})

describe("retention", () => {
  it.scoped("deletes archives older than it, and no other file", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      const others = [
        "record_202607.db",
        "record_202608.db",
        "record_202512.db",
        "other_202001.db",
        "record_202001_1.db",
      ]
      for (const name of others) writeFileSync(join(at.directory, name), "")
      const report = yield* rotate(at, november, 3, go)
      expect(report).toEqual({
        archived: ["record_202610.db"],
        deleted: ["record_202512.db", "record_202607.db"],
        fault: undefined,
      })
      expect(files(at)).toEqual([
        "other_202001.db",
        "record.db",
        "record_202001_1.db",
        "record_202608.db",
        "record_202610.db",
      ])
    }),
  )

  it.scoped("of 0 keeps all", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      writeFileSync(join(at.directory, "record_200001.db"), "")
      expect((yield* rotate(at, november, 0, go)).deleted).toEqual([])
    }),
  )
})

describe("whether a rotation is due", () => {
  it.scoped("is no for a database of this month alone, beside archives that are kept", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("n", november)])
      writeFileSync(join(at.directory, "record_202609.db"), "")
      expect(yield* isRotationDue(at, november, 0)).toBe(false)
      expect(yield* isRotationDue(at, november, 3)).toBe(false)
    }),
  )

  it.scoped("is yes for rows of a finished month, until they are moved", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* filled(at)
      expect(yield* isRotationDue(at, october, 0)).toBe(false)
      expect(yield* isRotationDue(at, november, 0)).toBe(true)
      yield* rotate(at, november, 0, go)
      expect(yield* isRotationDue(at, november, 0)).toBe(false)
    }),
  )

  it.scoped("is yes for a month that is half moved", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* makeStore(at)
      yield* rotate(at, november, 0, go)
      writeFileSync(join(at.directory, "record_202610.db.partial"), "")
      expect(yield* isRotationDue(at, november, 0)).toBe(true)
    }),
  )

  it.scoped("is yes for an archive that is older than is kept", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* makeStore(at)
      writeFileSync(join(at.directory, "record_202607.db"), "")
      expect(yield* isRotationDue(at, november, 0)).toBe(false)
      expect(yield* isRotationDue(at, november, 3)).toBe(true)
    }),
  )

  it.scoped("is yes where it cannot be seen", () =>
    Effect.gen(function* () {
      const at = yield* place
      mkdirSync(at.database)
      expect(yield* isRotationDue(at, november, 0)).toBe(true)
    }),
  )
})
