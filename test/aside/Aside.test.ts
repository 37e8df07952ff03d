/** The thread for heavy bodies: its line, its death, and its end. */
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { Aside, layer } from "../../src/aside/Aside.ts"
import { asideThread } from "../support/AsideBundle.ts"

const bytes = (text: string): Uint8Array => {
  const encoded = new TextEncoder().encode(text)
  const shared = new Uint8Array(new SharedArrayBuffer(encoded.length))
  shared.set(encoded)
  return shared
}

const question = (text: string) =>
  ({ operation: "chat.completions", target: {}, pieces: [bytes(text)] }) as const

const request = '{"model":"m","messages":[{"role":"user","content":"a"}]}'

/** A program that dies over every body but those that name a model. */
const mortal = (): URL => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-aside-"))
  const path = join(folder, "mortal.mjs")
  writeFileSync(
    join(folder, "first.mjs"),
    `import { parentPort } from "node:worker_threads"
     parentPort.on("message", ({ input }) => {
       if (!new TextDecoder().decode(input.pieces[0]).includes("model")) process.exit(7)
     })`,
  )
  writeFileSync(path, `import "./first.mjs"; import ${JSON.stringify(asideThread().href)}`)
  return pathToFileURL(path)
}

describe("Work aside", () => {
  it.scopedLive("is done, one after the other, and the bytes stay where they are", () =>
    Effect.gen(function* () {
      const aside = yield* Aside
      const asked = question(request)
      const all = yield* Effect.all(
        Array.from({ length: 5 }, () => aside.run("read", asked)),
        { concurrency: "unbounded" },
      )
      for (const { bytes: back, read } of all) {
        expect(read).toMatchObject({ kind: "request", facts: { model: "m" } })
        expect(back.buffer).toBeInstanceOf(SharedArrayBuffer)
      }
      expect(aside.waiting()).toBe(0)
    }).pipe(Effect.provide(layer(asideThread()))),
  )

  it.scopedLive("fails who asks when too many wait, and nobody else", () =>
    Effect.gen(function* () {
      const aside = yield* Aside
      const results = yield* Effect.all(
        Array.from({ length: 200 }, () => Effect.either(aside.run("read", question(request)))),
        { concurrency: "unbounded" },
      )
      const failed = results.filter(Either.isLeft)
      expect(failed.length).toBe(200 - 129)
      for (const { left } of failed) expect(left).toMatchObject({ _tag: "AsideFailed", reason: "full" })
    }).pipe(Effect.provide(layer(asideThread()))),
  )

  it.scopedLive("of a thread that dies over a body fails for that body alone", () =>
    Effect.gen(function* () {
      const aside = yield* Aside
      const results = yield* Effect.all(
        [request, "{}", request, "[]", request].map((text) =>
          Effect.either(aside.run("read", question(text))),
        ),
        { concurrency: "unbounded" },
      )
      expect(results.map(Either.isRight)).toEqual([true, false, true, false, true])
      expect(results.filter(Either.isLeft)).toMatchObject([
        { left: { reason: "died", detail: expect.stringContaining("7") } },
        { left: { reason: "died" } },
      ])
    }).pipe(Effect.provide(Layer.unwrapEffect(Effect.sync(() => layer(mortal()))))),
  )

  it.scopedLive("that cannot be handed over fails, and those behind it are done", () =>
    Effect.gen(function* () {
      const aside = yield* Aside
      const gone = new Uint8Array(8)
      structuredClone(gone.buffer, { transfer: [gone.buffer] })
      const unsendable = { ...question(request), pieces: [gone] }
      const results = yield* Effect.all(
        [question(request), unsendable, unsendable, question(request)].map((asked) =>
          Effect.either(aside.run("read", asked)),
        ),
        { concurrency: "unbounded" },
      )
      expect(results.map(Either.isRight)).toEqual([true, false, false, true])
      expect(aside.waiting()).toBe(0)
    }).pipe(Effect.provide(layer(asideThread()))),
  )

  it.scopedLive("that nobody waits for any more leaves the line", () =>
    Effect.gen(function* () {
      const aside = yield* Aside
      const first = yield* Effect.fork(aside.run("read", question(request)))
      const left = yield* Effect.forkAll(
        Array.from({ length: 16 }, () => aside.run("read", question(request))),
      )
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(left)
      expect(aside.waiting()).toBeLessThanOrEqual(1)
      expect((yield* Fiber.join(first)).read.kind).toBe("request")
    }).pipe(Effect.provide(layer(asideThread()))),
  )
})
