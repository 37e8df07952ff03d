/** Paths that are handed on to one client as they are asked, through sockets and the official SDK. */
import { connect } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI, { toFile } from "openai"
import { isJsonArray, isJsonObject } from "../../src/wire/Json.ts"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { exchange, head, jsonOf, parseAnswer, post, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const rules = [
  { path: "/v1/files", client: "first" },
  { path: "/v1/batches", client: "first", methods: ["GET", "POST"] },
]

const stack = (script: Scripted.Script, rest: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* Scripted.scriptedUpstream(script)
    const gateway = yield* startGateway(
      configOf([{ base_url: upstream.url }], { passthrough: rules, ...rest }),
    )
    return { ...gateway, upstream }
  })

const file = { id: "file-1", object: "file", bytes: 3, created_at: 1, filename: "a.jsonl", purpose: "batch" }

const noContent: Scripted.Answer = { give: ({ response }) => void response.writeHead(204).end() }

const noteIn = (bytes: Uint8Array | undefined): unknown => JSON.parse(Buffer.from(bytes ?? []).toString())

describe("what is handed on", () => {
  it.scopedLive("is given up where its caller stops sending, which is not its client's fault", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack(Scripted.hang(), { server: { receive_ms: 1_000 } })
      const connection = yield* rawConnection(port)
      yield* connection.send(
        Buffer.concat([head("POST", "/v1/files", { "content-length": "100000" }), Buffer.alloc(10)]),
      )
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ status: 408, outcome: "rejected" })
    }),
  )

  it.scopedLive("arrives as it was sent, with the key of its client, and is answered as it came", () =>
    Effect.gen(function* () {
      const packed = Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3])
      const { awaitRecords, port, upstream } = yield* stack(
        Scripted.status(200, packed, {
          "content-type": "application/x-thing",
          "content-encoding": "gzip",
          "content-disposition": 'attachment; filename="a"',
          "set-cookie": "a=b",
          "x-request-id": "req_7",
        }),
      )
      const sent = Buffer.from([0, 1, 2, 255])
      const got = yield* exchange(
        port,
        Buffer.concat([
          head("POST", "/v1/files/a%20b?x=1&y=%2F", {
            "content-type": "application/octet-stream",
            "content-length": "4",
            authorization: "Bearer sk-of-the-caller",
            cookie: "c=d",
            "openai-beta": "assistants=v2",
          }),
          sent,
        ]),
      )
      expect(got?.status).toBe(200)
      expect(got?.body.equals(packed)).toBe(true)
      expect(got?.headers).toMatchObject({
        "content-type": "application/x-thing",
        "content-encoding": "gzip",
        "content-length": "7",
        "content-disposition": 'attachment; filename="a"',
        "x-upstream-request-id": "req_7",
        "x-sluice-upstream": "first",
      })
      expect(got?.headers["set-cookie"]).toBeUndefined()
      const [asked] = upstream.requests
      expect([asked?.method, asked?.path]).toEqual(["POST", "/v1/files/a%20b?x=1&y=%2F"])
      expect(asked?.bytes.equals(sent)).toBe(true)
      expect(asked?.headers).toMatchObject({
        authorization: `Bearer ${configuredKey}`,
        "content-type": "application/octet-stream",
        "content-length": "4",
        "openai-beta": "assistants=v2",
      })
      expect(asked?.headers["cookie"]).toBeUndefined()
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: "passthrough", status: 200, outcome: "ok", upstream: "first" })
      expect(noteIn(record?.request)).toEqual({
        method: "POST",
        path: "/v1/files/a%20b",
        content_type: "application/octet-stream",
        bytes: 4,
      })
      expect(noteIn(record?.response?.kind === "plain" ? record.response.bytes : undefined)).toEqual({
        content_type: "application/x-thing",
        bytes: 7,
      })
    }),
  )

  it.scopedLive("is answered to a GET, a HEAD and a DELETE, without a body too", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack(({ method }) =>
        method === "DELETE" ? noContent : Scripted.json(file),
      )
      expect(jsonOf(yield* request(port, "GET", "/v1/files/file-1"))).toEqual(file)
      expect((yield* request(port, "DELETE", "/v1/files/file-1"))?.status).toBe(204)
      const connection = yield* rawConnection(port)
      yield* connection.send(head("HEAD", "/v1/files/file-1"))
      const text = yield* within(
        "the head",
        connection.until((soFar) => soFar.includes("\r\n\r\n")),
      )
      expect(parseAnswer(text)?.headers["content-length"]).toBe(String(JSON.stringify(file).length))
      expect(upstream.requests.map(({ method }) => method)).toEqual(["GET", "DELETE", "HEAD"])
    }),
  )

  it.scopedLive("may be answered without a length by an upstream that hangs up at once", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack(
        Scripted.raw("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nall", "end"),
      )
      for (let times = 0; times < 3; times++) {
        const got = yield* within("the answer", request(port, "GET", "/v1/files/file-1/content"))
        expect([got?.status, got?.body.toString()]).toEqual([200, "all"])
      }
      const records = yield* awaitRecords(3)
      expect(records.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "ok"])
    }),
  )

  it.scopedLive("is cut where its upstream resets the connection, and the gateway goes on", () =>
    Effect.gen(function* () {
      const half = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nall\r\n"
      const { awaitRecords, port } = yield* stack({
        give: ({ settle, socket }) => {
          settle()
          socket.write(half, () =>
            setImmediate(() => Object.assign(socket, { resetAndClosing: true }).destroy()),
          )
        },
      })
      for (let times = 0; times < 5; times++) {
        yield* within("the cut", request(port, "GET", "/v1/files/file-1/content"))
      }
      expect((yield* awaitRecords(5)).length).toBe(5)
      expect((yield* request(port, "GET", "/livez"))?.status).toBe(200)
    }),
  )

  it.scopedLive("is refused by its path, its method, its size or its key, and asks nobody", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack(Scripted.json(file), {
        server: { access_keys: ["sk-open-sesame-0123"], max_upload_bytes: 10 },
        passthrough: [{ path: "/v1/files", client: "first", methods: ["GET", "POST"] }],
      })
      const key = { authorization: "Bearer sk-open-sesame-0123" }
      const refused = (method: string, path: string, headers: Readonly<Record<string, string>> = key) =>
        Effect.map(request(port, method, path, headers), (got) => got?.status)
      expect(yield* refused("GET", "/v1/files/../models")).toBe(400)
      expect(yield* refused("GET", "/v1/files/%2e%2e%2fmodels")).toBe(400)
      expect(yield* refused("DELETE", "/v1/files/a")).toBe(405)
      expect(yield* refused("GET", "/v1/file")).toBe(404)
      expect(yield* refused("GET", "/v1/files", {})).toBe(401)
      expect((yield* post(port, "/v1/files", "12345678901", key))?.status).toBe(413)
      const chunked = head("POST", "/v1/files", {
        ...key,
        "content-type": "text/plain",
        "transfer-encoding": "chunked",
      })
      const late = yield* exchange(
        port,
        Buffer.concat([chunked, Buffer.from("b\r\n12345678901\r\n0\r\n\r\n")]),
      )
      expect(late?.status).toBe(413)
      expect(upstream.requests.filter(({ path }) => path !== "/v1/files").length).toBe(0)
      expect((yield* request(port, "GET", "/v1/files", key))?.status).toBe(200)
      const upgrade = { ...key, connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13" }
      expect(yield* refused("GET", "/v1/files", upgrade)).toBe(426)
    }),
  )

  it.scopedLive("is told of an error, a redirect and a broken connection as every request is", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstream } = yield* stack(({ path }) =>
        path.endsWith("missing")
          ? Scripted.status(404, {
              error: { message: `No such file, ${configuredKey}`, type: "x", param: null, code: null },
            })
          : path.endsWith("moved")
            ? Scripted.status(302, "", { location: "https://elsewhere.example/a" })
            : Scripted.reset("before"),
      )
      const missing = yield* request(port, "GET", "/v1/files/missing")
      expect([missing?.status, missing?.body.toString().includes(configuredKey)]).toEqual([404, false])
      expect(missing?.body.toString()).toContain("No such file")
      expect((yield* request(port, "GET", "/v1/files/moved"))?.status).toBe(502)
      expect((yield* request(port, "GET", "/v1/files/broken"))?.status).toBe(502)
      // A connection of the pool that breaks may have been dead before: it is asked over a new one.
      expect(upstream.requests.length).toBe(4)
      const records = yield* awaitRecords(3)
      expect(records.map(({ endpoint, outcome }) => `${endpoint} ${outcome}`)).toEqual([
        "passthrough rejected",
        "passthrough upstream_error",
        "passthrough upstream_error",
      ])
    }),
  )

  it.scopedLive("is sent no faster than its client reads, and left with its caller", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, upstream } = yield* stack(Scripted.hang())
      const socket = connect(port, "127.0.0.1")
      yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
      socket.on("error", () => {})
      socket.write(head("POST", "/v1/files", { "content-type": "a/b", "content-length": "1000000" }))
      socket.write(Buffer.alloc(1000))
      const asked = yield* within("the request", upstream.awaitRequest(1)).pipe(
        Effect.timeoutOption("100 millis"),
      )
      socket.destroy()
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: "passthrough", outcome: "client_closed", status: 499 })
      expect(asked._tag).toBe("None")
    }),
  )
})

