import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import type { AuditWriter, WriteReport } from "../../../src/audit/AuditWriter.ts"
import {
  defaultLimits,
  makeQueue,
  type QueueLimits,
  relayedLimits,
} from "../../../src/audit/queue/AuditQueue.ts"
import { unpack } from "../../../src/audit/queue/Parcel.ts"
import { fullPolicy, keyIn, sampleRecord } from "../../support/AuditRecords.ts"

const well: WriteReport = {
  refused: false,
  spilled: 0,
  lost: 0,
  fault: undefined,
  locked: false,
  owner: true,
  shared: false,
  oldestMonth: undefined,
}

/** A writer of which the test decides what it answers, and sees what it was asked. */
const scripted = () => {
  const script = {
    report: well,
    batches: [] as ReadonlyArray<string>[],
    keys: new Set<string>(),
    drains: 0,
    rotations: [] as string[],
    retention: -1,
  }
  const writer: AuditWriter = {
    write: (parcel) =>
      Effect.sync(() => {
        const records = unpack(parcel)
        script.batches.push(records.map(({ values }) => String(values[0])))
        if (!script.report.refused) for (const { values } of records) script.keys.add(keyIn(values))
        return script.report
      }),
    drain: Effect.sync(() => {
      script.drains++
      return { ...script.report, refused: false }
    }),
    rotate: (now, retentionMonths) =>
      Effect.sync(() => {
        script.rotations.push(new Date(now).toISOString())
        script.retention = retentionMonths
        return { archived: [], deleted: [], fault: undefined }
      }),
  }
  return { script, writer }
}

const queueOn = (writer: AuditWriter, limits: QueueLimits = defaultLimits) =>
  makeQueue({ writer, policy: () => fullPolicy, limits, run: "run" })

/** Lets the queue's fibers do what they can without time passing. */
const settle = TestClock.adjust(0)

const records = (count: number, prefix = "r") =>
  Array.from({ length: count }, (_, at) => sampleRecord(`${prefix}${at}`))

/** What is logged, each message with its level before it. */
const capturing = (lines: Array<string>) =>
  Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => {
      lines.push(`${logLevel.label} ${String(Array.isArray(message) ? message[0] : message)}`)
    }),
  )

