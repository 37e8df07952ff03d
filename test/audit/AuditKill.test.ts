import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import { auditFiles } from "../../src/audit/AuditUrl.ts"
import { queuedRecord } from "../../src/audit/queue/QueuedRecord.ts"
import { rotate } from "../../src/audit/sqlite/Archive.ts"
import { makeStore } from "../../src/audit/sqlite/Store.ts"
import { auditThread, bundled } from "../support/AuditBundle.ts"
import { quickPace } from "../support/AuditInThread.ts"
import { ask, fullPolicy, idsIn, sampleRecord, temporaryDirectory } from "../support/AuditRecords.ts"

/** Rounds of the loop; `KILL_ROUNDS=50` for the long run. */
const rounds = Number(process.env["KILL_ROUNDS"] ?? 3)

/** Milliseconds; what a round waits for grows with the machine's load. */
const longest = 60_000 + rounds * 30_000

const thread = auditThread("AuditKill")
const victim = fileURLToPath(bundled("test/support/AuditVictim.ts", "AuditKill-victim"))

/** What a process said it finished, and when. */
interface Said {
  readonly id: string
  readonly at: number
}

/**
 * Runs a process until it has recorded so many requests, and where some are to be `due`, long enough for that; kills it with SIGKILL, and
 * answers with what it said and when it was killed.
 */
const killedAfter = async (url: string, prefix: string, records: number, due = true) => {
  const child: ChildProcess = spawn(process.execPath, [victim, url, thread.href, prefix, "2000"], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  let output = ""
  let enough = false
  const allowedMs = allowanceMs()
  await new Promise<void>((resolve) => {
    child.stdout?.on("data", (data: Buffer) => {
      output += data.toString()
      enough ||= output.includes(`${prefix}-${records} `)
      if (enough && (!due || Date.now() - firstSaidAt(output) > 2 * allowedMs)) resolve()
    })
  })
  const killedAt = Date.now()
  child.kill("SIGKILL")
  await once(child, "close")
  const said = output.split("\n").slice(0, -1).map(saidIn)
  return { said, killedAt, allowedMs }
}

const saidIn = (line: string): Said => {
  const [id = "", at = "0"] = line.split(" ")
  return { id, at: Number(at) }
}

const firstSaidAt = (output: string): number => saidIn(output.slice(0, output.indexOf("\n"))).at

/**
 * How long before its end a run may have finished what is missing: 100 ms, longer where half of the cores and more have other
 * things to do (test files run side by side).
 */
const allowanceMs = () => 100 * Math.max(1, (2 * (loadavg()[0] ?? 0)) / availableParallelism())

/** Drains what the last run spilled, as the next start would. */
const afterwards = (directory: string) =>
  Effect.gen(function* () {
    const store = yield* makeStore(auditFiles(join(directory, "record.db")))
    let report = yield* store.drain
    while (report.spilled > 0 && report.fault === undefined) report = yield* store.drain
    expect(report).toMatchObject({ spilled: 0, fault: undefined })
  }).pipe(Effect.scoped)

const expectAllThere = (
  directory: string,
  runs: ReadonlyArray<Awaited<ReturnType<typeof killedAfter>>>,
  least = 1,
) => {
  const database = join(directory, "record.db")
  const ids = ask(database, "SELECT id FROM requests").map(({ id }) => String(id))
  const there = new Set(ids)
  expect(there.size).toBe(ids.length)
  for (const { allowedMs, killedAt, said } of runs) {
    const due = said.filter(({ at }) => at < killedAt - allowedMs)
    expect(due.filter(({ id }) => !there.has(id))).toEqual([])
    expect(due.length).toBeGreaterThanOrEqual(least)
  }
  expect(ask(database, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }])
  expect(readdirSync(directory).filter((name) => name.includes(".spill-"))).toEqual([])
}

describe("kill -9", () => {
  it.scopedLive(
    "in a loop loses no request finished more than 100 ms before, doubles none and breaks no file",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const runs: Array<Awaited<ReturnType<typeof killedAfter>>> = []
        for (let round = 0; round < rounds; round++) {
          const url = `sqlite:${join(directory, "record.db")}`
          runs.push(
            yield* Effect.promise(() => killedAfter(url, `round${round}`, 1500 + ((round * 397) % 1000))),
          )
        }
        yield* afterwards(directory)
        expectAllThere(directory, runs)
      }),
    longest,
  )

  it.scopedLive(
    "while a finished month is moved loses and doubles no row of it",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const files = auditFiles(join(directory, "record.db"))
        const startedAt = Date.UTC(2025, 0, 15)
        const old = Array.from({ length: 5000 }, (_, at) =>
          queuedRecord(sampleRecord(`old${at}`, { startedAt }), `old${at}`, fullPolicy),
        )
        yield* Effect.scoped(Effect.flatMap(makeStore(files), (store) => store.write(old)))
        const runs: Array<Awaited<ReturnType<typeof killedAfter>>> = []
        for (let round = 0; round < rounds; round++) {
          const url = `sqlite:${files.database}`
          runs.push(
            yield* Effect.promise(() => killedAfter(url, `round${round}`, 100 + (round % 8) * 150, false)),
          )
        }
        yield* afterwards(directory)
        expect((yield* rotate(files, Date.now(), 0, quickPace)).fault).toBeUndefined()
        expectAllThere(directory, runs, 0)
        const archived = idsIn(join(directory, "record_202501.db"))
        expect(archived).toHaveLength(5000)
        expect(new Set(archived).size).toBe(5000)
        expect(idsIn(files.database).filter((id) => id.startsWith("old"))).toEqual([])
      }),
    longest,
  )

  it.scopedLive(
    "while the database is locked loses none of what was finished more than 100 ms before either",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const path = join(directory, "record.db")
        const url = `sqlite:${path}`
        const free = yield* Effect.promise(() => killedAfter(url, "free", 1000))
        const locking = new Sqlite(path)
        locking.exec("BEGIN IMMEDIATE")
        const locked = yield* Effect.promise(() => killedAfter(url, "locked", 2500))
        locking.close()
        yield* afterwards(directory)
        expectAllThere(directory, [free, locked])
      }),
    longest,
  )
})
