/** What only operators see on a port of its own, and requests as they finish. */
import { createServer } from "node:net"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"
import { head, post, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const adminKey = "the-operator-and-nobody-else"
const withKey = { authorization: `Bearer ${adminKey}` }

/** Free a moment ago. */
const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" ? (address?.port ?? 0) : 0)))
  })
})

const statusAt = (port: number, path: string, headers: Record<string, string> = {}) =>
  Effect.map(request(port, "GET", path, headers), (answer) => answer?.status)

/** Also of a port where nobody listens, which has none. */
const answering = (port: number) =>
  Effect.promise(() =>
    fetch(`http://127.0.0.1:${port}/livez`, { headers: { connection: "close" } }).then(
      ({ status }) => status,
      () => undefined,
    ),
  )

const chat = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

describe("admin.port", () => {
  it.scopedLive("is the only one that tells what operators see, and asks for their keys as well", () =>
    Effect.gen(function* () {
      const adminPort = yield* freePort
      const { port } = yield* startGateway(
        configOf([{ base_url: "http://127.0.0.1:1" }], { admin: { port: adminPort, keys: [adminKey] } }),
      )
      expect(yield* statusAt(port, "/admin/api/health", withKey)).toBe(404)
      expect(yield* statusAt(port, "/metrics", withKey)).toBe(404)
      expect((yield* request(port, "GET", "/health?verbose", withKey))?.body.toString()).toContain(
        '"verbose":"told on admin.port"',
      )
      expect(yield* statusAt(adminPort, "/admin/api/health")).toBe(401)
      expect(yield* statusAt(adminPort, "/admin/api/health", withKey)).toBe(200)
      expect(yield* statusAt(adminPort, "/health?verbose")).toBe(401)
      expect((yield* request(adminPort, "GET", "/health?verbose", withKey))?.body.toString()).toContain(
        '"upstreams":',
      )
      expect(yield* statusAt(adminPort, "/health")).toBe(200)
      expect(yield* statusAt(adminPort, "/livez")).toBe(200)
      expect(yield* statusAt(adminPort, "/readyz")).toBe(200)
      // Nobody asks a model there.
      expect((yield* post(adminPort, "/v1/chat/completions", chat, withKey))?.status).toBe(404)
      expect((yield* request(adminPort, "GET", "/", {}))?.headers["location"]).toBe("/dashboard")
    }),
  )

  it.scopedLive(
    "tells all to whoever reaches it without keys, but not under a name that may be a stranger's",
    () =>
      Effect.gen(function* () {
        const adminPort = yield* freePort
        yield* startGateway(
          configOf([{ base_url: "http://127.0.0.1:1" }], {
            admin: { port: adminPort },
            server: { access_keys: ["a-key-of-callers"] },
          }),
        )
        const under = (host: string) => statusAt(adminPort, "/admin/api/health", { host })
        expect(yield* under(`127.0.0.1:${adminPort}`)).toBe(200)
        expect(yield* under(`localhost:${adminPort}`)).toBe(200)
        expect(yield* under("rebound.evil.example")).toBe(403)
        expect(yield* statusAt(adminPort, "/admin/api/health", { origin: "https://evil.example" })).toBe(403)
      }),
  )

  it.scopedLive("moves with a reload, and is given up with one", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* freePort, yield* freePort]
      const config = (admin: Readonly<Record<string, unknown>>) =>
        configOf([{ base_url: "http://127.0.0.1:1" }], { admin: { keys: [adminKey], ...admin } })
      const { port, reload } = yield* startGateway(config({ port: first }))
      expect(yield* statusAt(first, "/livez")).toBe(200)
      yield* reload(config({ port: second }))
      yield* eventually("the new port", answering(second), (status) => status === 200)
      yield* eventually("the old port's end", answering(first), (status) => status === undefined)
      expect(yield* statusAt(port, "/admin/api/health", withKey)).toBe(404)
      yield* reload(config({}))
      expect(yield* statusAt(port, "/admin/api/health", withKey)).toBe(200)
    }),
  )
})

describe("Live requests", () => {
  it.scopedLive("are told as they finish, refused ones too, those that are asked for alone", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const { port, reload } = yield* startGateway(
        configOf([{ base_url: upstream.url }], { admin: { keys: [adminKey] } }),
      )
      const all = yield* rawConnection(port)
      const failed = yield* rawConnection(port)
      yield* all.send(head("GET", "/admin/api/requests/live", withKey))
      yield* failed.send(head("GET", "/admin/api/requests/live?outcome=failed", withKey))
      yield* all.until((text) => text.includes("event: ready"))
      yield* failed.until((text) => text.includes("event: ready"))
      yield* post(port, "/v1/chat/completions", chat, { "x-request-id": "went-well" })
      yield* post(
        port,
        "/v1/chat/completions",
        { ...chat, model: "no-such" },
        { "x-request-id": "refused-one" },
      )
      const told = yield* all.until((text) => text.includes("refused-one"))
      expect(told).toContain("content-type: text/event-stream")
      expect(told).toContain('"id":"went-well"')
      const rest = yield* failed.until((text) => text.includes("refused-one"))
      expect(rest).not.toContain("went-well")
      // Whose key is taken away hears nothing more.
      yield* reload(configOf([{ base_url: upstream.url }], { admin: { keys: ["another-operator-now"] } }))
      expect(yield* all.until((text) => text.includes("event: end"))).toContain('"reason":"signed_out"')
    }),
  )
})

describe("Several workers", () => {
  it.scopedLive("share the operators' port, and tell of all of them there", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
      const adminPort = yield* freePort
      const config = configOf([{ base_url: upstream.url }], { admin: { port: adminPort, keys: [adminKey] } })
      yield* files.writeFileString(`${folder}/config.yaml`, config, { mode: 0o600 })
      const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"], {
        WORKERS: "2",
        AUDIT_URL: `sqlite:${folder}/record.db`,
      })
      const port = Number(new URL(yield* addressOf(gateway)).port)
      yield* eventually("the operators' port", answering(adminPort), (status) => status === 200)
      const live = yield* rawConnection(adminPort)
      yield* live.send(head("GET", "/admin/api/requests/live", withKey))
      yield* live.until((text) => text.includes("event: ready"))
      const ids = ["one", "two", "three", "four"].map((name) => `asked-${name}`)
      for (const id of ids) {
        expect((yield* post(port, "/v1/chat/completions", chat, { "x-request-id": id }))?.status).toBe(200)
      }
      // Each on a connection of its own, so that both workers get some.
      yield* live.until((text) => ids.every((id) => text.includes(`"id":"${id}"`)))
      const upstreams = yield* request(adminPort, "GET", "/admin/api/upstreams", withKey)
      expect(JSON.parse(upstreams?.body.toString() ?? "")).toMatchObject({
        workers: 2,
        upstreams: [{ last_5m: { attempts: ids.length, errors: 0 } }],
      })
      yield* eventually(
        "the rows",
        Effect.map(request(adminPort, "GET", "/admin/api/requests?limit=9", withKey), (answer) =>
          String(answer?.body),
        ),
        (text) => ids.every((id) => text.includes(id)),
      )
      yield* gateway.signal("SIGTERM")
      expect(yield* live.until((text) => text.includes("event: end"))).toContain('"reason":"leaving"')
      expect((yield* gateway.exited).code).toBe(0)
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})