describe("the queue", () => {
  it.scoped("writes a first record at once, and what gathers in the 40 ms after it together", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer)
      queue.record(sampleRecord("first"))
      yield* settle
      expect(script.batches).toEqual([["first"]])
      for (const record of records(99)) queue.record(record)
      yield* settle
      expect(yield* queue.status).toEqual({ kept: 1, queued: 99, spilled: 0, lost: 0 })
      yield* TestClock.adjust("39 millis")
      expect(script.batches).toHaveLength(1)
      yield* TestClock.adjust("1 millis")
      expect(script.batches.slice(1).map(({ length }) => length)).toEqual([99])
      expect(yield* queue.status).toMatchObject({ queued: 0, spilled: 0, lost: 0 })
    }),
  )

  it.scoped("gathers half as long where another queue follows", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer, relayedLimits)
      expect(2 * relayedLimits.gatherMs).toBe(defaultLimits.gatherMs)
      for (const id of ["first", "second"]) {
        queue.record(sampleRecord(id))
        yield* settle
      }
      expect(script.batches).toEqual([["first"]])
      yield* TestClock.adjust("20 millis")
      expect(script.batches).toEqual([["first"], ["second"]])
    }),
  )

  it.scoped("waits no longer once 100 have gathered, and writes at most 250 at once", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer)
      queue.record(sampleRecord("first"))
      yield* settle
      for (const record of records(100)) queue.record(record)
      yield* settle
      expect(script.batches.map(({ length }) => length)).toEqual([1, 100])
      for (const record of records(600)) queue.record(record)
      yield* settle
      expect(script.batches.map(({ length }) => length)).toEqual([1, 100, 250, 250, 100])
      expect(yield* queue.status).toMatchObject({ queued: 0, spilled: 0, lost: 0 })
      queue.record(sampleRecord("last"))
      yield* settle
      expect(script.batches).toHaveLength(5)
      yield* TestClock.adjust("40 millis")
      expect(script.batches.at(-1)).toEqual(["last"])
    }),
  )

  it.scoped("gives every record a key of its own, of its run", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer)
      for (const record of [...records(60), ...records(60)]) queue.record(record)
      yield* TestClock.adjust("1 second")
      expect(script.keys.size).toBe(120)
      expect([...script.keys].every((key) => key.startsWith("run-"))).toBe(true)
    }),
  )

  it.scoped("writes a refused batch again until it is taken", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer)
      script.report = { ...well, refused: true, fault: "full" }
      for (const record of records(3)) queue.record(record)
      yield* TestClock.adjust("10 seconds")
      expect(script.batches.length).toBeGreaterThan(5)
      expect(yield* queue.status).toMatchObject({ queued: 3, spilled: 0, lost: 0 })
      script.report = well
      yield* TestClock.adjust("2 seconds")
      expect(yield* queue.status).toMatchObject({ queued: 0, spilled: 0, lost: 0 })
      expect(script.keys.size).toBe(3)
    }),
  )

  it.scoped("holds no more than its limits, and counts and tells what it could not take", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer, { ...defaultLimits, records: 10 })
      script.report = { ...well, refused: true, fault: "full" }
      for (const record of records(25)) queue.record(record)
      expect(yield* queue.status).toMatchObject({ queued: 10, spilled: 0, lost: 15 })
      yield* TestClock.adjust("5 seconds")
      expect(lines.filter((line) => line.includes("lost"))).toHaveLength(1)
      script.report = well
      yield* TestClock.adjust("5 seconds")
      queue.record(sampleRecord("again"))
      expect(yield* queue.status).toMatchObject({ queued: 1, spilled: 0, lost: 15 })
    }).pipe(Effect.provide(capturing(lines)))
  })

  it.scoped("counts the bytes of bodies against its limit", () =>
    Effect.gen(function* () {
      const { writer } = scripted()
      const queue = yield* queueOn(writer, { ...defaultLimits, bytes: 500_000 })
      const request = new Uint8Array(100_000)
      for (const record of records(10)) queue.record({ ...record, request })
      expect(yield* queue.status).toMatchObject({ queued: 4, spilled: 0, lost: 6 })
    }),
  )

  it.scoped("drains while rows are spilled or the database is in trouble, and rests afterwards", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer)
      yield* TestClock.adjust("1 second")
      const atRest = script.drains
      yield* TestClock.adjust("10 seconds")
      expect(script.drains).toBe(atRest)
      script.report = { ...well, spilled: 7, fault: "locked" }
      queue.record(sampleRecord("a"))
      yield* TestClock.adjust("10 seconds")
      expect(script.drains).toBeGreaterThan(atRest + 5)
      expect(script.drains).toBeLessThan(atRest + 20)
      expect((yield* queue.status).spilled).toBe(7)
      expect(lines.filter((line) => line.includes("takes no rows"))).toHaveLength(1)
      script.report = well
      yield* TestClock.adjust("2 seconds")
      const recovered = script.drains
      yield* TestClock.adjust("10 seconds")
      expect(script.drains).toBe(recovered)
    }).pipe(Effect.provide(capturing(lines)))
  })

  const takesNone = "ERROR audit: the database takes no rows; they wait beside it and in memory"
  const takesAgain = "INFO audit: the database takes rows again"

  it.scoped.each([
    { name: "a lock of moments, as of a gateway that starts beside it", locked: true, ms: 1_900, told: [] },
    { name: "a lock that lasts", locked: true, ms: 4_000, told: [takesNone, takesAgain] },
    { name: "any other trouble", locked: false, ms: 10, told: [takesNone, takesAgain] },
  ])("says in the log what there is to be done about $name: $told", ({ locked, ms, told }) => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const { script, writer } = scripted()
      script.report = { ...well, spilled: 1, locked, fault: "of some kind" }
      yield* queueOn(writer)
      yield* TestClock.adjust(ms)
      script.report = well
      yield* TestClock.adjust("1 minute")
      expect(lines).toEqual(told)
    }).pipe(Effect.provide(capturing(lines)))
  })

  it.scoped(
    "says that another gateway writes too, and when it has ended, which is seen within a minute",
    () => {
      const lines: Array<string> = []
      return Effect.gen(function* () {
        const { script, writer } = scripted()
        const shared = { ...well, owner: false, shared: true }
        script.report = shared
        const queue = yield* queueOn(writer)
        queue.record(sampleRecord("a"))
        yield* TestClock.adjust("3 minutes")
        expect(lines).toEqual([
          "INFO audit: another gateway writes to this database too, and archives its months",
        ])
        expect(script.rotations).toEqual([])
        script.report = well
        yield* TestClock.adjust("1 minute")
        expect(lines.slice(1)).toEqual([
          "INFO audit: the other gateway has ended; this one archives the months now",
        ])
        expect(script.rotations).toHaveLength(1)
      }).pipe(Effect.provide(capturing(lines)))
    },
  )

  it.effect("writes everything that was recorded before its scope ends", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const scope = yield* Scope.make()
      const queue = yield* Scope.extend(queueOn(writer), scope)
      for (const record of records(333)) queue.record(record)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      expect(script.keys.size).toBe(333)
      queue.record(sampleRecord("too late"))
      expect((yield* queue.status).lost).toBe(1)
    }),
  )

  it.effect("ends after what is spilled has been drained, where the database takes it", () =>
    Effect.gen(function* () {
      const { script, writer } = scripted()
      const scope = yield* Scope.make()
      let left = 300
      const draining = Effect.sync(() => {
        left -= 1
        return { ...well, spilled: left }
      })
      const queue = yield* Scope.extend(
        queueOn({ ...writer, drain: Effect.delay(draining, "10 millis") }),
        scope,
      ).pipe(Effect.zipLeft(TestClock.adjust("10 millis"), { concurrent: true }))
      script.report = { ...well, spilled: left }
      queue.record(sampleRecord("a"))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(closing)
      expect(left).toBe(0)
      expect((yield* queue.status).spilled).toBe(0)
    }),
  )

  it.effect("gives up after ten seconds at its end, and counts and tells what it could not write", () => {
    const lines: Array<string> = []
    return Effect.gen(function* () {
      const { script, writer } = scripted()
      const scope = yield* Scope.make()
      const queue = yield* Scope.extend(queueOn(writer), scope)
      script.report = { ...well, refused: true, fault: "full" }
      for (const record of records(5)) queue.record(record)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("9 seconds")
      expect(closing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)
      expect(yield* queue.status).toMatchObject({ queued: 0, lost: 5 })
      expect(lines.some((line) => line.includes("lost"))).toBe(true)
    }).pipe(Effect.provide(capturing(lines)))
  })
})

