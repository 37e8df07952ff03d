import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { layer, Spool } from "../../src/spool/Spool.ts"
import { keptInMemory, SpooledBody, type SpoolFault, type SpoolRoom } from "../../src/spool/SpooledBody.ts"
import type { StoredBytes } from "../../src/wire/StoredBytes.ts"
import { madeUpBytes } from "../support/MadeUpBytes.ts"
import { within } from "../support/Patience.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "spool-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true })),
)

const room = (rest: Partial<SpoolRoom> = {}): SpoolRoom => ({
  hold: () => true,
  claim: () => true,
  onFault: (fault) => {
    throw new Error(`a fault: ${JSON.stringify(fault)}`)
  },
  ...rest,
})

/** Writes as a sender does, which waits where it is told to. */
const fill = (body: SpooledBody, bytes: Uint8Array, step: number) =>
  Effect.async<void>((resume) => {
    const go = (from: number): void => {
      if (from >= bytes.length) body.end(() => resume(Effect.void))
      else if (body.write(bytes.subarray(from, from + step))) go(from + step)
      else body.onDrain(() => go(from + step))
    }
    go(0)
  })

const readAll = (stored: StoredBytes) =>
  Effect.promise(async () => {
    const all: Array<Uint8Array> = []
    for (const piece of stored.pieces) {
      if (piece instanceof Uint8Array) all.push(piece)
      else for await (const bytes of piece.store.read(piece.from, piece.to)) all.push(bytes)
    }
    return Buffer.concat(all)
  })

describe("A spooled body", () => {
  it.scopedLive("is read as it was written, as often as it is, however long it is and however it came", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const spool = yield* Effect.provide(Spool, layer(path))
      for (const [length, step] of [
        [0, 1],
        [10, 3],
        [keptInMemory, 65_536],
        [keptInMemory + 1, 65_536],
        [3_000_000, 100_000],
        [2_097_152 + 131_072, 131_072],
        [1_300_000, 777],
      ] as const) {
        const bytes = madeUpBytes(length)
        const body = spool.begin(room())
        yield* fill(body, bytes, step)
        expect(body.bytes.length).toBe(length)
        expect((yield* readAll(body.bytes)).equals(bytes)).toBe(true)
        expect((yield* readAll(body.bytes)).equals(bytes)).toBe(true)
        // Nothing has a name that others could open it by, or that would stay.
        expect(yield* Effect.promise(() => readdir(path))).toEqual([])
        body.close()
      }
    }),
  )

  it.scopedLive("claims what it takes: memory first, then disk, and tells what lacks, once", () =>
    Effect.gen(function* () {
      const spool = yield* Effect.provide(Spool, layer(yield* folder))
      const taken = { memory: 0, borrowed: 0, disk: 0 }
      const body = spool.begin(
        room({
          hold: (bytes, borrows = false) => {
            taken[borrows ? "borrowed" : "memory"] += bytes
            return true
          },
          claim: (bytes) => {
            taken.disk += bytes
            return true
          },
        }),
      )
      yield* fill(body, madeUpBytes(2_000_000), 100_000)
      // What it is written by is all claimed with the first byte that goes into the file.
      expect(taken).toEqual({ memory: 1_000_000, borrowed: 4 * 128 * 1024, disk: 1_000_000 })
      body.close()
      for (const [lacking, lacks] of [
        [{ hold: () => false }, "memory"],
        [{ hold: (_: number, borrows = false) => !borrows }, "memory"],
        [{ claim: () => false }, "disk"],
      ] as const) {
        const faults: Array<SpoolFault> = []
        const poor = spool.begin(room({ ...lacking, onFault: (fault) => void faults.push(fault) }))
        for (let at = 0; at < 5; at++) poor.write(madeUpBytes(1_000_000))
        poor.end(() => expect.unreachable("it is not whole"))
        expect(faults).toEqual([{ lacks }])
      }
    }),
  )

  it.scopedLive("tells what the file system says, as of a disk that is full", () =>
    Effect.gen(function* () {
      const fault = yield* Effect.async<SpoolFault>((resume) => {
        const body = new SpooledBody(
          () => open("/dev/full", "r+"),
          room({ onFault: (told) => resume(Effect.succeed(told)) }),
        )
        for (let at = 0; at < 3; at++) body.write(madeUpBytes(1_000_000))
      })
      expect(fault).toMatchObject({ lacks: "file", code: "ENOSPC" })
      const never = yield* Effect.async<SpoolFault>((resume) => {
        const body = new SpooledBody(
          () => Promise.reject(Object.assign(new Error("no files left"), { code: "EMFILE" })),
          room({ onFault: (told) => resume(Effect.succeed(told)) }),
        )
        for (let at = 0; at < 3; at++) body.write(madeUpBytes(1_000_000))
      })
      expect(never).toMatchObject({ lacks: "file", code: "EMFILE" })
    }).pipe(Effect.when(() => process.platform === "linux")),
  )

  it.scopedLive("lets go of its file when it is closed, also amid its writing and reading", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const closed: Array<() => void> = []
      const bothAreClosed = Promise.all([1, 2].map(() => new Promise<void>((done) => closed.push(done))))
      const opened = async () => {
        const file = await open(join(path, "body"), "w+")
        const close = file.close.bind(file)
        file.close = () => {
          closed.pop()?.()
          return close()
        }
        return file
      }
      const early = new SpooledBody(opened, room())
      for (let at = 0; at < 3; at++) early.write(madeUpBytes(1_000_000))
      early.close()
      const late = new SpooledBody(opened, room())
      yield* fill(late, madeUpBytes(3_000_000), 65_536)
      const reading = late.bytes.pieces.flatMap((piece) =>
        piece instanceof Uint8Array ? [] : [piece.store.read(piece.from, piece.to)],
      )[0]
      yield* Effect.promise(async () => reading?.[Symbol.asyncIterator]().next())
      late.close()
      const broken = yield* Effect.promise(() =>
        readEnd(reading).then(
          () => "whole",
          () => "broken",
        ),
      )
      expect(broken).toBe("broken")
      yield* within(
        "both files to be closed",
        Effect.promise(() => bothAreClosed),
      )
    }),
  )
})

