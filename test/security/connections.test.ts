/**
 * What somebody can do with connections alone: not reading, not sending, opening too many, taking all there is, and speaking what is no HTTP/1.1
 * (H5, M3, M10, L1 of the attack on v0.1.0).
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { absentReader, silentConnections } from "../support/AbsentReader.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually, within } from "../support/Patience.ts"
import { exchange, head, jsonOf, parseAnswer, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"
const messages = [{ role: "user", content: "Hello?" }]
const asking = (stream = false) => ({ model: "gpt-4o", stream, messages })

/** More than any system keeps for a connection. */
const large = 12 * 1024 * 1024

interface Health {
  readonly requests: { readonly in_flight: number; readonly buffered_bytes: number }
  readonly connections: { readonly open: number; readonly displaced: number; readonly refused: number }
}

const health = (port: number): Effect.Effect<Health> =>
  Effect.promise(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/health?verbose`, {
      headers: { connection: "close", authorization: "Bearer the-operator" },
    })
    return JSON.parse(await answer.text())
  })

const gatewayOf = (
  script: Scripted.Script,
  server: Readonly<Record<string, unknown>>,
  rest: Readonly<Record<string, unknown>> = {},
  onLine?: (line: string) => void,
) =>
  Effect.gen(function* () {
    const upstream = yield* Scripted.scriptedUpstream(script)
    const gateway = yield* startGateway(
      configOf([{ base_url: upstream.url }], { server, admin: { keys: ["the-operator"] }, ...rest }),
      {},
      onLine,
    )
    return { upstream, ...gateway }
  })

const idle = { in_flight: 0, buffered_bytes: 0 }

describe("Who does not read", () => {
  it.scopedLive("is under way, with the memory of its plain answer, until it is cut", () =>
    Effect.gen(function* () {
      const { awaitRecords, port, reload, upstream } = yield* gatewayOf(Scripted.chat("x".repeat(large)), {
        send_ms: 60_000,
      })
      yield* absentReader(port, postBytes(path, asking()))
      const { requests } = yield* eventually(
        "its answer to wait",
        health(port),
        ({ requests }) => requests.buffered_bytes > large,
        20_000,
      )
      expect(requests.in_flight).toBe(1)
      yield* Effect.sleep(50)
      expect((yield* health(port)).requests).toEqual(requests)
      yield* reload(
        configOf([{ base_url: upstream.url }], {
          server: { send_ms: 200 },
          admin: { keys: ["the-operator"] },
        }),
      )
      const [record] = yield* within("its row", awaitRecords(1))
      expect(record).toMatchObject({
        status: 200,
        outcome: "client_closed",
        error: expect.stringMatching(/^the client took nothing of its answer for 200 ms; \d+ bytes waited/),
        attempts: [{ status: 200 }],
      })
      expect((yield* health(port)).requests).toEqual(idle)
    }),
  )

  it.scopedLive("is cut in a stream too, its upstream with it", () =>
    Effect.gen(function* () {
      const flood = Scripted.flood(4 * large, 16_000)
      const { awaitRecords, port, upstream } = yield* gatewayOf(flood.answer, { send_ms: 300 })
      yield* absentReader(port, postBytes(path, asking(true)))
      const [record] = yield* within("its row", awaitRecords(1), 20_000)
      expect(record).toMatchObject({ status: 200, outcome: "client_closed" })
      expect(record?.error).toContain("the client took nothing of its answer for 300 ms")
      yield* eventually(
        "the end of the upstream's call",
        Effect.sync(() => upstream.openConnections()),
        (open) => open === 0,
      )
    }),
  )

  it.scopedLive("leaves nothing behind where it asked for more on the same connection", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* gatewayOf(Scripted.chat("x".repeat(large)), { send_ms: 300 })
      const [first, second] = [postBytes(path, asking()), postBytes(path, asking())]
      yield* absentReader(port, Buffer.concat([first, second, head("GET", "/livez")]))
      const records = yield* within("both rows", awaitRecords(2), 20_000)
      expect(records.map(({ outcome }) => outcome)).toEqual(["client_closed", "client_closed"])
      yield* eventually("all to be over", health(port), ({ requests }) => requests.in_flight === 0)
    }),
  )

  it.scopedLive("is cut when the time for its request is over, though more of its answer waits", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* gatewayOf(
        Scripted.chat("x".repeat(large)),
        {},
        { timeouts: { request_ms: 2_500 } },
      )
      yield* absentReader(port, postBytes(path, asking()))
      const [record] = yield* within("its row", awaitRecords(1), 20_000)
      expect(record).toMatchObject({ status: 200, outcome: "client_closed" })
      expect(record?.error).toContain("the 2500 ms for the request were over")
    }),
  )

  it.scopedLive("is cut where it asked for lists of models, too", () =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 5_000 }, (_, at) => `gpt-${at}-${"x".repeat(80)}`)
      const { awaitRecords, port } = yield* gatewayOf(Scripted.models(ids), { send_ms: 300 })
      const list = head("GET", "/v1/models")
      yield* eventually("the list", exchange(port, list), (answer) => answer?.status === 200, 20_000)
      yield* absentReader(port, Buffer.concat(Array.from({ length: 60 }, () => list)))
      const records = yield* within("the rows", awaitRecords(61), 20_000)
      expect(records.map(({ outcome }) => outcome)).toContain("client_closed")
      yield* eventually("all to be over", health(port), ({ requests }) => requests.in_flight === 0)
    }),
  )

  it.scopedLive("is not cut as long as it reads, be it slowly", () =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* gatewayOf(Scripted.chat("x".repeat(large)), { send_ms: 2_000 })
      const socket = yield* absentReader(port, postBytes(path, asking()))
      let received = 0
      socket.on("data", (bytes) => {
        received += bytes.length
        socket.pause()
        // In all, far longer than it may take nothing at once; the system tells of room when a third of a megabyte or more is free.
        setTimeout(() => socket.resume(), bytes.length / 3_000)
      })
      socket.resume()
      const [record] = yield* within("its row", awaitRecords(1), 60_000)
      expect(record).toMatchObject({ status: 200, outcome: "ok", error: undefined })
      yield* eventually(
        "all of it",
        Effect.sync(() => received),
        (bytes) => bytes > large,
        30_000,
      )
    }),
  )
})

describe("Who does not send", () => {
  const cases = [
    { what: "nothing of its body", piece: "" },
    { what: "a byte now and then", piece: "x" },
  ]
  for (const { piece, what } of cases) {
    it.scopedLive(`${what} is 408 after receive_ms, and holds nothing`, () =>
      Effect.gen(function* () {
        const { awaitRecords, port } = yield* gatewayOf(Scripted.chat("Hello."), { receive_ms: 400 })
        const connection = yield* rawConnection(port)
        yield* connection.send(head("POST", path, { "content-length": "100000" }))
        yield* connection.send('{"model":')
        const dripping = setInterval(() => connection.socket.write(piece), 50)
        yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(dripping)))
        const answer = parseAnswer(
          yield* within(
            "the answer",
            connection.until((text) => parseAnswer(text)?.whole === true),
          ),
        )
        expect([answer?.status, jsonOf(answer)]).toMatchObject([408, { error: { code: "request_too_slow" } }])
        expect((yield* health(port)).requests.buffered_bytes).toBe(0)
        clearInterval(dripping)
        connection.socket.destroy()
        expect(yield* awaitRecords(1)).toMatchObject([{ status: 408, outcome: "rejected" }])
      }),
    )
  }

  it.scopedLive("is served where it sends slowly, but at some pace", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayOf(Scripted.chat("Hello."), { receive_ms: 1_500 })
      const body = JSON.stringify({ ...asking(), padding: "x".repeat(50_000) })
      const connection = yield* rawConnection(port)
      yield* connection.send(head("POST", path, { "content-length": `${body.length}` }))
      for (let at = 0; at < body.length; at += 1_000) {
        yield* connection.send(body.slice(at, at + 1_000))
        yield* Effect.sleep(40)
      }
      const text = yield* within(
        "the answer",
        connection.until((text) => parseAnswer(text)?.whole === true),
      )
      expect(parseAnswer(text)?.status).toBe(200)
    }),
  )

  it.scopedLive("is 504 when the time for its request is over", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayOf(Scripted.chat("Hello."), {})
      const answer = yield* within(
        "the answer",
        exchange(port, head("POST", path, { "content-length": "100", "x-request-timeout-ms": "300" })),
      )
      expect([answer?.status, jsonOf(answer)]).toMatchObject([504, { error: { code: "deadline_exceeded" } }])
    }),
  )
})

describe("Connections", () => {
  it.scopedLive("that only stand there make room for who asks", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayOf(Scripted.chat("Hello."), { max_connections: 20 })
      yield* silentConnections(port, 100)
      for (let times = 0; times < 5; times += 1) {
        expect((yield* exchange(port, postBytes(path, asking())))?.status).toBe(200)
      }
      const { connections } = yield* health(port)
      expect(connections.open).toBeLessThanOrEqual(20)
      expect(connections.displaced).toBeGreaterThanOrEqual(80)
    }),
  )

  it.scopedLive("with a request under way are not closed for others, which are refused, and told of", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const held: Array<Parameters<Scripted.Answer["give"]>[0]> = []
      const { port, upstream } = yield* gatewayOf(
        { give: (exchange) => void held.push(exchange) },
        { max_connections: 4, send_ms: 400 },
        {},
        (line) => void lines.push(line),
      )
      const busy = yield* Effect.all(Array.from({ length: 4 }, () => rawConnection(port)))
      for (const connection of busy) yield* connection.send(postBytes(path, asking()))
      yield* upstream.awaitRequest(4)
      const refused = yield* rawConnection(port)
      yield* within("its end", refused.closed)
      expect(refused.received().length).toBe(0)
      for (const exchange of held) Scripted.chat("At last.").give(exchange)
      for (const connection of busy) {
        const text = yield* within(
          "its answer",
          connection.until((text) => parseAnswer(text)?.whole === true),
        )
        expect(parseAnswer(text)?.status).toBe(200)
      }
      expect((yield* health(port)).connections.refused).toBe(1)
    }),
  )

  it.scopedLive(
    "on which requests come by the thousand behind each other are cut, and the requests with them",
    () =>
      Effect.gen(function* () {
        const { awaitRecords, port, upstream } = yield* gatewayOf(Scripted.hang(), {})
        const ask = postBytes(path, asking())
        const crowd = yield* rawConnection(port)
        yield* crowd.send(Buffer.concat(Array.from({ length: 2_000 }, () => ask)))
        yield* within("its end", crowd.closed)
        const records = yield* awaitRecords(64)
        for (const { error, outcome } of records) {
          expect([outcome, error]).toEqual([
            "client_closed",
            expect.stringContaining("more than 64 requests"),
          ])
        }
        yield* eventually("all to be over", health(port), ({ requests }) => requests.in_flight === 0)
        expect(upstream.requests.length).toBeLessThanOrEqual(64)
        // A few are served in their order.
        upstream.setScript(Scripted.chat("Hello."))
        const few = yield* rawConnection(port)
        yield* few.send(Buffer.concat(Array.from({ length: 20 }, () => ask)))
        yield* within(
          "all answers",
          few.until((text) => text.split("HTTP/1.1 200 OK").length > 20),
        )
      }),
  )

  it.scopedLive("of one address are no more than max_connections_per_address", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayOf(Scripted.chat("Hello."), { max_connections_per_address: 3 })
      const [first] = yield* Effect.all(Array.from({ length: 3 }, () => rawConnection(port)))
      const refused = yield* rawConnection(port)
      yield* within("its end", refused.closed)
      first?.socket.destroy()
      const answer = yield* eventually(
        "room for another",
        exchange(port, postBytes(path, asking())),
        (answer) => answer !== undefined,
      )
      expect(answer?.status).toBe(200)
    }),
  )
})

describe("One caller", () => {
  const keys = { server: { access_keys: ["k", "another"] } }
  const withKey = (key: string) => postBytes(path, asking(), { authorization: `Bearer ${key}` })

  it.scopedLive("takes four fifths of max_in_flight at most, and is 429 then", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* gatewayOf(Scripted.hang(), { ...keys.server, max_in_flight: 10 })
      for (let count = 1; count <= 8; count += 1) {
        yield* absentReader(port, withKey("k"))
        yield* upstream.awaitRequest(count)
      }
      const answer = yield* exchange(port, withKey("k"))
      expect([answer?.status, answer?.headers["retry-after"], jsonOf(answer)]).toMatchObject([
        429,
        "1",
        { error: { type: "rate_limit_error", code: "caller_share_taken" } },
      ])
      upstream.setScript(Scripted.chat("Hello."))
      expect((yield* exchange(port, withKey("another")))?.status).toBe(200)
    }),
  )

  it.scopedLive("does not take all the memory with bodies that it does not end", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayOf(Scripted.chat("Hello."), {
        ...keys.server,
        max_buffered_bytes: 4_000_000,
      })
      for (let count = 0; count < 5; count += 1) {
        const unfinished = head("POST", path, { authorization: "Bearer k", "content-length": "1500000" })
        yield* absentReader(port, Buffer.concat([unfinished, Buffer.alloc(750_000, " ")]))
      }
      yield* eventually(
        "its share to be taken",
        health(port),
        ({ requests }) => requests.buffered_bytes > 2_500_000,
      )
      const post = (key: string, bytes: number) => {
        const body = { ...asking(), padding: "x".repeat(bytes) }
        return exchange(port, postBytes(path, body, { authorization: `Bearer ${key}` }))
      }
      expect((yield* post("another", 20_000))?.status).toBe(200)
      const own = yield* post("k", 200_000)
      expect([own?.status, jsonOf(own)]).toMatchObject([429, { error: { code: "caller_share_taken" } }])
    }),
  )
})

describe("What is no HTTP/1.1", () => {
  const cases = [
    { what: "HTTP/0.9", bytes: "GET /v1/models\r\n\r\n", status: 400 },
    { what: "HTTP/2.0 in a request line", bytes: "GET /livez HTTP/2.0\r\nhost: a\r\n\r\n", status: 505 },
    { what: "HTTP/1.2", bytes: "GET /livez HTTP/1.2\r\nhost: a\r\n\r\n", status: 400 },
    { what: "two hosts", bytes: "GET /livez HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n", status: 400 },
    { what: "the same host twice", bytes: "GET /livez HTTP/1.1\r\nHOST: a\r\nhost: a\r\n\r\n", status: 400 },
    { what: "no host", bytes: "GET /livez HTTP/1.1\r\n\r\n", status: 400 },
  ]
  for (const { bytes, status, what } of cases) {
    it.scopedLive(`is refused, and its connection closed: ${what}`, () =>
      Effect.gen(function* () {
        const { port } = yield* gatewayOf(Scripted.chat("Hello."), {})
        const connection = yield* rawConnection(port)
        // What comes behind it is not looked at.
        yield* connection.send(`${bytes}GET /livez HTTP/1.1\r\nhost: a\r\n\r\n`)
        yield* within("its end", connection.closed)
        const text = connection.received().toString("latin1")
        expect(Number(text.split(" ")[1])).toBe(status)
        expect(text.match(/^HTTP\/1\.1 \d/gm)?.length).toBe(1)
      }),
    )
  }

  it.scopedLive("is not HTTP/1.0 without a host", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayOf(Scripted.chat("Hello."), {})
      expect((yield* exchange(port, "GET /livez HTTP/1.0\r\n\r\n"))?.status).toBe(200)
      expect((yield* request(port, "GET", "/livez"))?.status).toBe(200)
    }),
  )
})
