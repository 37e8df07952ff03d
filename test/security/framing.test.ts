/**
 * How requests are framed on the wire (RFC 9112): where two readers could see two different requests in the same bytes, the gateway sees none. Each
 * case is bytes as they are sent, the answers to them, what the upstream was asked, and whether the connection goes on.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { rawConnection } from "../support/RawHttp.ts"
import { chat, models, scriptedUpstream } from "../support/ScriptedUpstream.ts"

interface Case {
  readonly words: string
  readonly bytes: string
  /** The statuses, in their order. */
  readonly answers: ReadonlyArray<number>
  /** How often the upstream is asked. */
  readonly asked: number
  /** Whether a request that follows on the connection is answered as itself. */
  readonly goesOn: boolean
}

const path = "/v1/chat/completions"
const body = JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] })
const size = body.length

const head = (lines: ReadonlyArray<string>, line = `POST ${path} HTTP/1.1`): string =>
  [line, "host: a", "content-type: application/json", ...lines, "", ""].join("\r\n")
const chunk = (text: string, size = text.length.toString(16)): string => `${size}\r\n${text}\r\n`
const chunks = `${chunk(body)}0\r\n\r\n`
const chunked = "transfer-encoding: chunked"

/** What a smuggler would have the upstream, or the next caller, be asked. */
const smuggled = `POST ${path} HTTP/1.1\r\nhost: a\r\nx-request-id: smuggled\r\ncontent-length: ${size}\r\n\r\n${body}`

/** No request at all: 400, nobody asked, and nothing more is read of the connection. */
const refused = (words: string, bytes: string): Case => ({
  words,
  bytes,
  answers: [400],
  asked: 0,
  goesOn: false,
})
/** A request like any other. */
const served = (words: string, bytes: string): Case => ({
  words,
  bytes,
  answers: [200],
  asked: 1,
  goesOn: true,
})
/** A request that is understood, and not served. */
const declined = (words: string, bytes: string, status: number, goesOn = true): Case => ({
  words,
  bytes,
  answers: [status],
  asked: 0,
  goesOn,
})

const length = (value: string, rest = body): string => head([`content-length: ${value}`]) + rest
const coding = (value: string, rest = chunks): string => head([`transfer-encoding: ${value}`]) + rest
const inChunks = (rest: string): string => head([chunked]) + rest

const lengths: ReadonlyArray<Case> = [
  refused("a length, then chunks", head([`content-length: ${size}`, chunked]) + chunks + smuggled),
  refused("chunks, then a length", head([chunked, `content-length: ${size}`]) + chunks + smuggled),
  refused("two lengths", head([`content-length: ${size}`, "content-length: 0"]) + body),
  refused("the same length twice", head([`content-length: ${size}`, `content-length: ${size}`]) + body),
  refused("a list of lengths", length(`${size}, ${size}`)),
  refused("a length with a sign", length(`+${size}`)),
  refused("a length below none", length("-1")),
  refused("a length in hex", length(`0x${size.toString(16)}`)),
  refused("a length with a blank in it", length("1 0")),
  refused("a length with a parameter", length(`${size};q=1`)),
  refused("a length with a fraction", length(`${size}.0`)),
  refused("a length of nothing", length("")),
  refused("a length in words", length("many")),
  refused("a length of 2^64", length("18446744073709551616")),
  refused("a length that is right after 2^64 wraps round", length(String(2n ** 64n + BigInt(size)))),
  declined("a length of 2^63", length("9223372036854775807"), 413, false),
  served("a length with zeros before it", length(`000${size}`)),
  {
    words: "a length of 0 before a body: what follows is a request of its own, or none",
    bytes: length("0", smuggled),
    answers: [400, 200],
    asked: 1,
    goesOn: true,
  },
]

const names: ReadonlyArray<Case> = [
  refused("a length folded over two lines", head([`content-length:\r\n ${size}`]) + body),
  refused("a header folded over two lines", head(["x-a: b\r\n\tc", `content-length: ${size}`]) + body),
  refused("a space before the colon of a length", head([`content-length : ${size}`]) + body),
  refused("a tab before the colon of a length", head([`content-length\t: ${size}`]) + body),
  refused("a space before the colon of chunks", head(["transfer-encoding : chunked"]) + chunks),
  refused("a space before a name", head([` content-length: ${size}`]) + body),
  refused("a line without a colon", head(["content-length", `content-length: ${size}`]) + body),
  refused("a name of nothing", head([": x", `content-length: ${size}`]) + body),
  refused("NUL in a name", head(["transfer\0encoding: chunked", `content-length: ${size}`]) + body),
  refused("NUL in a value", head(["x-a: b\0c", `content-length: ${size}`]) + body),
  refused("CR in a value", head(["x-a: b\rcontent-length: 0", `content-length: ${size}`]) + body),
  refused("CR behind a value", head(["x-a: b\r", `content-length: ${size}`]) + body),
  served(
    "a name that only looks like another's",
    head(["transfer_encoding: chunked", `content-length: ${size}`]) + body,
  ),
]

