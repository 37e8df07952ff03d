import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { auditFiles } from "../../../src/audit/AuditUrl.ts"
import { byColumn, completed, type RowValues, valuesOf } from "../../../src/audit/sqlite/Rows.ts"
import { makeSpill, type Spill } from "../../../src/audit/sqlite/Spill.ts"
import { keyIn, sampleRecord, temporaryDirectory } from "../../support/AuditRecords.ts"
import { runs } from "../../support/Runs.ts"

const rowNamed = (key: string, response = "an answer\nof two lines"): RowValues =>
  completed(valuesOf(sampleRecord(key), key), { request: "a question", response })

const keysOf = (rows: ReadonlyArray<RowValues>) => rows.map(keyIn)

const drainAll = (spill: Spill) =>
  Effect.gen(function* () {
    const keys: Array<string> = []
    for (;;) {
      const next = yield* spill.peek
      if (next === undefined) return keys
      keys.push(...keysOf(next.rows))
      yield* spill.advance
    }
  })

const files = Effect.map(temporaryDirectory, (directory) => auditFiles(join(directory, "record.db")))

const spillFiles = (directory: string) => readdirSync(directory).filter((name) => name.includes(".spill-"))

describe("the spill", () => {
  it.scoped("gives back what was put in, in order, and leaves no file behind", () =>
    Effect.gen(function* () {
      const at = yield* files
      const spill = makeSpill(at, "r1")
      yield* spill.append([rowNamed("a"), rowNamed("b")])
      yield* spill.append([rowNamed("c")])
      expect(spill.waiting()).toBe(3)
      const next = yield* spill.peek
      expect(next?.rows).toEqual([rowNamed("a"), rowNamed("b"), rowNamed("c")])
      expect(yield* drainAll(spill)).toEqual(["a", "b", "c"])
      expect(spill.waiting()).toBe(0)
      expect(spillFiles(at.directory)).toEqual([])
    }),
  )

  it.scoped("is readable by its owner only", () =>
    Effect.gen(function* () {
      const at = yield* files
      yield* makeSpill(at, "r1").append([rowNamed("a")])
      const [name = ""] = spillFiles(at.directory)
      expect(statSync(join(at.directory, name)).mode & 0o777).toBe(0o600)
    }),
  )

  it.scoped("is read by the next run, except a line that a crash cut off", () =>
    Effect.gen(function* () {
      const at = yield* files
      yield* makeSpill(at, "r1").append([rowNamed("a"), rowNamed("b")])
      const [name = ""] = spillFiles(at.directory)
      const path = join(at.directory, name)
      appendFileSync(path, readFileSync(path).subarray(0, 40))
      const next = makeSpill(at, "r2")
      yield* next.append([rowNamed("c")])
      yield* next.adopt
      expect(next.waiting()).toBe(3)
      expect((yield* drainAll(next)).toSorted()).toEqual(["a", "b", "c"])
      expect(spillFiles(at.directory)).toEqual([])
    }),
  )

  it.scoped("passes over lines that are no rows", () =>
    Effect.gen(function* () {
      const at = yield* files
      const lines = [
        "garbage",
        "",
        "[1]",
        '{"record_key":"x"}',
        '{"record_key":"x","started_at":"; DROP TABLE requests"}',
        JSON.stringify({ ...byColumn(rowNamed("good")), surplus: 1, status: { deep: true } }),
      ]
      writeFileSync(join(at.directory, "record.spill-r1-000000.jsonl"), `${lines.join("\n")}\n`)
      const spill = makeSpill(at, "r2")
      yield* spill.adopt
      const next = yield* spill.peek
      expect(next?.rows.map(byColumn)).toEqual([{ ...byColumn(rowNamed("good")), status: null }])
      expect(next?.unreadable).toBe(5)
    }),
  )

  it.scoped("reads rows longer than a read", () =>
    Effect.gen(function* () {
      const spill = makeSpill(yield* files, "r1")
      const long = rowNamed("long", "x".repeat(3_000_000))
      yield* spill.append([rowNamed("a"), long, rowNamed("z")])
      expect(yield* drainAll(spill)).toEqual(["a", "long", "z"])
    }),
  )

  it.scoped("says how many rows went with a file that somebody removed, and goes on in a new one", () =>
    Effect.gen(function* () {
      const at = yield* files
      const spill = makeSpill(at, "r1")
      yield* spill.append([rowNamed("a"), rowNamed("b")])
      rmSync(join(at.directory, spillFiles(at.directory)[0] ?? ""))
      yield* spill.append([rowNamed("c")])
      expect(spill.vanished()).toBe(2)
      expect(yield* drainAll(spill)).toEqual(["c"])
    }),
  )

  it.scoped("appends nowhere that another gateway took away to drain it", () =>
    Effect.gen(function* () {
      const at = yield* files
      const one = makeSpill(at, "r1")
      const other = makeSpill(at, "r2")
      yield* one.append([rowNamed("a")])
      yield* other.adopt
      yield* one.append([rowNamed("b")])
      expect(yield* drainAll(other)).toEqual(["a"])
      expect(yield* drainAll(one)).toEqual(["b"])
    }),
  )

  it.scoped("fails where it cannot write, and loses nothing it had", () =>
    Effect.gen(function* () {
      const at = yield* files
      const spill = makeSpill(at, "r1")
      yield* spill.append([rowNamed("a")])
      const away = `${at.directory}-away`
      renameSync(at.directory, away)
      writeFileSync(at.directory, "a file in the way")
      const fault = yield* Effect.flip(spill.append([rowNamed("b")]))
      expect(fault.kind).toBe("unreachable")
      rmSync(at.directory)
      renameSync(away, at.directory)
      yield* spill.append([rowNamed("c")])
      const again = makeSpill(at, "r2")
      yield* spill.close
      yield* again.adopt
      expect((yield* drainAll(again)).toSorted()).toEqual(["a", "c"])
    }),
  )

  it.scoped(
    "law: however appending, draining and restarts alternate, every row comes back, and twice only after a restart",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        let tries = 0
        const actions = fc.array(fc.constantFrom("append", "drain", "restart"), { maxLength: 25 })
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(actions, (happening) =>
              Effect.gen(function* () {
                const at = auditFiles(join(directory, `${tries++}.db`))
                let restarts = 0
                let appended = 0
                let spill = makeSpill(at, "run0")
                const drained: Array<string> = []
                for (const action of happening) {
                  if (action === "append") {
                    yield* spill.append([rowNamed(`k${appended++}`), rowNamed(`k${appended++}`)])
                  } else if (action === "restart") {
                    yield* spill.close
                    restarts++
                    spill = makeSpill(at, `run${restarts}`)
                    yield* spill.adopt
                  } else {
                    const next = yield* spill.peek
                    if (next !== undefined) drained.push(...keysOf(next.rows))
                    yield* spill.advance
                  }
                }
                drained.push(...(yield* drainAll(spill)))
                expect(new Set(drained).size).toBe(appended)
                if (restarts === 0) expect(drained).toHaveLength(appended)
                expect(spillFiles(directory)).toEqual([])
              }).pipe(Effect.runPromise),
            ),
            { numRuns: runs(40) },
          ),
        )
      }),
  )
})