describe("The client of a rule", () => {
  const upstreamIn = (port: number) =>
    Effect.map(request(port, "GET", "/health?verbose"), (got) => {
      const health: unknown = jsonOf(got)
      const upstreams = isJsonObject(health) ? health["upstreams"] : undefined
      return isJsonArray(upstreams) ? upstreams[0] : undefined
    })

  it.scopedLive("is sent no more at once than it takes, models and rules together", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(Scripted.hang())
      const { awaitRecords, port } = yield* startGateway(
        configOf([{ base_url: upstream.url, max_concurrent: 1, max_waiting: 0 }], { passthrough: rules }),
      )
      const socket = connect(port, "127.0.0.1")
      yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
      socket.on("error", () => {})
      socket.write(head("GET", "/v1/files/slow"))
      yield* within("the call", upstream.awaitRequest(1))
      const beside = yield* request(port, "GET", "/v1/files/a")
      expect([beside?.status, jsonOf(beside)]).toMatchObject([503, { error: { code: "overloaded" } }])
      const chat = yield* post(port, "/v1/chat/completions", {
        model: "gpt-4",
        messages: [{ role: "user", content: "hi" }],
      })
      expect(chat?.status).toBe(503)
      expect((yield* awaitRecords(2))[0]?.attempts[0]?.cause).toContain("is busy (1 requests under way")
      // Its caller leaves, and with it goes its place.
      socket.destroy()
      yield* awaitRecords(3)
      upstream.setScript(Scripted.json(file))
      for (let times = 0; times < 2; times++)
        expect((yield* request(port, "GET", "/v1/files/a"))?.status).toBe(200)
    }),
  )

  it.scopedLive("is set aside by what is handed on, and well again by it, as by every request", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack(Scripted.status(404, { error: { message: "No such file" } }), {
        breaker: { failures: 1, open_ms: 60_000 },
      })
      const asked = Effect.asVoid(request(port, "GET", "/v1/files/a"))
      yield* asked
      // That a file is missing says nothing, nor that the key may not read files.
      upstream.setScript(Scripted.status(401, { error: { message: "Missing scopes: api.files.read" } }))
      yield* asked
      expect(yield* upstreamIn(port)).toMatchObject({ state: "closed", models: [] })
      upstream.setScript(Scripted.status(500, { error: { message: "down" } }))
      yield* asked
      expect(yield* upstreamIn(port)).toMatchObject({ state: "open", reason: "failing", models: [] })
      // There is nobody else to ask.
      upstream.setScript(Scripted.json(file))
      yield* asked
      expect(yield* upstreamIn(port)).toMatchObject({ state: "closed", in_flight: 0 })
      upstream.setScript(Scripted.reset("before"))
      yield* asked
      expect(yield* upstreamIn(port)).toMatchObject({ state: "open" })
    }),
  )
})

