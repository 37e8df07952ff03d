/** The faults a caller can have, as data: what it does over its socket, what it gets, and what the audit says of it (§4, §6, §9, §10). */
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { head, parseAnswer, postBytes, type RawConnection, rawConnection } from "../support/RawHttp.ts"

/** The models of the run, by what their upstream does, which has the same name. */
export const models = {
  answers: "answers",
  saysNothing: "says-nothing",
  isWaitedFor: "is-waited-for",
  streamsOn: "streams-on",
  stopsInHalf: "stops-in-half",
} as const

export type Model = (typeof models)[keyof typeof models]

export type Got =
  | {
      readonly kind: "answer"
      readonly status: number
      readonly code: string | null
      readonly param: string | null
    }
  /** The connection was closed, and nothing said. */
  | { readonly kind: "closed" }
  /** It left by itself. */
  | { readonly kind: "left" }

export interface CallerSeen {
  readonly seen: Got
  /** The outcome of its row; `undefined` where there is none. */
  readonly audited: string | undefined
}

export interface CallerFault {
  /** As the documentation names it. */
  readonly words: string
  /** What it does until it has what it wanted, or leaves; the id is to be sent as `x-request-id` wherever that is possible. */
  readonly act: (connection: RawConnection, id: string) => Effect.Effect<void>
  readonly expected: CallerSeen
  /** It is to be found too slow, which no other is, however slow the machine. */
  readonly isSlow?: true
}

/** The limit on bodies in the run's configuration. */
export const maxBodyBytes = 64 * 1024

const path = "/v1/chat/completions"
const messages = [{ role: "user", content: "Hello?" }]
const asking = (model: string, stream = false) => ({ model, stream, messages })

const sends =
  (bytes: (id: string) => string | Buffer): CallerFault["act"] =>
  (connection, id) =>
    Effect.zipRight(
      connection.send(bytes(id)),
      Effect.asVoid(connection.until((text) => parseAnswer(text)?.whole === true)),
    )

const posting = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  sends((id) => postBytes(path, body, { "x-request-id": id, ...headers }))

const answer = (
  status: number,
  code: string | null,
  param: string | null,
  audited: string | undefined,
): CallerSeen => ({ seen: { kind: "answer", status, code, param }, audited })

const rejected = (status: number, code: string | null = null, param: string | null = null) =>
  answer(status, code, param, "rejected")

const unreached = (status: number, code: string | null = null) => answer(status, code, null, undefined)

/** Sends, waits until the answer has come so far, and cuts the connection. */
const leaves =
  (
    bytes: (id: string) => string | Buffer,
    enough: (text: string) => boolean,
    upstreamHeard: Effect.Effect<void> = Effect.void,
  ): CallerFault["act"] =>
  (connection, id) =>
    Effect.gen(function* () {
      yield* connection.send(bytes(id))
      yield* connection.until(enough)
      yield* upstreamHeard
      connection.socket.resetAndDestroy()
    })

const left: CallerSeen = { seen: { kind: "left" }, audited: "client_closed" }

const framed = (id: string, ...lines: ReadonlyArray<string>): string =>
  [
    `POST ${path} HTTP/1.1`,
    "host: a",
    `x-request-id: ${id}`,
    "content-type: application/json",
    ...lines,
    "\r\n",
  ].join("\r\n")

const packing = (encoding: string, body: Buffer): CallerFault["act"] =>
  sends((id) =>
    Buffer.concat([
      Buffer.from(framed(id, `content-length: ${body.length}`, `content-encoding: ${encoding}`)),
      body,
    ]),
  )