const codings: ReadonlyArray<Case> = [
  refused("a coding that ends in chunked", coding("xchunked")),
  refused("identity", coding("identity", body)),
  refused("chunked, then identity", coding("chunked, identity")),
  refused("chunked twice", coding("chunked, chunked")),
  refused("VT before chunked", coding("\x0bchunked")),
  refused("VT behind chunked", coding("chunked\x0b")),
  refused("chunked in quotes", coding('"chunked"')),
  refused("chunked with a parameter", coding("chunked;q=1")),
  refused("a coding of nothing", coding("", "")),
  refused("a list of no codings", coding(",")),
  refused(
    "a coding of nothing beside a length",
    head(["transfer-encoding:", `content-length: ${size}`]) + body,
  ),
  refused("two lines of codings", head([chunked, "transfer-encoding: identity"]) + chunks),
  // RFC 9112 §6.1: served or not, its connection is closed behind it.
  {
    ...served("chunks in HTTP/1.0", head([chunked], `POST ${path} HTTP/1.0`) + chunks),
    goesOn: false,
  },
  served("CHUNKED", coding("CHUNKED")),
]

const chunkings: ReadonlyArray<Case> = [
  refused("a chunk's size with a sign", inChunks(chunk(body, `+${size.toString(16)}`))),
  refused("a chunk's size below none", inChunks(chunk(body, "-1"))),
  refused("a chunk's size in 0x", inChunks(chunk(body, `0x${size.toString(16)}`))),
  refused("a chunk's size behind a blank", inChunks(chunk(body, ` ${size.toString(16)}`))),
  refused("a chunk's size before a blank", inChunks(chunk(body, `${size.toString(16)} `))),
  refused("a chunk of no size", inChunks(chunk(body, ""))),
  refused("a chunk's size that is none", inChunks(chunk(body, "zz"))),
  refused("a chunk's size beyond 2^64", inChunks(chunk(body, `1${size.toString(16).padStart(16, "0")}`))),
  refused("a chunk longer than it says", inChunks(chunk(`${body}x`, size.toString(16)))),
  refused("a chunk's size ended by LF alone", inChunks(`${size.toString(16)}\n${body}\r\n0\r\n\r\n`)),
  refused("a chunk ended by LF alone", inChunks(`${size.toString(16)}\r\n${body}\n0\r\n\r\n`)),
  refused("a chunk's size ended by CR alone", inChunks(`${size.toString(16)}\r${body}\r\n0\r\n\r\n`)),
  refused(
    "a chunk's extension of 64 KB",
    inChunks(chunk(body, `${size.toString(16)};${"x".repeat(65_536)}`)),
  ),
  served(
    "small extensions of many chunks",
    inChunks(`${[...body].map((one) => chunk(one, `1;${"x".repeat(1_000)}`)).join("")}0\r\n\r\n`),
  ),
  refused("LF in a chunk's extension", inChunks(`${size.toString(16)};a\n${body}\r\n0\r\n\r\n`)),
  served("a chunk's extension", inChunks(`${chunk(body, `${size.toString(16)};a=b`)}0\r\n\r\n`)),
  served("a last chunk of many zeros", inChunks(`${chunk(body)}000\r\n\r\n`)),
  served(
    "trailers, which count for nothing",
    inChunks(`${chunk(body)}0\r\nhost: b\r\nx-request-id: smuggled\r\n\r\n`),
  ),
  refused(
    "trailers that say how a body is framed",
    inChunks(`${chunk(body)}0\r\ncontent-length: 5\r\n\r\n${smuggled}`),
  ),
  refused("trailers that are no headers", inChunks(`${chunk(body)}0\r\nno trailer\r\n\r\n`)),
]