describe("OpenAI's SDK", () => {
  it.scopedLive("uploads and downloads files, and makes batches", () =>
    Effect.gen(function* () {
      const content = Buffer.from(Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256))
      const batch = { id: "batch-1", object: "batch", status: "validating" }
      const { baseUrl, upstream } = yield* stack(({ method, path }) =>
        path.endsWith("/content")
          ? Scripted.status(200, content, { "content-type": "application/octet-stream" })
          : path.startsWith("/v1/batches")
            ? Scripted.json(method === "GET" ? { object: "list", data: [batch], has_more: false } : batch)
            : Scripted.json(file),
      )
      const client = new OpenAI({ baseURL: `${baseUrl}/v1`, apiKey: "sk-caller", maxRetries: 0 })
      const uploaded = yield* Effect.promise(async () =>
        client.files.create({ file: await toFile(content, "a.jsonl"), purpose: "batch" }),
      )
      expect(uploaded).toMatchObject(file)
      const upload = upstream.requests[0]
      expect(upload?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/)
      expect(upload?.bytes.includes(content)).toBe(true)
      const read = yield* Effect.promise(async () => (await client.files.content("file-1")).arrayBuffer())
      expect(Buffer.from(read).equals(content)).toBe(true)
      const made = yield* Effect.promise(() =>
        client.batches.create({
          input_file_id: "file-1",
          endpoint: "/v1/chat/completions",
          completion_window: "24h",
        }),
      )
      expect(made).toMatchObject(batch)
      const listed = yield* Effect.promise(() => client.batches.list({ limit: 2 }))
      expect(listed.data).toMatchObject([batch])
      expect(upstream.requests.at(-1)?.path).toBe("/v1/batches?limit=2")
    }),
  )
})
