import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { auditFiles } from "../../../src/audit/AuditUrl.ts"
import { queuedRecord } from "../../../src/audit/queue/QueuedRecord.ts"
import type { AuditRecord } from "../../../src/audit/record/AuditRecord.ts"
import { makeStore } from "../../../src/audit/sqlite/Store.ts"
import { ask, fullPolicy, idsIn, sampleRecord, temporaryDirectory } from "../../support/AuditRecords.ts"

const queued = (id: string, over: Partial<AuditRecord> = {}, key = `key-${id}`) =>
  queuedRecord(sampleRecord(id, over), key, fullPolicy)

const place = Effect.map(temporaryDirectory, (directory) => auditFiles(join(directory, "logs", "record.db")))

/** Held until the scope ends, or `release` is run. */
const lockOf = (path: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const database = new Sqlite(path, { timeout: 0 })
        database.exec("BEGIN IMMEDIATE")
        return database
      }),
      (database) => Effect.sync(() => database.close()),
    ),
    (database) => ({ release: Effect.sync(() => database.exec("ROLLBACK")) }),
  )

const spillFiles = (directory: string) => readdirSync(directory).filter((name) => name.includes(".spill-"))

const calm = { refused: false, spilled: 0, lost: 0, fault: undefined }

describe("the store", () => {
  it.scoped("creates what it needs, for its owner only", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      expect(yield* store.write([queued("a")])).toMatchObject(calm)
      expect(idsIn(at.database)).toEqual(["a"])
      for (const name of readdirSync(at.directory)) {
        expect(statSync(join(at.directory, name)).mode & 0o777, name).toBe(0o600)
      }
      expect(statSync(at.directory).mode & 0o777).toBe(0o700)
      expect(ask(at.database, "PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }])
    }),
  )

  it.scoped("puts each row into the month it began in, and shows all in both views", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      const october = Date.UTC(2026, 9, 31, 23, 59, 59, 999)
      yield* store.write([queued("new"), queued("old", { startedAt: october, endpoint: "completions" })])
      yield* store.write([queued("models", { endpoint: "models", model: undefined })])
      expect(idsIn(at.database, "requests_2026_10")).toEqual(["old"])
      expect(idsIn(at.database, "requests_2026_11")).toEqual(["models", "new"])
      expect(idsIn(at.database)).toEqual(["models", "new", "old"])
      const records = ask(at.database, "SELECT * FROM records ORDER BY Time")
      expect(records.map(({ Type }) => Type)).toEqual(["text_completion", "chat.completions"])
      expect(Object.keys(records[0] ?? {}).join(", ")).toBe(
        "id, Time, IP, Model, Type, CompletionTokens, PromptTokens, TotalTokens, Tool, Multimodal, Headers, Request, Response",
      )
      expect(String(records[1]?.["Time"])).toMatch(/^2026-11-2\d \d\d:\d\d:00\.123000$/)
    }),
  )

  it.scoped("keeps a row that is written twice once, and two requests of one id both", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("same", {}, "k1"), queued("same", {}, "k2")])
      yield* store.write([queued("same", {}, "k2"), queued("same", {}, "k3")])
      expect(idsIn(at.database)).toEqual(["same", "same", "same"])
    }),
  )

  it.scoped(
    "spills while the database is locked, does not wait for it again and again, and drains afterwards",
    () =>
      Effect.gen(function* () {
        const at = yield* place
        const store = yield* makeStore(at)
        yield* store.write([queued("before")])
        const lock = yield* lockOf(at.database)
        const first = yield* store.write([queued("a"), queued("b")])
        expect(first).toMatchObject({ refused: false, spilled: 2, lost: 0 })
        expect(first.fault).toContain("locked")
        expect(yield* store.drain).toMatchObject({ spilled: 2, lost: 0 })
        yield* lock.release
        // Not even asked, or it would have them.
        for (let at = 0; at < 20; at++) yield* store.write([queued(`c${at}`)])
        expect(idsIn(at.database)).toEqual(["before"])
        expect(yield* store.drain).toMatchObject(calm)
        expect(idsIn(at.database)).toHaveLength(23)
        expect(spillFiles(at.directory)).toEqual([])
      }),
  )

  it.scoped("drains at its start what an earlier run spilled", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore(at)
          yield* store.write([queued("a")])
          yield* lockOf(at.database)
          yield* store.write([queued("b")])
        }),
      )
      expect(idsIn(at.database)).toEqual(["a"])
      const store = yield* makeStore(at)
      expect(yield* store.drain).toMatchObject({ ...calm, owner: true })
      expect(idsIn(at.database)).toEqual(["a", "b"])
    }),
  )

  it.scoped("writes a spilled row that had come through after all only once", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("a")])
      const lock = yield* lockOf(at.database)
      yield* store.write([queued("a"), queued("b")])
      yield* lock.release
      yield* store.drain
      expect(idsIn(at.database)).toEqual(["a", "b"])
    }),
  )

  it.scoped("goes on in a new file when the database is deleted", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("a")])
      rmSync(at.database)
      expect(yield* store.write([queued("b")])).toMatchObject(calm)
      expect(idsIn(at.database)).toEqual(["b"])
      rmSync(at.directory, { recursive: true })
      expect(yield* store.write([queued("c")])).toMatchObject(calm)
      expect(idsIn(at.database)).toEqual(["c"])
      expect(ask(at.database, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
    }),
  )

  it.scoped("leaves a database that is moved away whole, and takes the one put in its place", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("a")])
      const other = auditFiles(join(dirname(at.directory), "other.db"))
      yield* Effect.scoped(Effect.flatMap(makeStore(other), (it) => it.write([queued("other")])))
      const moved = join(at.directory, "moved.db")
      renameSync(at.database, moved)
      renameSync(other.database, at.database)
      expect(yield* store.write([queued("b")])).toMatchObject(calm)
      expect(idsIn(moved)).toEqual(["a"])
      expect(idsIn(at.database)).toEqual(["b", "other"])
      expect(ask(at.database, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
    }),
  )

  it.scoped("spills when the database is no database, and recovers when somebody moves it away", () =>
    Effect.gen(function* () {
      const at = yield* place
      mkdirSync(at.directory)
      writeFileSync(at.database, "this is no database, and nobody's to delete".repeat(200))
      const store = yield* makeStore(at)
      const report = yield* store.write([queued("a")])
      expect(report).toMatchObject({ refused: false, spilled: 1, lost: 0 })
      expect(report.fault).toContain("corrupt")
      expect(yield* store.drain).toMatchObject({ spilled: 1 })
      expect(statSync(at.database).size).toBeGreaterThan(8000)
      renameSync(at.database, `${at.database}.broken`)
      expect(yield* store.drain).toMatchObject(calm)
      expect(idsIn(at.database)).toEqual(["a"])
    }),
  )

  it.scoped("spills rather than write into a file of a later release", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* Effect.scoped(Effect.flatMap(makeStore(at), (it) => it.write([queued("a")])))
      const database = new Sqlite(at.database)
      database.pragma("user_version = 99")
      database.close()
      const report = yield* (yield* makeStore(at)).write([queued("b")])
      expect(report).toMatchObject({ refused: false, spilled: 1 })
      expect(report.fault).toContain("later release")
      expect(idsIn(at.database)).toEqual(["a"])
    }),
  )

  it.scoped("recreates a table that somebody dropped under it", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("a")])
      const database = new Sqlite(at.database)
      database.exec("DROP TABLE requests_2026_11")
      database.close()
      expect(yield* store.write([queued("b")])).toMatchObject(calm)
      expect(idsIn(at.database)).toEqual(["b"])
    }),
  )

  it.scoped("loses a row the database refuses, says so, and keeps the others of its batch", () =>
    Effect.gen(function* () {
      const at = yield* place
      const store = yield* makeStore(at)
      yield* store.write([queued("a")])
      const database = new Sqlite(at.database)
      database.exec(
        "CREATE TRIGGER t BEFORE INSERT ON requests_2026_11 WHEN NEW.id = 'bad' BEGIN SELECT raise(ABORT, 'no'); END",
      )
      database.close()
      const report = yield* store.write([queued("b"), queued("bad"), queued("c")])
      expect(report).toMatchObject({ ...calm, lost: 1 })
      expect(idsIn(at.database)).toEqual(["a", "b", "c"])
    }),
  )

  it.scoped("lets one of two gateways own the audit until it ends, and both write", () =>
    Effect.gen(function* () {
      const at = yield* place
      const first = yield* Scope.make()
      const one = yield* Scope.extend(makeStore(at), first)
      const two = yield* makeStore(at)
      expect(yield* one.drain).toMatchObject({ owner: true, shared: false })
      expect(yield* two.drain).toMatchObject({ owner: false, shared: true })
      yield* two.write([queued("two")])
      yield* one.write([queued("one")])
      expect(idsIn(at.database).toSorted()).toEqual(["one", "two"])
      yield* Scope.close(first, Exit.void)
      expect(yield* two.drain).toMatchObject({ owner: true, shared: false })
    }),
  )
})

