/** What `sluice audit` prints and how it ends; what it finds is Reader.test.ts. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { beforeAll } from "vitest"
import { columns } from "../../src/audit/AuditTable.ts"
import type { AuditFiles } from "../../src/audit/AuditUrl.ts"
import { allColumns, briefColumns } from "../../src/audit/Reader.ts"
import { guarded } from "../../src/cli/Csv.ts"
import { bundled } from "../support/AuditBundle.ts"
import {
  type AuditRow,
  lastInstant,
  madeUpRows,
  newAudit,
  rowWith,
  storedAudit,
  writeRows,
} from "../support/StoredAudit.ts"
import { parseCsv } from "./audit/parseCsv.ts"
import { audit } from "./audit/runAudit.ts"

const rows = madeUpRows(250, 11)

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").slice(0, -1)

const objectsOf = (text: string) => linesOf(text).map((line): Record<string, unknown> => JSON.parse(line))

class Stored extends Context.Tag("test/Stored")<Stored, AuditFiles>() {}
const stored = Layer.scoped(Stored, Effect.orDie(storedAudit(rows)))

layer(stored)("sluice audit", (it) => {
  it.scoped("list prints the newest 50 in aligned columns, with titles", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { code, err, out } = yield* audit(["list", "--db", database])
      const [titles = "", ...lines] = linesOf(out)
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(titles).toMatch(/^STARTED +STATUS {2}OUTCOME +MODEL +UPSTREAM/)
      expect(lines).toHaveLength(50)
      for (const line of lines) {
        expect(line.slice(0, 24)).toMatch(/^2026-.*Z$/)
        expect(line.slice(titles.indexOf("OUTCOME")).split(" ")[0]).toMatch(
          /^(ok|upstream_error|client_closed|rejected|stream_broken)$/,
        )
      }
      const starts = lines.map((line) => line.slice(0, 24))
      expect(starts).toEqual(starts.toSorted().toReversed())
    }),
  )

  it.scoped("no character that callers chose reaches the terminal as a control", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const texts = yield* Effect.forEach(
        [
          ["list", "-n", "500"],
          ["list", "--json", "-n", "500"],
          ["stats"],
          ["stats", "--json"],
          ["show", "a\tb"],
          ["show", "a\tb", "--json"],
        ],
        (args) => audit([...args, "--db", database]),
      )
      for (const { code, out } of texts) {
        expect(code).toBe(0)
        expect(out.length).toBeGreaterThan(100)
        expect(out.replaceAll("\n", "").replaceAll("\t", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }
    }),
  )

  it.scoped("list --json prints an object a line, with the attempts as they are", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { out } = yield* audit(["list", "--json", "--limit", "1000", "--db", database])
      const objects = objectsOf(out)
      expect(objects).toHaveLength(rows.length)
      expect(Object.keys(objects[0] ?? {})).toEqual(briefColumns)
      for (const object of objects) expect(Array.isArray(object["attempts"])).toBe(true)
    }),
  )

  it.scoped("the options filter, alone and together", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      yield* TestClock.setTime(lastInstant)
      const count = (...args: ReadonlyArray<string>) =>
        Effect.map(
          audit(["list", "--json", "-n", "1000", ...args, "--db", database]),
          ({ code, err, out }) => {
            expect({ code, err: err.replace("no request matches", "") }).toEqual({ code: 0, err: "" })
            return linesOf(out).length
          },
        )
      const expected = (admits: (row: AuditRow) => boolean) => rows.filter(admits).length
      const text = (row: AuditRow) => String(row.started_at)
      expect(yield* count("--model", "gpt-4o")).toBe(expected(({ model }) => model === "gpt-4o"))
      expect(yield* count("--model", "'; DROP TABLE requests_2026_11; --")).toBe(
        expected(({ model }) => model === "'; DROP TABLE requests_2026_11; --"),
      )
      expect(yield* count("--upstream", "o'brien")).toBe(expected(({ upstream }) => upstream === "o'brien"))
      expect(yield* count("--status", "429")).toBe(expected(({ status }) => status === 429))
      expect(yield* count("--status", "5xx")).toBe(expected(({ status }) => Number(status) >= 500))
      expect(yield* count("--outcome", "rejected")).toBe(expected(({ outcome }) => outcome === "rejected"))
      expect(yield* count("--ip", "2001:db8::1")).toBe(expected((row) => row.client_ip === "2001:db8::1"))
      expect(yield* count("--key", "00112233aabbccdd")).toBe(
        expected((row) => row.key_fingerprint === "00112233aabbccdd"),
      )
      expect(yield* count("--since", "2026-10-05", "--until", "2026-10-20T12:00")).toBe(
        expected((row) => text(row) >= "2026-10-05" && text(row) < "2026-10-20T12:00"),
      )
      expect(yield* count("--since", "7d", "--outcome", "ok")).toBe(
        expected((row) => text(row) >= "2026-11-15T17:35" && row.outcome === "ok"),
      )
      expect(yield* count("--until", "1970-01-02")).toBe(0)
    }),
  )

  it.scoped("an empty list is an answer, and said to be empty where it does no harm", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      expect(yield* audit(["list", "--model", "nobody asked", "--db", database])).toEqual({
        code: 0,
        out: "",
        err: "no request matches",
      })
      const { out } = yield* audit(["list", "--model", "nobody asked", "--csv", "--db", database])
      expect(out).toBe(`${briefColumns.join(",")}\r\n`)
    }),
  )

  it.scoped("show prints every known column, and bodies last", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [
        rowWith("k1", { request: '{"model":"gpt-4o","messages":[]}', response: "cut off…" }),
      ])
      const { code, out } = yield* audit(["show", "req-1", "--db", files.database])
      expect(code).toBe(0)
      expect(out).toContain("started_at         2026-11-22T17:35:00.123Z\n")
      expect(out).toContain(
        '\nrequest:\n{\n  "model": "gpt-4o",\n  "messages": []\n}\n\nresponse:\ncut off…\n',
      )
      expect(out).not.toContain("ttft_ms")
      const { out: json } = yield* audit(["show", "req-1", "--json", "--db", files.database])
      expect(Object.keys(objectsOf(json)[0] ?? {})).toEqual(columns.map(({ name }) => name))
    }),
  )

  it.scoped("show of an id that is not there ends with 1", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { code, err, out } = yield* audit(["show", "nobody\u001b[31m", "--db", database])
      expect({ code, out }).toEqual({ code: 1, out: "" })
      expect(err).toContain('there is no request "nobody\\u001b[31m"')
    }),
  )

  it.scoped("stats groups by model, upstream, day or key, and adds up to all requests", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      for (const by of ["model", "upstream", "day", "key"]) {
        const { code, out } = yield* audit(["stats", "--by", by, "--json", "--db", database])
        expect(code).toBe(0)
        const groups = objectsOf(out)
        expect(Object.keys(groups[0] ?? {})[0]).toBe(by)
        expect(groups.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(rows.length)
        const { out: table } = yield* audit(["stats", "--by", by, "--db", database])
        expect(linesOf(table).at(-1)).toMatch(new RegExp(`^\\(all\\) +${rows.length} `))
        const { out: csv } = yield* audit(["stats", "--by", by, "--csv", "--db", database])
        expect(parseCsv(csv)).toHaveLength(groups.length + 1)
      }
    }),
  )

  it.scoped("law: an exported CSV is read back as what the rows hold, the oldest first", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { code, out } = yield* audit(["export", "--db", database])
      expect(code).toBe(0)
      const [heading, ...records] = parseCsv(out)
      expect(heading).toEqual(allColumns)
      const sorted = rows.toSorted((a, b) =>
        `${a.started_at} ${a.record_key}` < `${b.started_at} ${b.record_key}` ? -1 : 1,
      )
      expect(records).toEqual(
        sorted.map((row) =>
          allColumns.map((name) => {
            const value = row[name]
            return value === null ? null : typeof value === "number" ? String(value) : guarded(value)
          }),
        ),
      )
    }),
  )

  it.scoped("law: exported JSON holds every value as it is", () =>
    Effect.gen(function* () {
      const { database } = yield* Stored
      const { out } = yield* audit(["export", "--json", "--db", database])
      const exported = new Set(objectsOf(out).map((object) => JSON.stringify(object)))
      for (const { record_key, ...row } of rows) {
        const expected = Object.fromEntries(
          allColumns.map((name) => {
            const value = row[name]
            return [name, name === "attempts" || name === "headers" ? JSON.parse(String(value)) : value]
          }),
        )
        expect(exported).toContain(JSON.stringify(expected))
      }
    }),
  )

  it.scoped("the store is that of --db, else of AUDIT_URL, else of RECD_PATH", () =>
    Effect.gen(function* () {
      const { database, directory } = yield* Stored
      const at = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
        Effect.map(audit(["list", ...args], env), ({ code }) => code)
      expect(yield* at([], { AUDIT_URL: `sqlite:${database}`, RECD_PATH: "/nowhere.db" })).toBe(0)
      expect(yield* at([], { RECD_PATH: database })).toBe(0)
      expect(yield* at(["--db", `sqlite://${database}`], { AUDIT_URL: "sqlite:/nowhere.db" })).toBe(0)
      expect(yield* at(["--db", join(directory, "record_202610.db")], {})).toBe(0)
    }),
  )
})

describe("what is no answer", () => {
  it.scoped("an audit that is not there: 1, named, with what to do", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const { code, err } = yield* audit(["list", "--db", files.database])
      expect(code).toBe(1)
      expect(err).toContain(`${files.database}: there is no audit`)
    }),
  )

  it.scoped.each<readonly [ReadonlyArray<string>, string]>([
    [["list", "--since", "yesterday"], "--since"],
    [["stats", "--until", "2026-02-30"], "--until"],
    [["export", "--status", "9xx"], "--status"],
    [["list", "--limit", "0"], "--limit"],
    [["list", "--limit", "many"], ""],
    [["list", "--outcome", "good"], ""],
    [["stats", "--by", "moon"], ""],
    [["list", "--json", "--csv"], "--json and --csv"],
    [["list", "--db", "postgres://somewhere/else"], "--db"],
    [["show"], ""],
    [["list", "--nonsense"], ""],
  ])("a misuse: %j is 2", ([args, word]) =>
    Effect.gen(function* () {
      const { code, err, out } = yield* audit(args)
      expect(code).toBe(2)
      if (word !== "") expect(err).toContain(word)
      expect(out).not.toContain("STARTED")
    }),
  )
})

describe("as a process", () => {
  let program = ""
  beforeAll(() => {
    program = fileURLToPath(bundled("test/cli/auditProgram.ts", "audit-program"))
  })

  const started = (args: ReadonlyArray<string>) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [program, "audit", ...args], { stdio: ["ignore", "pipe", "pipe"] }),
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL")),
    )

  const exitOf = (child: ChildProcess) =>
    Effect.promise(async (): Promise<unknown> => (await once(child, "close"))[0])

  const errorsOf = (child: ChildProcess) => {
    const errors: Array<string> = []
    child.stderr?.on("data", (data) => errors.push(String(data)))
    return errors
  }

  it.scopedLive("ends quietly when whoever reads has seen enough", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      const body = "x".repeat(20_000)
      yield* writeRows(
        files,
        Array.from({ length: 500 }, (_, at) => rowWith(`k${at}`, { request: body })),
      )
      const child = yield* started(["export", "--db", files.database])
      const errors = errorsOf(child)
      const exit = yield* Effect.fork(exitOf(child))
      yield* Effect.promise(() => once(child.stdout, "data"))
      child.stdout.destroy()
      expect(yield* exit).toBe(0)
      expect(errors.join("")).toBe("")
    }),
  )

  it.scopedLive("list --follow prints rows as they come, and ends on SIGINT with 0", () =>
    Effect.gen(function* () {
      const files = yield* newAudit
      yield* writeRows(files, [rowWith("k1", { id: "first" })])
      const child = yield* started(["list", "--follow", "--json", "--db", files.database])
      const errors = errorsOf(child)
      const exit = yield* Effect.fork(exitOf(child))
      const next = Effect.promise(async (): Promise<string> => String((await once(child.stdout, "data"))[0]))
      expect(yield* next).toContain('"id":"first"')
      const coming = yield* Effect.fork(next)
      yield* Effect.yieldNow()
      yield* writeRows(files, [rowWith("k2", { id: "second" })])
      expect(yield* coming).toContain('"id":"second"')
      child.kill("SIGINT")
      expect(yield* exit).toBe(0)
      expect(errors.join("")).toBe("")
    }),
  )
})
