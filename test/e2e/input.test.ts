/** Requests that are broken, oversized, hostile or never finished: each gets its answer, and the gateway goes on serving. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import {
  exchange,
  head,
  jsonOf,
  parseAnswer,
  post,
  postBytes,
  type RawConnection,
  rawConnection,
} from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const path = "/v1/chat/completions"

const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

const stack = (settings: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(chat("Hello."))
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url, ...settings }]))
    const stillServes = Effect.gen(function* () {
      expect((yield* within("an ordinary answer", post(gateway.port, path, body)))?.status).toBe(200)
    })
    return { upstream, gateway, port: gateway.port, stillServes }
  })

const answerOn = (connection: RawConnection) =>
  Effect.map(
    within(
      "the answer",
      connection.until((text) => parseAnswer(text)?.whole === true),
    ),
    parseAnswer,
  )

describe("A body that is not what it should be", () => {
  it.scopedLive("is 400 where it is not a JSON object, and no upstream is asked", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack()
      const whole = JSON.stringify(body)
      const malformed: ReadonlyArray<string | Buffer> = [
        "",
        " ",
        "{",
        "nul",
        "[]",
        '"model"',
        "42",
        "null",
        whole.slice(0, -1),
        `${whole}}`,
        `${whole}${whole}`,
        whole.replaceAll('"', "'"),
        whole.replace("}", ",}"),
        `${whole}\u0000`,
        "model=gpt-4o",
        // Not UTF-8: a byte that never stands in it, an encoded surrogate, a sequence that is cut off.
        Buffer.concat([Buffer.from('{"model":"gpt-4o","x":"'), Buffer.from([0xff]), Buffer.from('"}')]),
        Buffer.from(whole.replace("Hello?", "\xc3"), "latin1"),
        Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
        // JSON, but in UTF-16.
        Buffer.from(whole, "utf16le"),
      ]
      for (const bytes of malformed) {
        const answer = yield* within("an answer", post(port, path, bytes))
        expect([String(bytes), answer?.status]).toEqual([String(bytes), 400])
        expect(jsonOf(answer)).toMatchObject({ error: { type: "invalid_request_error", param: null } })
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("is served where it is JSON of another look", () =>
    Effect.gen(function* () {
      const { port, upstream } = yield* stack()
      const whole = JSON.stringify(body)
      for (const text of [
        `\uFEFF${whole}`,
        `\r\n\t ${JSON.stringify(body, null, 2)}\n`,
        whole.replace("Hello", "\\u0048ello"),
      ]) {
        expect((yield* post(port, path, text))?.status).toBe(200)
        expect(upstream.requests.at(-1)?.body).toEqual(body)
      }
      for (const contentType of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-8",
      ]) {
        expect((yield* post(port, path, whole, { "content-type": contentType }))?.status).toBe(200)
      }
    }),
  )

  it.scopedLive(
    "of the wrong type at any member is refused by name or left to the upstream, never a fault",
    () =>
      Effect.gen(function* () {
        const { port, upstream } = yield* stack({
          stop: ["<|end|>"],
          max_tokens: 100,
          special_prefix: "> ",
          extra_body: { top_k: 40 },
        })
        const members = [
          ["model"],
          ["messages"],
          ["messages", 0],
          ["messages", 0, "role"],
          ["messages", 0, "content"],
          ["messages", 0, "content", 0],
          ["messages", 0, "content", 0, "type"],
          ["messages", 0, "content", 0, "text"],
          ["messages", 0, "tool_calls"],
          ["stream"],
          ["stream_options"],
          ["stream_options", "include_usage"],
          ["stop"],
          ["stop", 0],
          ["max_tokens"],
          ["max_completion_tokens"],
          ["tools"],
          ["tools", 0],
          ["n"],
          ["temperature"],
          ["user"],
          ["top_k"],
          ["__proto__"],
        ] as const
        const values = ["null", "true", "-1", "1e999", '""', '"text"', "[]", "[[]]", "{}", '{"a":{}}']
        const template = (member: ReadonlyArray<string | number>) =>
          textWith(
            {
              ...body,
              ...(member[0] === "messages" && member.length > 3
                ? { messages: [{ role: "user", content: [{ type: "text", text: "Hello?" }] }] }
                : {}),
              ...(member[0] === "stream_options" ? { stream: true } : {}),
            },
            member,
          )
        for (const member of members) {
          for (const value of values) {
            const asked = upstream.requests.length
            const answer = yield* within("an answer", post(port, path, template(member)(value)))
            const about = `${member.join(".")} = ${value}`
            if (answer?.status === 400) {
              expect([about, upstream.requests.length]).toEqual([about, asked])
              const { error } = Object(jsonOf(answer))
              expect([about, error.type]).toEqual([about, "invalid_request_error"])
              expect([about, String(error.param)]).toEqual([about, expect.stringContaining(member[0])])
            } else if (member[0] === "model") {
              expect([about, answer?.status]).toEqual([about, 404])
            } else {
              expect([about, answer?.status]).toEqual([about, 200])
              expect([about, upstream.requests.length]).toEqual([about, asked + 1])
            }
          }
        }
      }),
  )

  it.scopedLive("nested 10,000 deep is answered, wherever the depth is", () =>
    Effect.gen(function* () {
      const { port, stillServes } = yield* stack({ max_tokens: 100, extra_body: { top_k: 40 } })
      const deep = (open: string, close: string) => open.repeat(10_000) + close.repeat(10_000)
      for (const nested of [deep("[", "]"), deep('{"a":', "}").replace("}", "1}")]) {
        for (const member of [["x"], ["messages", 0, "content"], ["messages", 0], ["tools"], ["model"]]) {
          const answer = yield* within("an answer", post(port, path, textWith(body, member)(nested)))
          expect([200, 400]).toContain(answer?.status)
        }
      }
      yield* stillServes
    }),
  )
})

const placeholder = "the value to be tried"

/** The body as JSON with one member replaced by any text: values that JSON.stringify would not write, too. */
const textWith =
  (whole: object, member: ReadonlyArray<string | number>) =>
  (value: string): string => {
    const replaced = (inside: unknown, rest: ReadonlyArray<string | number>): unknown => {
      const [first, ...others] = rest
      if (first === undefined) return placeholder
      const isIndex = typeof first === "number"
      const entries = Object.entries(typeof inside === "object" && inside !== null ? inside : {})
      const found = entries.find(([name]) => name === String(first))?.[1]
      const changed = [
        ...entries.filter(([name]) => name !== String(first)),
        [String(first), replaced(found, others)],
      ]
      return isIndex ? changed.map(([, one]) => one) : Object.fromEntries(changed)
    }
    return JSON.stringify(replaced(whole, member)).replace(JSON.stringify(placeholder), () => value)
  }

