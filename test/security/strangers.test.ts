/** What somebody without a key costs those who have one: no place, no large row, no lingering, no connection (M3 of the attack on v0.1.0). */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { absentReader, silentConnections } from "../support/AbsentReader.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually, within } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"
import { exchange, head, parseAnswer, post, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"
const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }
const withKey = { authorization: "Bearer k" }

const stack = (server: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
    const gateway = yield* startGateway(
      configOf([{ base_url: upstream.url }], {
        server: { access_keys: ["k"], ...server },
        admin: { keys: ["the-operator"] },
      }),
      {},
      (line) => void lines.push(line),
    )
    return { upstream, lines, ...gateway }
  })

interface Verbose {
  readonly requests: { readonly in_flight: number }
  readonly strangers: { readonly turned_away: number; readonly unrecorded: number }
}

const verbose = (port: number): Effect.Effect<Verbose> =>
  Effect.map(request(port, "GET", "/health?verbose", { authorization: "Bearer the-operator" }), (answer) =>
    JSON.parse(answer?.body.toString() ?? ""),
  )

describe("Strangers", () => {
  it.scopedLive("take no place of those who may ask, however many leave their bodies out", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ max_in_flight: 5 })
      const bodiless = head("POST", path, { "content-length": "1000" })
      yield* Effect.all(
        Array.from({ length: 150 }, (_, at) =>
          absentReader(port, at % 2 === 0 ? bodiless : head("PUT", "/nowhere", { "content-length": "1000" })),
        ),
        { concurrency: "unbounded" },
      )
      for (let times = 0; times < 5; times += 1) {
        expect((yield* post(port, path, body, withKey))?.status).toBe(200)
      }
      expect((yield* verbose(port)).requests.in_flight).toBe(0)
    }),
  )

  it.scopedLive("read why they are refused when they have sent a body, alone and in a crowd", () =>
    Effect.gen(function* () {
      const { port } = yield* stack()
      const late = Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* rawConnection(port)
          yield* connection.send(head("POST", path, { "content-length": "20000" }))
          yield* connection.until((text) => text.includes(" 401 "))
          yield* connection.send("x".repeat(20_000))
          return parseAnswer(
            yield* within(
              "the answer",
              connection.until(() => true),
            ),
          )?.status
        }),
      )
      expect(yield* late).toBe(401)
      yield* Effect.all(
        Array.from({ length: 150 }, () =>
          absentReader(port, head("POST", path, { "content-length": "1000" })),
        ),
        { concurrency: "unbounded" },
      )
      for (let times = 0; times < 20; times += 1) {
        expect((yield* exchange(port, postBytes(path, body)))?.status).toBe(401)
      }
    }),
  )

  it.scopedLive("that never send what they said are let go of within seconds", () =>
    Effect.gen(function* () {
      const { port } = yield* stack()
      const connection = yield* rawConnection(port)
      yield* connection.send(head("POST", path, { "content-length": "1000000" }))
      yield* within("its end", connection.closed)
      expect(parseAnswer(connection.received().toString())?.status).toBe(401)
      // Nor do they keep sending for long.
      const sending = yield* rawConnection(port)
      yield* sending.send(head("POST", path, { "content-length": "100000000" }))
      const more = setInterval(() => sending.socket.write(Buffer.alloc(60_000)), 1)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(more)))
      yield* within("its end", sending.closed)
    }),
  )

  it.scopedLive("leave small rows, and no more than so many; the others are counted", () =>
    Effect.gen(function* () {
      const { lines, port, records } = yield* stack()
      const headers: Record<string, string> = {
        authorization: `Bearer ${"w".repeat(4_000)}`,
        "user-agent": "a".repeat(5_000),
        "x-more": "b".repeat(5_000),
      }
      const flood = Array.from({ length: 25 }, () => head("GET", "/v1/models", headers))
      for (let times = 0; times < 16; times += 1) {
        const connection = yield* rawConnection(port)
        yield* connection.send(Buffer.concat(flood))
        yield* within(
          "all answers",
          connection.until((text) => text.split(" 401 Unauthorized").length > 25),
        )
      }
      const { strangers } = yield* eventually(
        "all to be counted",
        verbose(port),
        ({ strangers }) => strangers.turned_away === 400,
      )
      const rows = yield* records
      expect(rows.length).toBe(400 - strangers.unrecorded)
      expect(rows.length).toBeGreaterThanOrEqual(100)
      expect(strangers.unrecorded).toBeGreaterThan(100)
      for (const row of rows) {
        expect(row).toMatchObject({ status: 401, outcome: "rejected" })
        expect(JSON.stringify([row.headers, row.userAgent]).length).toBeLessThan(2_000)
      }
      expect(lines.filter((line) => line.includes('"message":"request"')).length).toBe(rows.length)
      // A caller's rows are never left out.
      expect((yield* post(port, path, body, withKey))?.status).toBe(200)
      expect((yield* records).at(-1)).toMatchObject({ status: 200, outcome: "ok" })
    }),
  )

  it.scopedLive("that only stand there under a low limit of open files do not keep a caller out", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const config = `${folder}/config.yaml`
      yield* files.writeFileString(
        config,
        configOf([{ base_url: upstream.url }], { server: { access_keys: ["k"] } }),
      )
      const gateway = yield* sluice(["serve", "--config", config, "--port", "0"], {}, 200)
      const warning = yield* within("the warning", gateway.logged("this process may open 200 files"), 20_000)
      expect(warning["message"]).toContain("server.max_connections")
      const port = Number(new URL(yield* within("its start", addressOf(gateway), 20_000)).port)
      yield* silentConnections(port, 400)
      for (let times = 0; times < 10; times += 1) {
        expect((yield* within("an answer", post(port, path, body, withKey)))?.status).toBe(200)
      }
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