/** Of callers that are heard of by the upstream named; `heard` waits until its call is there. */
export const callerFaults = (heard: (model: Model) => Effect.Effect<void>): ReadonlyArray<CallerFault> => [
  {
    words: "sends something else than HTTP/1.1",
    act: sends(() => "SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    expected: unreached(400),
  },
  {
    words: "speaks HTTP/2",
    act: sends(() => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    expected: unreached(400),
  },
  {
    words: "speaks HTTP/0.9",
    act: sends(() => "GET /v1/models\r\n\r\n"),
    expected: unreached(400),
  },
  {
    words: "says HTTP/2.0 in a request line of HTTP/1.1",
    act: sends(() => "GET /v1/models HTTP/2.0\r\nhost: a\r\n\r\n"),
    expected: unreached(505),
  },
  {
    words: "names two hosts",
    act: sends(() => head("GET", "/v1/models", { Host: "another" })),
    expected: unreached(400),
  },
  {
    words: "speaks TLS to the plain port",
    act: sends(() => Buffer.from("16030100a5010000a10303", "hex")),
    expected: unreached(400),
  },
  {
    words: "sends more than 16 KiB of headers",
    act: sends(() => head("GET", "/v1/models", { "x-long": "x".repeat(20_000) })),
    expected: unreached(431),
  },
  {
    words: "says two lengths of its body",
    act: sends((id) => framed(id, "content-length: 2", "content-length: 3").concat("{}}")),
    expected: unreached(400),
  },
  {
    words: "says a length and sends chunks, as smugglers do",
    act: sends((id) => framed(id, "content-length: 2", "transfer-encoding: chunked").concat("0\r\n\r\n")),
    expected: unreached(400),
  },
  {
    words: "sends chunks that are none",
    act: sends((id) => framed(id, "transfer-encoding: chunked").concat("zz\r\n{}\r\n")),
    expected: answer(400, null, null, "client_closed"),
  },
  {
    words: "asks for WebSocket at an endpoint",
    act: sends((id) =>
      head("GET", path, {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
        "x-request-id": id,
      }),
    ),
    expected: unreached(405, "method_not_allowed"),
  },
  {
    words: "offers an upgrade along with a request: it is passed over (RFC 9110 §7.8)",
    act: posting(asking(models.answers), {
      connection: "Upgrade, HTTP2-Settings",
      upgrade: "h2c",
      "http2-settings": "",
    }),
    expected: answer(200, null, null, "ok"),
  },
  {
    words: "waits to be told to continue: it is",
    act: (connection, id) =>
      Effect.gen(function* () {
        const body = JSON.stringify(asking(models.answers))
        yield* connection.send(framed(id, `content-length: ${body.length}`, "expect: 100-continue"))
        yield* connection.until((text) => text.includes("100 Continue"))
        yield* connection.send(body)
        yield* connection.until(
          (text) => parseAnswer(text.slice(text.indexOf("\r\n\r\n") + 4))?.whole === true,
        )
      }),
    expected: answer(200, null, null, "ok"),
  },
  {
    words: "expects something else",
    act: posting(asking(models.answers), { expect: "the-impossible" }),
    expected: answer(417, null, "expect", undefined),
  },
  {
    words: "asks at a path where nothing is",
    act: sends((id) => head("GET", "/v2/nothing", { "x-request-id": id })),
    expected: unreached(404, "unknown_url"),
  },
  {
    words: "sends a body that is not JSON",
    act: posting("{"),
    expected: rejected(400),
  },
  {
    words: "sends a body without a model, or without messages",
    act: posting({ model: models.answers }),
    expected: rejected(400, null, "messages"),
  },
  {
    words: "asks for a model that nobody serves",
    act: posting(asking("no-such-model")),
    expected: rejected(404, "model_not_found", "model"),
  },
  {
    words: "says a deadline that is none",
    act: posting(asking(models.answers), { "x-request-timeout-ms": "soon" }),
    expected: rejected(400, null, "x-request-timeout-ms"),
  },
  {
    words: "sets a deadline too short for the upstream",
    act: posting(asking(models.saysNothing), { "x-request-timeout-ms": "200" }),
    expected: answer(504, "deadline_exceeded", null, "upstream_error"),
  },
  {
    words: "says that its body is too large",
    act: sends((id) => framed(id, `content-length: ${maxBodyBytes + 1}`)),
    expected: rejected(413, "request_too_large"),
  },
  {
    words: "sends too large a body in chunks",
    act: sends((id) => framed(id, "transfer-encoding: chunked").concat("20000\r\n", "x".repeat(0x20000))),
    expected: rejected(413, "request_too_large"),
  },
  {
    words: "sends nothing of its body for `receive_ms`, or less than 1,024 bytes a second",
    act: sends((id) => framed(id, "content-length: 1000").concat('{"model":')),
    expected: rejected(408, "request_too_slow"),
    isSlow: true,
  },
  {
    words: "has a deadline that ends before its body does",
    act: sends((id) => framed(id, "content-length: 1000", "x-request-timeout-ms: 100")),
    expected: answer(504, "deadline_exceeded", null, "upstream_error"),
  },
  {
    words: "packs its body (`gzip`, `deflate`, `br`): it is unpacked",
    act: packing("gzip", gzipSync(JSON.stringify(asking(models.answers)))),
    expected: answer(200, null, null, "ok"),
  },
  {
    words: "packs its body in a way that is not known",
    act: packing("x-own", Buffer.from("...")),
    expected: rejected(415, "unsupported_encoding"),
  },
  {
    words: "says that its body is packed, and it is not, or only half is there",
    act: packing("gzip", gzipSync(JSON.stringify(asking(models.answers))).subarray(0, 40)),
    expected: rejected(400),
  },
  {
    words: "packs a body that is too large unpacked",
    act: packing("gzip", gzipSync(Buffer.alloc(100 * maxBodyBytes))),
    expected: rejected(413, "request_too_large"),
  },
  {
    words: "closes its connection inside its body",
    act: (connection, id) =>
      Effect.gen(function* () {
        // That it is to continue shows that its head was read; what a reset overtakes would not be.
        yield* connection.send(framed(id, "content-length: 100", "expect: 100-continue"))
        yield* connection.until((text) => text.includes("100 Continue"))
        yield* connection.send('{"model":')
        connection.socket.resetAndDestroy()
      }),
    expected: left,
  },
  {
    words: "leaves before the answer",
    act: leaves(
      (id) => postBytes(path, asking(models.isWaitedFor), { "x-request-id": id }),
      () => true,
      heard(models.isWaitedFor),
    ),
    expected: left,
  },
  {
    words: "leaves inside a stream",
    act: leaves(
      (id) => postBytes(path, asking(models.streamsOn, true), { "x-request-id": id }),
      (text) => text.includes("data: "),
    ),
    expected: left,
  },
  {
    words: "leaves while its plain answer is still on its way from the upstream",
    act: leaves(
      (id) => postBytes(path, asking(models.stopsInHalf), { "x-request-id": id }),
      () => true,
      heard(models.stopsInHalf),
    ),
    expected: left,
  },
]

const member = (value: unknown, name: string): unknown => Object(value)[name]
const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null)

/** The last answer among the bytes: what comes before it is only information. */
const finalAnswer = (text: string) => {
  const first = parseAnswer(text)
  return first !== undefined && first.status < 200
    ? parseAnswer(text.slice(text.indexOf("\r\n\r\n") + 4))
    : first
}

/** Plays the caller on a connection of its own. */
export const play = (port: number, fault: CallerFault, id: string): Effect.Effect<Got, never, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* rawConnection(port)
    yield* fault.act(connection, id)
    if (connection.socket.destroyed) return { kind: "left" } as const
    return Option.match(Option.fromNullable(finalAnswer(connection.received().toString("latin1"))), {
      onNone: (): Got => ({ kind: "closed" }),
      onSome: ({ body, status }): Got => {
        let parsed: unknown
        try {
          parsed = JSON.parse(body.toString("utf8"))
        } catch {
          parsed = undefined
        }
        const error = member(parsed, "error")
        return {
          kind: "answer",
          status,
          code: textOrNull(member(error, "code")),
          param: textOrNull(member(error, "param")),
        }
      },
    })
  })