/** As GPT_API's `db/mod.rs` creates it. */
const gptApiTable = `CREATE TABLE IF NOT EXISTS records (
  id INTEGER PRIMARY KEY AUTOINCREMENT, Time TEXT, IP TEXT, Model TEXT, Type TEXT, CompletionTokens INTEGER,
  PromptTokens INTEGER, TotalTokens INTEGER, Tool BOOLEAN, Multimodal BOOLEAN, Headers TEXT, Request TEXT, Response TEXT)`

describe("a record.db that GPT_API wrote", () => {
  const written = (create: string, insert: string) =>
    Effect.map(place, (at) => {
      mkdirSync(at.directory)
      const database = new Sqlite(at.database)
      database.exec(create)
      database.exec(insert)
      database.close()
      chmodSync(at.database, 0o640)
      return at
    })

  it.scoped("goes on counting: `id` ascends over their rows and ours, and is a row's own", () =>
    Effect.gen(function* () {
      const at = yield* written(
        gptApiTable,
        "INSERT INTO records (id, Time, Model) VALUES (41, '2026-11-20', 'old'), (42, '2026-11-21', 'old')",
      )
      const idsNow = () =>
        ask(at.database, "SELECT id FROM records ORDER BY id DESC").map(({ id }) => Number(id))
      const store = yield* makeStore(at)
      yield* store.write([queued("old", { startedAt: Date.UTC(2026, 9, 31) }), queued("a"), queued("b")])
      const before = idsNow()
      expect(before).toHaveLength(5)
      expect(before.slice(3)).toEqual([42, 41])
      expect(before).toEqual(before.toSorted((a, b) => b - a))
      yield* store.write([queued("c")])
      const [newest = 0, ...others] = idsNow()
      expect(others).toEqual(before)
      expect(newest).toBeGreaterThan(Math.max(...before))
    }),
  )

  it.scoped("has its views made anew where an earlier release made them", () =>
    Effect.gen(function* () {
      const at = yield* place
      yield* Effect.scoped(Effect.flatMap(makeStore(at), (store) => store.write([queued("a")])))
      const database = new Sqlite(at.database)
      database.exec("DROP VIEW records; CREATE VIEW records AS SELECT model AS Model FROM requests_2026_11")
      database.close()
      const store = yield* makeStore(at)
      yield* store.write([queued("b")])
      expect(ask(at.database, "SELECT id, Model FROM records ORDER BY id DESC")).toHaveLength(2)
    }),
  )

  it.scoped("is taken over: its rows stay readable in `records`, before ours", () =>
    Effect.gen(function* () {
      const at = yield* written(
        gptApiTable,
        `INSERT INTO records (Time, IP, Model, Type, CompletionTokens, PromptTokens, TotalTokens, tool, multimodal, headers,
         request, response) VALUES ('2026-11-20 08:00:00.000001', '10.0.0.1', 'gpt-4', 'chat.completions', 1, 2, 3, 1, 0, '{}',
         '{"q":1}', '{"a":1}')`,
      )
      const store = yield* makeStore(at)
      expect(yield* store.drain).toMatchObject(calm)
      yield* store.write([queued("a")])
      const records = ask(at.database, "SELECT * FROM records ORDER BY Time")
      expect(records).toMatchObject([
        { Model: "gpt-4", TotalTokens: 3, Tool: 1, Request: '{"q":1}', Response: '{"a":1}' },
        { Model: "gpt-4o", TotalTokens: 46, Tool: 1, Multimodal: 0 },
      ])
      expect(idsIn(at.database)).toEqual(["a"])
      expect(ask(at.database, "SELECT count(*) AS n FROM gpt_api_records")).toEqual([{ n: 1 }])
      // Who could read it before still can.
      expect(statSync(at.database).mode & 0o777).toBe(0o640)
    }),
  )

  it.scoped("may come of an older version with fewer columns", () =>
    Effect.gen(function* () {
      const at = yield* written(
        "CREATE TABLE records (id INTEGER PRIMARY KEY, Time TEXT, Model TEXT, request TEXT)",
        "INSERT INTO records (Time, Model, request) VALUES ('2025-01-01 00:00:00', 'old', 'q')",
      )
      expect(yield* (yield* makeStore(at)).drain).toMatchObject(calm)
      expect(ask(at.database, "SELECT Time, Model, Request, IP, Response FROM records")).toEqual([
        { Time: "2025-01-01 00:00:00", Model: "old", Request: "q", IP: null, Response: null },
      ])
    }),
  )
})