const lines: ReadonlyArray<Case> = [
  refused("lines ended by LF alone", (head([`content-length: ${size}`]) + body).replaceAll("\r\n", "\n")),
  refused("lines ended by CR alone", (head([`content-length: ${size}`]) + body).replaceAll("\r\n", "\r")),
  refused("headers ended by CRLF CR X (CVE-2025-23167)", `POST ${path} HTTP/1.1\r\nhost: a\r\n\rX${body}`),
  refused("a method in small letters", head([`content-length: ${size}`], `post ${path} HTTP/1.1`) + body),
  refused("a method that is none", head([`content-length: ${size}`], `P0ST ${path} HTTP/1.1`) + body),
  refused("NUL in the path", head([`content-length: ${size}`], `POST ${path}\0 HTTP/1.1`) + body),
  refused("a tab for a blank", head([`content-length: ${size}`], `POST\t${path} HTTP/1.1`) + body),
  refused("a path with a blank", head([`content-length: ${size}`], `POST ${path} x HTTP/1.1`) + body),
  refused("no path", head([`content-length: ${size}`], "POST HTTP/1.1") + body),
  refused("HTTP/1.2, HTTPS/1.1, HTTP/1", head([`content-length: ${size}`], `POST ${path} HTTPS/1.1`) + body),
  refused("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refused("a hello of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  refused("SSH", "SSH-2.0-OpenSSH_9.6\r\n"),
  served("an empty line before the request", `\r\n${head([`content-length: ${size}`])}${body}`),
]

const methods: ReadonlyArray<Case> = [
  {
    words: "CONNECT, which is not answered with a word",
    bytes: "CONNECT internal.example:443 HTTP/1.1\r\nhost: internal.example:443\r\n\r\n",
    answers: [],
    asked: 0,
    goesOn: false,
  },
  declined("TRACE", head([], "TRACE /v1/models HTTP/1.1"), 405),
  declined(
    "an upgrade to WebSocket",
    head(["connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13"], `GET ${path} HTTP/1.1`),
    405,
  ),
  served(
    "an offer of h2c beside a request",
    head([
      "connection: Upgrade, HTTP2-Settings",
      "upgrade: h2c",
      "http2-settings: AAA",
      `content-length: ${size}`,
    ]) + body,
  ),
  declined(
    "GET with a body, which is a request for whoever does not read it",
    head([`content-length: ${smuggled.length}`], "GET /v1/models HTTP/1.1") + smuggled,
    200,
  ),
  declined("GET with chunks", `${head([chunked], "GET /livez HTTP/1.1")}${chunk(smuggled)}0\r\n\r\n`, 200),
  declined(
    "OPTIONS with a body",
    head([`content-length: ${smuggled.length}`], `OPTIONS ${path} HTTP/1.1`) + smuggled,
    204,
  ),
  { words: "two requests at once", bytes: smuggled + smuggled, answers: [200, 200], asked: 2, goesOn: true },
  {
    words: "forty at once",
    bytes: smuggled.repeat(40),
    answers: Array.from({ length: 40 }, () => 200),
    asked: 40,
    goesOn: true,
  },
]

/** Noise behind requests: they are answered, each with its own answer, and the noise with the last one. */
const noise: ReadonlyArray<Case> = [
  {
    words: "none at all",
    bytes: `${smuggled}NONSENSE\r\n\r\n`,
    answers: [200, 400],
    asked: 1,
    goesOn: false,
  },
  {
    words: "behind three",
    bytes: `${smuggled.repeat(3)}\0`,
    answers: [200, 200, 200, 400],
    asked: 3,
    goesOn: false,
  },
  {
    words: "a body that breaks off into none",
    bytes: `${smuggled}${inChunks("zz\r\n")}`,
    answers: [200, 400],
    asked: 1,
    goesOn: false,
  },
  {
    words: "behind a request that says it is the last",
    bytes: `${head(["connection: close", `content-length: ${size}`])}${body}${smuggled}`,
    answers: [200],
    asked: 1,
    goesOn: false,
  },
  {
    words: "behind one of HTTP/1.0",
    bytes: `${head([`content-length: ${size}`], `POST ${path} HTTP/1.0`)}${body}${smuggled}`,
    answers: [200],
    asked: 1,
    goesOn: false,
  },
  {
    words: "behind a refused body that is still read",
    bytes: `${head(["content-length: 99999999999"])}x`.concat(smuggled),
    answers: [413],
    asked: 0,
    goesOn: false,
  },
]

const probe = "GET /livez HTTP/1.1\r\nhost: a\r\nx-request-id: afterwards\r\nconnection: close\r\n\r\n"

const statusesIn = (text: string): ReadonlyArray<number> =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code))

describe("A request whose bytes two readers could read differently is read in one way, or not at all:", () => {
  it.scopedLive.each([
    ["lengths", lengths],
    ["names of headers", names],
    ["codings", codings],
    ["chunks", chunkings],
    ["lines", lines],
    ["methods, and what follows", methods],
    ["noise behind a request", noise],
  ] as const)("%s", ([, cases]) =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(({ method }) =>
        method === "GET" ? models(["gpt-4o"]) : chat("Hello."),
      )
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const asked = () => upstream.requests.filter(({ method }) => method === "POST").length
      const seen = (one: Case) =>
        Effect.gen(function* () {
          const before = asked()
          const connection = yield* rawConnection(port)
          yield* connection.send(Buffer.from(one.bytes, "latin1"))
          yield* within(
            one.words,
            connection.until((text) => statusesIn(text).length >= one.answers.length),
          )
          yield* connection.send(probe)
          yield* within(`${one.words}: the end`, connection.closed)
          const text = connection.received().toString("latin1")
          const goesOn = text.includes("x-request-id: afterwards")
          const answers = statusesIn(text)
          return {
            ...one,
            answers: goesOn ? answers.slice(0, -1) : answers,
            asked: asked() - before,
            goesOn,
          }
        }).pipe(Effect.scoped)
      expect(yield* Effect.forEach(cases, seen)).toEqual(cases)
      for (const { bytes, method } of upstream.requests) {
        expect(String(bytes)).toBe(method === "POST" ? body : "")
      }
    }),
  )
})