describe("the rotation's times", () => {
  it.scoped("are the start, each month's turn, and every minute while a finished month has rows", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 9, 31, 23, 58))
      const { script, writer } = scripted()
      const queue = yield* queueOn(writer)
      yield* settle
      expect(script.rotations).toEqual(["2026-10-31T23:57:59.000Z"])
      yield* TestClock.adjust(Duration.minutes(4))
      expect(script.rotations.slice(1)).toEqual(["2026-11-01T00:00:00.000Z"])
      script.report = { ...well, oldestMonth: "2026_10" }
      queue.record(sampleRecord("late"))
      yield* TestClock.adjust(Duration.minutes(2))
      expect(script.rotations).toHaveLength(4)
      script.report = { ...well, oldestMonth: "2026_11" }
      queue.record(sampleRecord("timely"))
      yield* TestClock.adjust(Duration.minutes(4))
      expect(script.rotations).toHaveLength(4)
      expect(script.retention).toBe(0)
    }),
  )

  it.scoped("are another gateway's business where that one owns the audit", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 9, 31, 23, 58))
      const { script, writer } = scripted()
      script.report = { ...well, owner: false }
      yield* queueOn(writer)
      yield* TestClock.adjust(Duration.minutes(4))
      expect(script.rotations).toEqual([])
    }),
  )
})