const megabyte = 1024 * 1024

/** Sends as much as is asked for, or until the other side has closed. */
const sendMuch = (connection: RawConnection, megabytes: number, frame: (piece: Buffer) => Buffer) =>
  Effect.async<void>((resume) => {
    const piece = frame(Buffer.alloc(megabyte, 0x20))
    let left = megabytes
    const more = () => {
      while (left > 0 && connection.socket.writable) {
        left -= 1
        if (!connection.socket.write(piece)) {
          connection.socket.once("drain", more)
          return
        }
      }
      resume(Effect.void)
    }
    connection.socket.once("close", () => resume(Effect.void))
    more()
  })

const asIs = (piece: Buffer) => piece

const asChunk = (piece: Buffer) =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")])

const expectTooLarge = (answer: ReturnType<typeof parseAnswer>) => {
  expect(answer?.status).toBe(413)
  expect(answer?.whole).toBe(true)
  expect(jsonOf(answer)).toMatchObject({
    error: {
      type: "invalid_request_error",
      code: "request_too_large",
      message: expect.stringContaining("52428800"),
    },
  })
}

const declared = (megabytes: number, headers: Readonly<Record<string, string>> = {}) =>
  head("POST", path, {
    "content-type": "application/json",
    "content-length": String(megabytes * megabyte),
    ...headers,
  })

describe("A body of 100 MB", () => {
  it.scopedLive("is 413 at once where its length says so, before any of it is sent", () =>
    Effect.gen(function* () {
      const { port, stillServes, upstream } = yield* stack()
      const connection = yield* rawConnection(port)
      yield* connection.send(declared(100))
      expectTooLarge(yield* answerOn(connection))
      expect(upstream.requests).toEqual([])
      yield* stillServes
    }),
  )

  it.scopedLive("is 413 for a client that waits to be told to continue", () =>
    Effect.gen(function* () {
      const { port } = yield* stack()
      const connection = yield* rawConnection(port)
      yield* connection.send(declared(100, { expect: "100-continue" }))
      const final = (text: string) => parseAnswer(text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ""))
      const text = yield* within(
        "the answer",
        connection.until((soFar) => final(soFar)?.whole === true),
      )
      expectTooLarge(final(text))
    }),
  )

  it.scopedLive("is 413 that a client reads while it is sending, its length declared", () =>
    Effect.gen(function* () {
      const { port, stillServes } = yield* stack()
      const connection = yield* rawConnection(port)
      yield* connection.send(declared(100))
      yield* within("the end of sending", sendMuch(connection, 100, asIs), 20_000)
      expectTooLarge(yield* answerOn(connection))
      yield* stillServes
    }),
  )

  it.scopedLive("is 413 that a client reads while it is sending, in chunks of undeclared number", () =>
    Effect.gen(function* () {
      const { port, stillServes, upstream } = yield* stack()
      const connection = yield* rawConnection(port)
      yield* connection.send(head("POST", path, { "transfer-encoding": "chunked" }))
      yield* within("the end of sending", sendMuch(connection, 100, asChunk), 20_000)
      expectTooLarge(yield* answerOn(connection))
      expect(upstream.requests).toEqual([])
      yield* stillServes
    }),
  )

  it.scopedLive(
    "is 413 for a client that reads only when it has sent all of a body just over the limit",
    () =>
      Effect.gen(function* () {
        const { port } = yield* stack()
        const connection = yield* rawConnection(port)
        connection.socket.pause()
        yield* connection.send(declared(51))
        yield* within("the end of sending", sendMuch(connection, 51, asIs), 20_000)
        connection.socket.resume()
        expectTooLarge(yield* answerOn(connection))
      }),
  )
})