/** A file system of a given size, where this process may make one. */
const smallDisk = (megabytes: number) =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    return yield* Effect.acquireRelease(
      Effect.sync(() => {
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory])
        return directory
      }),
      () => Effect.sync(() => execFileSync("umount", ["-l", directory])),
    )
  })

const canMount = (): boolean => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false
  try {
    Effect.runSync(Effect.scoped(smallDisk(1)))
    return true
  } catch {
    return false
  }
}

describe.skipIf(!canMount())(
  "a disk of its own (skipped where none can be mounted: that takes root on Linux)",
  () => {
    const kilobytes64 = { request: new Uint8Array(65_536).fill(120) }

    it.scoped("that is full refuses batches, which go in when there is room again", () =>
      Effect.gen(function* () {
        const disk = yield* smallDisk(2)
        const at = auditFiles(join(disk, "record.db"))
        const store = yield* makeStore(at)
        const ballast = join(disk, "ballast")
        writeFileSync(ballast, Buffer.alloc(1_000_000))
        const refused: Array<ReturnType<typeof queued>> = []
        for (let count = 0; count < 40; count++) {
          const record = queued(`r${String(count).padStart(2, "0")}`, kilobytes64)
          const report = yield* store.write([record])
          expect(report.lost).toBe(0)
          if (report.refused) {
            expect(report.fault).toContain("full")
            refused.push(record)
          }
        }
        expect(refused.length).toBeGreaterThan(10)
        // That it can be opened says nothing of its disk.
        for (let tries = 0; tries < 20; tries++) yield* store.drain
        expect((yield* store.drain).fault).toContain("full")
        yield* Effect.sync(() => execFileSync("mount", ["-o", "remount,size=16m", disk]))
        rmSync(ballast)
        for (const record of refused) expect((yield* store.write([record])).refused).toBe(false)
        for (let tries = 0; tries < 20; tries++) yield* store.drain
        expect(yield* store.drain).toMatchObject(calm)
        expect(idsIn(at.database)).toHaveLength(40)
        expect(new Set(idsIn(at.database)).size).toBe(40)
        expect(ask(at.database, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
      }),
    )

    it.scoped("that turns read-only refuses batches until it can be written again", () =>
      Effect.gen(function* () {
        const disk = yield* smallDisk(8)
        const at = auditFiles(join(disk, "logs", "record.db"))
        yield* Effect.scoped(Effect.flatMap(makeStore(at), (it) => it.write([queued("a")])))
        execFileSync("mount", ["-o", "remount,ro", disk])
        const store = yield* makeStore(at)
        const report = yield* store.write([queued("b")])
        expect(report).toMatchObject({ refused: true, lost: 0 })
        // SQLite cannot open a WAL database where it can create nothing.
        expect(report.fault).toMatch(/^(?:read-only|unreachable)/)
        expect(report.fault).toContain(`this user cannot write ${at.database}`)
        execFileSync("mount", ["-o", "remount,rw", disk])
        expect(yield* store.write([queued("b")])).toMatchObject({ refused: false, lost: 0 })
        expect(yield* store.drain).toMatchObject(calm)
        expect(idsIn(at.database)).toEqual(["a", "b"])
        expect(existsSync(at.database)).toBe(true)
      }),
    )
  },
)