const readEnd = async (reading: AsyncIterable<Uint8Array> | undefined): Promise<void> => {
  for await (const _ of reading ?? []) {
    // To its end.
  }
}

describe("The folder of uploads", () => {
  it.scopedLive("loses what a process left there that is gone, and nothing of others", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const left = "sluice-upload-999999999-3b241101-e2bb-4255-8caf-4136c566a962"
      const others = [
        `sluice-upload-${process.ppid}-3b241101-e2bb-4255-8caf-4136c566a962`,
        "sluice-upload-x",
        "mine",
      ]
      yield* Effect.promise(() =>
        Promise.all([left, ...others].map((name) => writeFile(join(path, name), ""))),
      )
      yield* Effect.provide(Spool, layer(path))
      expect((yield* Effect.promise(() => readdir(path))).sort()).toEqual(others.sort())
    }),
  )

  it.scopedLive("may be missing or locked: then bodies stay in memory, and the log says so once", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const lines: Array<string> = []
      const spool = yield* Effect.provide(
        Spool,
        Layer.provide(
          layer(join(path, "nowhere")),
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ message }) => void lines.push(String(message))),
          ),
        ),
      )
      expect(spool.hasFiles).toBe(false)
      expect(lines.length).toBe(1)
      expect(lines[0]).toContain("uploads stay in memory")
      const bytes = madeUpBytes(3_000_000)
      const body = spool.begin(room({ claim: () => false }))
      yield* fill(body, bytes, 65_536)
      expect((yield* readAll(body.bytes)).equals(bytes)).toBe(true)
    }),
  )
})