describe("Headers and framing", () => {
  it.scopedLive("over 16 KB are 431, in one header or in many, and more than can be are never a hang", () =>
    Effect.gen(function* () {
      const { port, stillServes } = yield* stack()
      const many = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-h${index}`, "v"]))
      for (const headers of [{ "x-long": "v".repeat(20_000) }, many(5_000)]) {
        const answer = yield* within("an answer", post(port, path, body, headers))
        expect(answer?.status).toBe(431)
        expect(jsonOf(answer)).toMatchObject({ error: { type: "invalid_request_error" } })
      }
      const short = yield* within("an answer", post(port, path, body, many(300)))
      expect([200, 400, 431]).toContain(short?.status)
      const longPath = yield* within("an answer", exchange(port, head("GET", `/${"x".repeat(20_000)}`)))
      expect([414, 431]).toContain(longPath?.status)
      yield* stillServes
    }),
  )

  it.scopedLive("that do not make HTTP are 400, and so are those that leave the body's length in doubt", () =>
    Effect.gen(function* () {
      const { port, stillServes, upstream } = yield* stack()
      const dubious = [
        "HELLO\r\n\r\n",
        "GET\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        `POST ${path} HTTP/1.1\r\n\r\n`,
        `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n`,
        `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}`,
        `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
        `POST ${path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
        `POST ${path} HTTP/1.1\r\nhost: a\r\nbad header: 1\r\n\r\n`,
      ]
      for (const bytes of dubious) {
        const answer = yield* within("an answer", exchange(port, Buffer.from(bytes, "latin1")))
        expect([bytes, answer?.status]).toEqual([bytes, 400])
      }
      expect(upstream.requests).toEqual([])
      yield* stillServes
    }),
  )

  it.scopedLive("of two requests sent at once are answered in order, on one connection", () =>
    Effect.gen(function* () {
      const { port } = yield* stack()
      const connection = yield* rawConnection(port)
      yield* connection.send(
        Buffer.concat([
          postBytes(path, body, { "x-request-id": "one" }),
          postBytes(path, {}, { "x-request-id": "two" }),
        ]),
      )
      const text = yield* within(
        "both answers",
        connection.until((soFar) => /x-request-id: two[\s\S]*\}\}$/i.test(soFar)),
      )
      expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 400"])
      expect(text.match(/x-request-id: \S+/gi)).toEqual(["x-request-id: one", "x-request-id: two"])
    }),
  )
})

describe("A request that is never finished", () => {
  it.scopedLive("holds up nobody while its client is silent, and is let go with it", () =>
    Effect.gen(function* () {
      const { gateway, port, stillServes, upstream } = yield* stack()
      const silent = yield* Effect.all(
        Array.from({ length: 20 }, () =>
          Effect.tap(rawConnection(port), (connection) =>
            connection.send(head("POST", path, { "content-length": "100" })),
          ),
        ),
      )
      yield* stillServes
      expect(upstream.requests.length).toBe(1)
      for (const { received, socket } of silent) {
        expect(received().length).toBe(0)
        socket.destroy()
      }
      const records = yield* within("the audit records", gateway.awaitRecords(21))
      const unfinished = records.filter(({ outcome }) => outcome !== "ok")
      expect(unfinished.length).toBe(20)
      for (const { attempts, outcome } of unfinished) {
        expect(attempts).toEqual([])
        expect(["client_closed", "rejected"]).toContain(outcome)
      }
      yield* stillServes
    }),
  )

  it.scopedLive(
    "because its client stopped sending half-way, is answered 400 or closed, and reaches no upstream",
    () =>
      Effect.gen(function* () {
        const { gateway, port, stillServes, upstream } = yield* stack()
        const whole = postBytes(path, body)
        for (const sent of [whole.subarray(0, 20), whole.subarray(0, whole.length - 5)]) {
          const connection = yield* rawConnection(port)
          yield* connection.send(sent)
          connection.socket.end()
          yield* within("the close", connection.closed)
          const status = parseAnswer(connection.received().toString("latin1"))?.status
          expect([undefined, 400]).toContain(status)
        }
        // The first never became a request; the second did.
        yield* within("the audit record", gateway.awaitRecords(1))
        expect(upstream.requests).toEqual([])
        yield* stillServes
      }),
  )
})
