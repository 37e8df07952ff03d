import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { Audit } from "../../src/audit/Audit.ts"
import { type AuditOptions, auditWith, layer } from "../../src/audit/AuditLayer.ts"
import { defaultLimits } from "../../src/audit/queue/AuditQueue.ts"
import { auditThread } from "../support/AuditBundle.ts"
import { inThread } from "../support/AuditInThread.ts"
import { ask, fullPolicy, idsIn, sampleRecord, temporaryDirectory } from "../support/AuditRecords.ts"

const thread = auditThread("AuditLayer")

const optionsIn = (directory: string, over: Partial<AuditOptions> = {}): AuditOptions => ({
  url: `sqlite:${join(directory, "logs", "record.db")}`,
  policy: () => fullPolicy,
  limits: defaultLimits,
  ...over,
})

/** Runs with an audit that is closed before anything is looked at. */
const withAudit = <A, E>(audit: Layer.Layer<Audit, E>, use: (audit: Audit["Type"]) => Effect.Effect<A>) =>
  Effect.flatMap(Audit, use).pipe(Effect.provide(audit))

const records = (count: number) => Array.from({ length: count }, (_, at) => sampleRecord(`r${at}`))

describe("the audit with its writer in a thread", () => {
  it.scopedLive("has written everything when it is closed", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const status = yield* withAudit(layer(optionsIn(directory), thread), (audit) =>
        Effect.suspend(() => {
          for (const record of records(1000)) audit.record(record)
          return audit.status
        }),
      )
      expect(status.lost).toBe(0)
      const database = join(directory, "logs", "record.db")
      expect(readdirSync(join(directory, "logs")).toSorted()).toEqual([
        "record.db",
        "record.lock",
        "record.secret",
      ])
      expect(new Set(idsIn(database)).size).toBe(1000)
      expect(ask(database, "SELECT count(*) AS n FROM requests")).toEqual([{ n: 1000 }])
      for (const name of readdirSync(join(directory, "logs"))) {
        expect(statSync(join(directory, "logs", name)).mode & 0o777, name).toBe(0o600)
      }
    }),
  )

  it.scopedLive("archives finished months as it starts", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const old = Date.UTC(2025, 0, 15)
      yield* withAudit(layer(optionsIn(directory), thread), (audit) =>
        Effect.sync(() => {
          for (const record of records(100)) audit.record({ ...record, startedAt: old })
        }),
      )
      const archive = join(directory, "logs", "record_202501.db")
      yield* withAudit(layer(optionsIn(directory), thread), () =>
        Effect.repeat(
          Effect.zipRight(
            Effect.sleep("10 millis"),
            Effect.sync(
              () => existsSync(archive) && idsIn(join(directory, "logs", "record.db")).length === 0,
            ),
          ),
          { until: (moved) => moved },
        ),
      )
      expect(idsIn(archive)).toHaveLength(100)
    }),
  )

  it.scopedLive("counts as lost, when it is closed, what a program that does not start cannot write", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const broken = join(directory, "broken.mjs")
      writeFileSync(broken, "throw new Error('no such program')")
      const scope = yield* Scope.make()
      const options = optionsIn(directory, { limits: { ...defaultLimits, closeMs: 500 } })
      const said: Array<unknown> = []
      const log = Logger.make(({ message }) => void said.push(Arr.ensure(message)[0]))
      const context = yield* Layer.buildWithScope(
        Layer.provideMerge(
          layer(options, new URL(`file://${broken}`)),
          Logger.replace(Logger.defaultLogger, log),
        ),
        scope,
      )
      const audit = yield* Effect.provide(Audit, context)
      audit.record(sampleRecord("a"))
      const counted = yield* Effect.repeat(Effect.zipRight(Effect.sleep("10 millis"), audit.status), {
        until: ({ queued }) => queued === 1,
      })
      expect(counted.lost).toBe(0)
      yield* Scope.close(scope, Exit.void)
      expect((yield* audit.status).lost).toBe(1)
      expect(said).toEqual([
        "audit: the database takes no rows; they wait beside it and in memory",
        "audit: records were lost",
      ])
    }),
  )
})

describe("a place that cannot be", () => {
  it.scopedLive(
    "is a URL of another database, a directory, or below a file: an error that names the variable",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        writeFileSync(join(directory, "file"), "")
        for (const url of ["postgres://audit", directory, `sqlite:${join(directory, "file", "record.db")}`]) {
          const error = yield* Effect.flip(
            withAudit(layer(optionsIn(directory, { url }), thread), () => Effect.void),
          )
          expect(error._tag).toBe("AuditUnusable")
          expect(error.message).toContain("AUDIT_URL")
        }
      }),
  )
})

describe("a file that is no database", () => {
  it.scopedLive("is refused as it stands, and nothing is left beside it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const path = join(directory, "notes.txt")
      for (const text of ["x", "Dear diary, SQLite format 3 is what I write about.\n"]) {
        writeFileSync(path, text)
        const error = yield* Effect.flip(
          withAudit(layer(optionsIn(directory, { url: path }), thread), () => Effect.void),
        )
        expect(error.message).toBe(
          `AUDIT_URL: ${path} is a file of another kind, not an SQLite database; name another, or move it away`,
        )
        expect(readdirSync(directory)).toEqual(["notes.txt"])
        expect(readFileSync(path, "utf8")).toBe(text)
      }
    }),
  )

  it.scopedLive("unless it is empty, as SQLite makes them", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const path = join(directory, "record.db")
      writeFileSync(path, "")
      yield* withAudit(layer(optionsIn(directory, { url: path }), thread), (audit) =>
        Effect.sync(() => audit.record(sampleRecord("a"))),
      )
      expect(idsIn(path)).toEqual(["a"])
    }),
  )
})

describe("fingerprints", () => {
  it.scopedLive(
    "are the same for a key across restarts, different between keys and audits, and say nothing of the key",
    () =>
      Effect.gen(function* () {
        const fingerprints = (directory: string) =>
          withAudit(layer(optionsIn(directory), thread), (audit) =>
            Effect.succeed(["sk-one", "sk-two"].map((key) => audit.fingerprint(Redacted.make(key)))),
          )
        const here = yield* temporaryDirectory
        const first = yield* fingerprints(here)
        expect(yield* fingerprints(here)).toEqual(first)
        expect(first[0]).not.toBe(first[1])
        expect(first[0]).toMatch(/^[0-9a-f]{16}$/)
        expect(yield* fingerprints(yield* temporaryDirectory)).not.toEqual(first)
        expect(readFileSync(join(here, "logs", "record.secret"), "utf8")).toMatch(/^[0-9a-f]{64}\n$/)
      }),
  )
})

describe("a month's turn under load", () => {
  it.scoped("loses and doubles nothing, and late rows follow into the archive", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const logs = join(directory, "logs")
      yield* TestClock.setTime(Date.UTC(2026, 9, 31, 23, 59, 50))
      let made = 0
      yield* withAudit(auditWith(optionsIn(directory), inThread()), (audit) =>
        Effect.gen(function* () {
          // Fifty requests a second, which lasted up to half a minute.
          for (let tick = 0; tick < 30; tick++) {
            const now = yield* Clock.currentTimeMillis
            for (let count = 0; count < 50; count++) {
              const startedAt = now - ((made * 7919) % 30_000)
              audit.record(sampleRecord(`m${made}`, { startedAt }))
              made++
            }
            yield* TestClock.adjust(Duration.seconds(1))
          }
          yield* TestClock.adjust(Duration.seconds(70))
        }),
      )
      const live = ask(join(logs, "record.db"), "SELECT id, started_at FROM requests")
      const archived = ask(join(logs, "record_202610.db"), "SELECT id, started_at FROM requests")
      expect(live.length + archived.length).toBe(made)
      expect(new Set([...live, ...archived].map(({ id }) => id)).size).toBe(made)
      expect(live.length).toBeGreaterThan(300)
      expect(archived.length).toBeGreaterThan(500)
      expect(live.every(({ started_at }) => String(started_at).startsWith("2026-11"))).toBe(true)
      expect(archived.every(({ started_at }) => String(started_at).startsWith("2026-10"))).toBe(true)
    }),
  )
})
