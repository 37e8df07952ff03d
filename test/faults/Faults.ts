/**
 * The faults an upstream can have, as data: what it does, and what by the contract (§4, §6, §8) comes of it. Nothing here is taken from a run;
 * where the contract is silent, a comment says what decides.
 */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { scriptedProxy } from "../support/ScriptedProxy.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import {
  chatChunks,
  chatCompletion,
  chunk,
  finishChunk,
  openAiError,
  textChunk,
  textCompletion,
} from "../support/Wire.ts"
import { type AttemptEnd, type Expectation, type LastError, ownText } from "./Expectation.ts"
import * as Tls from "./Tls.ts"

/** Where an upstream is, and what it has to complain of when all is over, if anything. */
export interface Place {
  /** With `/v1`. */
  readonly url: string
  readonly complaint: () => string | undefined
  /** Settings of its entry that are known only now. */
  readonly entry?: Readonly<Record<string, unknown>>
}

/** How an upstream comes to be; each case has one of its own. */
export type MakePlace = Effect.Effect<Place, never, Scope.Scope>

/** What an upstream does when it is asked for a plain answer, or for a stream, and what comes of it. */
export interface Side {
  readonly place: MakePlace
  readonly expected: Expectation
}

export interface Fault {
  /** In a few words, different from all others. */
  readonly name: string
  readonly plain: Side | undefined
  readonly stream: Side | undefined
  /** Settings of the upstream's entry, beside its URL, key and match. */
  readonly entry?: Readonly<Record<string, unknown>>
  /** Its beginning is to come before its time is over, so that it is asked before all others. */
  readonly isEndless?: true
  /** It moves many bytes, so that it is asked by itself, and not in all companies. */
  readonly isCostly?: true
  /** Its gateway is a process that trusts the authority of `test/fixtures/tls`, and whose audit is not looked into. */
  readonly trustsAuthority?: true
}

/** Faults that come to the same. */
export interface Row {
  /** As the documentation names them. */
  readonly words: string
  readonly faults: ReadonlyArray<Fault>
  /** Answers of other operations do not come so. */
  readonly isOfChats?: true
}

export interface Section {
  readonly title: string
  /** It shows before a byte of the answer itself. */
  readonly isBeforeAnswer?: true
  readonly rows: ReadonlyArray<Row>
}

// What comes of it

const failed = (attempt: AttemptEnd, error: LastError): Expectation => ({ kind: "failed", attempt, error })

const unreachable = (cause: RegExp): Expectation =>
  failed({ cause }, { status: 502, code: "upstream_unreachable" })

const cannotConnect = (reason: RegExp): Expectation =>
  unreachable(new RegExp(`^could not connect \\(${reason.source}\\)$`))

const breaksOff = unreachable(/^broke off \(.+\)$/)

/** It answered, and with nothing of use. Contract §6 knows no such word: to another upstream it is the same as a broken answer. */
const unusable = unreachable(/./)

const timesOut = (phase: "connect" | "first_byte" | "answer" | "idle" | "total"): Expectation =>
  failed(
    { cause: new RegExp(`^timed out \\(${phase} after \\d+ ms\\)$`) },
    { status: 504, code: "upstream_timeout" },
  )

const whole: Expectation = { kind: "whole", status: 200 }

const passed = (body: string | Buffer, status = 200): Expectation => ({
  kind: "passed",
  status,
  body: Buffer.from(body),
})

const breaks = (text: string, code: string | null = "upstream_stream_broken"): Expectation => ({
  kind: "broken",
  text,
  code,
})

// How upstreams come to be

const content = { complaint: () => undefined }

/** Answers as the script says, and is to be asked just once. */
const answering = (answer: Scripted.Answer, certificate?: Scripted.Certificate): MakePlace =>
  Effect.map(Scripted.scriptedUpstream(answer, certificate), ({ requests, url }) => ({
    url,
    complaint: () => (requests.length > 1 ? `was asked ${requests.length} times` : undefined),
  }))

/** Beside the 64 MiB that are read of an answer at most there are the buffers of two sockets. */
const mostTaken = 100 * 1024 * 1024

const pouring = (beginning: string, piece: string): MakePlace =>
  Effect.suspend(() => {
    const pour = Scripted.pour(beginning, Buffer.from(piece.repeat(65_536 / piece.length)), 4 * 1024 ** 3)
    return Effect.map(answering(pour.answer), ({ complaint, url }) => ({
      url,
      complaint: () =>
        pour.sentBytes() > mostTaken ? `${pour.sentBytes()} of its bytes were taken` : complaint(),
    }))
  })

/** Redirects to another host, which must not be asked anything: it would be sent the key. */
const redirecting = (code: number, body: string): MakePlace =>
  Effect.gen(function* () {
    const target = yield* Scripted.scriptedUpstream(Scripted.chat("from the target of a redirect"))
    const { complaint, url } = yield* answering(
      Scripted.status(code, body, {
        location: `${target.url}/chat/completions`,
        "content-type": "text/html",
      }),
    )
    return {
      url,
      complaint: () =>
        target.requests.length + target.openConnections() > 0 ? "its redirect was followed" : complaint(),
    }
  })

const at = (protocol: "http" | "https", port: Effect.Effect<number, never, Scope.Scope>): MakePlace =>
  Effect.map(port, (number) => ({ ...content, url: `${protocol}://127.0.0.1:${number}/v1` }))

/** The same whatever is asked for. */
const both = (name: string, place: MakePlace, expected: Expectation): Fault => ({
  name,
  plain: { place, expected },
  stream: { place, expected },
})

const inPlain = (name: string, answer: Scripted.Answer, expected: Expectation): Fault => ({
  name,
  plain: { place: answering(answer), expected },
  stream: undefined,
})

const inStream = (name: string, answer: Scripted.Answer, expected: Expectation): Fault => ({
  name,
  plain: undefined,
  stream: { place: answering(answer), expected },
})

const row = (words: string, ...faults: ReadonlyArray<Fault>): Row => ({ words, faults })

/** Events in place of an object, which only chats and completions have. */
const rowOfChats = (words: string, ...faults: ReadonlyArray<Fault>): Row => ({
  words,
  faults,
  isOfChats: true,
})

// What goes over the wire

const answerJson = JSON.stringify(chatCompletion(ownText))
const half = answerJson.slice(0, -40)
const deltas = ["Hello ", "there."]
const events = chatChunks(deltas)
const begun = [chunk({ role: "assistant", content: "" }), textChunk("Hello "), textChunk("the")]
const begunText = "Hello the"

const eventBytes = (some: ReadonlyArray<unknown>, done = false): string =>
  Scripted.eventStream(some, { done }).toString()

const wholeStream = eventBytes(events, true)
const begunStream = eventBytes(begun)

const headOf = (...lines: ReadonlyArray<string>): string => ["HTTP/1.1 200 OK", ...lines, "\r\n"].join("\r\n")

const jsonType = "content-type: application/json"
const streamType = "content-type: text/event-stream"
const chunkedFraming = "transfer-encoding: chunked"
const lengthOf = (body: string | Buffer): string => `content-length: ${Buffer.byteLength(body)}`
const piece = (bytes: string): string => `${Buffer.byteLength(bytes).toString(16)}\r\n${bytes}\r\n`
const lastPiece = "0\r\n\r\n"

const plainWire = `${headOf(jsonType, lengthOf(answerJson))}${answerJson}`
const streamHead = headOf(streamType, chunkedFraming)
const streamWire = `${streamHead}${piece(wholeStream)}${lastPiece}`
/** A stream that has begun, its framing still open. */
const begunWire = `${streamHead}${piece(begunStream)}`

/** The right answer with something before it. */
const preceded = (name: string, before: string, expected: Expectation): Fault => ({
  name,
  plain: { place: answering(Scripted.raw(before + plainWire, "silence")), expected },
  stream: { place: answering(Scripted.raw(before + streamWire, "silence")), expected },
})

const everywhere = (
  name: string,
  bytes: string | Buffer,
  ending: Scripted.Ending,
  expected: Expectation,
): Fault => both(name, answering(Scripted.raw(bytes, ending)), expected)

/** Nothing that is waited for comes. */
const late = (name: string, answer: Scripted.Answer): Fault => ({
  name,
  plain: { place: answering(answer), expected: timesOut("answer") },
  stream: { place: answering(answer), expected: timesOut("first_byte") },
})

const withEntry = (fault: Fault, entry: Readonly<Record<string, unknown>>): Fault => ({ ...fault, entry })

/** For what never comes, so that no speed of the machine decides: whatever else could end the call takes far longer. */
const shortMs = 200
const connectSoon = { timeouts: { connect_ms: shortMs } }
const beginSoon = { timeouts: { first_byte_ms: shortMs, answer_ms: shortMs } }
const keepGoing = { timeouts: { idle_ms: shortMs } }
const endSoon = { timeouts: { total_ms: shortMs } }

/** For what is to begin first: long enough on a busy machine, and no longer than all others take together. */
const laterMs = 10_000

/** What has no end once it has begun. */
const endless = (
  fault: Fault,
  timeouts: Readonly<Record<string, number>> = { total_ms: laterMs },
): Fault => ({
  ...fault,
  entry: { timeouts },
  isEndless: true,
})

const proxyAt = (port: number): string => `http://127.0.0.1:${port}`

/** An upstream that only a proxy would reach. */
const behind = (proxy: Effect.Effect<string, never, Scope.Scope>): MakePlace =>
  Effect.map(proxy, (proxy_url) => ({ ...content, url: "https://far.invalid/v1", entry: { proxy_url } }))

const refusingProxy = (status: string): MakePlace =>
  behind(
    Effect.map(scriptedProxy({ connectAnswer: `HTTP/1.1 ${status}\r\n\r\n` }), ({ port }) => proxyAt(port)),
  )

const proxyFails = (reason: RegExp): Expectation =>
  unreachable(new RegExp(`^could not connect \\(the proxy .*${reason.source}`))

const withoutConnection: Section = {
  title: "No connection",
  isBeforeAnswer: true,
  rows: [
    row(
      "connection refused",
      both("connection refused", at("http", Scripted.closedPort), cannotConnect(/ECONNREFUSED/)),
    ),
    row(
      "unknown host",
      both(
        "unknown host",
        Effect.succeed({ ...content, url: "http://nonexistent.invalid/v1" }),
        cannotConnect(/ENOTFOUND: no host has that name|EAI_AGAIN: the host's name could not be looked up/),
      ),
    ),
    row(
      "no reply to the connection, or to the TLS handshake",
      withEntry(
        both("no reply to the connection", at("http", Scripted.fullPort), timesOut("connect")),
        connectSoon,
      ),
      withEntry(
        both("no reply to the TLS handshake", at("https", Scripted.silentPort), timesOut("connect")),
        connectSoon,
      ),
    ),
    row(
      "a certificate that is self-signed, expired, for another host, or of an unknown authority",
      both(
        "a self-signed certificate",
        answering(Scripted.chat(ownText), Tls.certificate("self-signed")),
        cannotConnect(/DEPTH_ZERO_SELF_SIGNED_CERT/),
      ),
      both(
        "a certificate of an unknown authority",
        answering(Scripted.chat(ownText), Tls.certificate("valid")),
        cannotConnect(/UNABLE_TO_VERIFY_LEAF_SIGNATURE/),
      ),
      {
        ...both(
          "an expired certificate",
          answering(Scripted.chat(ownText), Tls.certificate("expired")),
          cannotConnect(/CERT_HAS_EXPIRED/),
        ),
        trustsAuthority: true,
      },
      {
        ...both(
          "a certificate for another host",
          answering(Scripted.chat(ownText), Tls.certificate("wrong-host")),
          cannotConnect(/ERR_TLS_CERT_ALTNAME_INVALID/),
        ),
        trustsAuthority: true,
      },
    ),
    row("a certificate of an authority that `NODE_EXTRA_CA_CERTS` names", {
      ...both("a valid certificate", answering(Scripted.chat(ownText), Tls.certificate("valid")), whole),
      trustsAuthority: true,
    }),
    row(
      "an outgoing proxy that is down, refuses (407, 403), closes, or is none",
      both(
        "a proxy that is down",
        behind(Effect.map(Scripted.closedPort, proxyAt)),
        proxyFails(/ECONNREFUSED/),
      ),
      both("a proxy that asks who calls", refusingProxy("407 Who"), proxyFails(/answered 407/)),
      both("a proxy that forbids", refusingProxy("403 Forbidden"), proxyFails(/answered 403/)),
      both(
        "a proxy that closes",
        behind(Effect.map(scriptedProxy({ connectAnswer: "" }), ({ port }) => proxyAt(port))),
        proxyFails(/closed the connection/),
      ),
      both(
        "a proxy that is none",
        behind(
          Effect.map(scriptedProxy({ connectAnswer: "220 smtp.test\r\n\r\n" }), ({ port }) => proxyAt(port)),
        ),
        proxyFails(/does not answer in HTTP/),
      ),
    ),
    row(
      "plain HTTP where TLS is expected, TLS where plain HTTP is",
      both(
        "plain HTTP where TLS is expected",
        Effect.map(answering(Scripted.chat(ownText)), (place) => ({
          ...place,
          url: place.url.replace("http:", "https:"),
        })),
        unreachable(/./),
      ),
      both(
        "TLS where plain HTTP is expected",
        Effect.map(answering(Scripted.chat(ownText), Tls.certificate("valid")), (place) => ({
          ...place,
          url: place.url.replace("https:", "http:"),
        })),
        unreachable(/./),
      ),
    ),
  ],
}

const partOfHead = "HTTP/1.1 200 OK\r\ncontent-ty"

const withoutHead: Section = {
  title: "No answer, or none in HTTP",
  isBeforeAnswer: true,
  rows: [
    row(
      "connection reset or closed before the answer or inside its head",
      everywhere("reset before the head", "", "reset", breaksOff),
      everywhere("closed before the head", "", "end", breaksOff),
      everywhere("reset inside the head", partOfHead, "reset", breaksOff),
      everywhere("closed inside the head", partOfHead, "end", breaksOff),
    ),
    row(
      "silence before the answer or inside its head",
      withEntry(late("silence before the head", Scripted.hang()), beginSoon),
      withEntry(late("silence inside the head", Scripted.raw(partOfHead, "silence")), beginSoon),
      withEntry(
        late("103, then silence", Scripted.raw("HTTP/1.1 103 Early Hints\r\n\r\n", "silence")),
        beginSoon,
      ),
    ),
    row(
      "something else than HTTP/1.1: another protocol, HTTP/2, a body without a head",
      everywhere("another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "silence", breaksOff),
      everywhere(
        "HTTP/2",
        Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        "silence",
        breaksOff,
      ),
      everywhere("a body without a head", answerJson, "end", breaksOff),
    ),
    row(
      "a head that is wrong: its status line or a header malformed, 101, lengths that contradict each other",
      ...["HTTP/1.1 99 Early", "HTTP/1.1 1000 Late", "HTTP/1.1 OK", "HTTP/3.0 200 OK", "200 OK"].map((line) =>
        everywhere(
          `the status line ${line}`,
          `${line}\r\n${jsonType}\r\ncontent-length: 2\r\n\r\n{}`,
          "silence",
          breaksOff,
        ),
      ),
      ...["000", "099"].map((status) =>
        everywhere(
          `the status ${status}`,
          `HTTP/1.1 ${status} No\r\ncontent-length: 2\r\n\r\n{}`,
          "end",
          breaksOff,
        ),
      ),
      everywhere(
        "101 that nobody asked for",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        "silence",
        breaksOff,
      ),
      everywhere(
        "NUL in a header",
        `${headOf(jsonType, "x-odd: a\0b", lengthOf(answerJson))}${answerJson}`,
        "silence",
        breaksOff,
      ),
      everywhere(
        "a header without a colon",
        `${headOf(jsonType, "odd", lengthOf(answerJson))}${answerJson}`,
        "silence",
        breaksOff,
      ),
      everywhere(
        "two lengths",
        `${headOf(jsonType, lengthOf(answerJson), "content-length: 7")}${answerJson}`,
        "silence",
        breaksOff,
      ),
      everywhere(
        "a negative length",
        `${headOf(jsonType, "content-length: -1")}${answerJson}`,
        "silence",
        breaksOff,
      ),
      everywhere(
        "a length that is no number",
        `${headOf(jsonType, "content-length: all")}${answerJson}`,
        "silence",
        breaksOff,
      ),
      // RFC 9112 §6.3: what has both ought to be handled as an error, it may be an attempt at smuggling.
      everywhere(
        "a length and chunks",
        `${headOf(jsonType, chunkedFraming, "content-length: 7")}${piece(answerJson)}${lastPiece}`,
        "silence",
        breaksOff,
      ),
    ),
    row(
      "a head of 100 KB, in one header or in 10,000",
      everywhere(
        "a header of 100 KB",
        `${headOf(jsonType, `x-long: ${"x".repeat(100_000)}`, lengthOf(answerJson))}${answerJson}`,
        "silence",
        breaksOff,
      ),
      everywhere(
        "10,000 headers",
        `${headOf(jsonType, ...Array.from({ length: 10_000 }, (_, at) => `x-${at}: y`), lengthOf(answerJson))}${answerJson}`,
        "silence",
        breaksOff,
      ),
    ),
    row(
      // A client should pass over it (RFC 9110 §15.2.1); undici takes it for a fault where it did not ask for it, and nothing can be set.
      "100 before the answer, which nobody asked for",
      preceded("100 before the answer", "HTTP/1.1 100 Continue\r\n\r\n", breaksOff),
    ),
    row(
      "102 or 103 before the answer, or 500 of them",
      // RFC 9110 §15.2: a client must be able to take them, even if it does not expect one.
      preceded("102 before the answer", "HTTP/1.1 102 Processing\r\n\r\n", whole),
      preceded("103 before the answer", "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n", whole),
      preceded("500 times 102 before the answer", "HTTP/1.1 102 Processing\r\n\r\n".repeat(500), whole),
    ),
  ],
}

const errorOf = (status: number): string => JSON.stringify(openAiError(`scripted ${status}`))
const page = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Bad gateway</h1></body></html>"
const asPage = { "content-type": "text/html" }

/** What an upstream refuses with, in OpenAI's shape. */
const refusal = (message: string, code: string | null = null): string =>
  JSON.stringify(openAiError(message, { code }))

/** An error of an upstream that is worth another one: where nobody is left, as it came. */
const refusedAsItCame = (status: number, headers: Readonly<Record<string, string>> = {}): Fault =>
  both(
    `${status}${Object.entries(headers)
      .map(([name, value]) => `, ${name}: ${value}`)
      .join("")}`,
    answering(Scripted.status(status, errorOf(status), headers)),
    failed(
      { status },
      {
        status,
        body: Buffer.from(errorOf(status)),
        // Of a path the configuration is to blame, which says who is asked where.
        ...(status === 404 ? { isCallersFault: true as const } : {}),
        ...(headers["retry-after"] === undefined ? {} : { retryAfter: headers["retry-after"] }),
      },
    ),
  )

const refusedWithPage = (status: number): Fault =>
  both(
    `${status} with a page of HTML`,
    answering(Scripted.status(status, page, asPage)),
    failed(
      { status },
      { status, code: "upstream_refused", ...(status === 403 ? { isCallersFault: true as const } : {}) },
    ),
  )

/** How else an error may come. */
const disguises: ReadonlyArray<
  readonly [string, (error: string) => string | Buffer, Readonly<Record<string, string>>]
> = [
  ["in gzip", (error) => gzipSync(error), { "content-encoding": "gzip" }],
  ["in br", (error) => brotliCompressSync(error), { "content-encoding": "br" }],
  ["as an event", (error) => eventBytes([error], true), { "content-type": "text/event-stream" }],
  [
    "as an event that calls itself JSON, in gzip",
    (error) => gzipSync(`: wait\n\nevent: error\n${eventBytes([error])}`),
    { "content-encoding": "gzip" },
  ],
]

/** A refusal with these words, told as this error of the gateway's own. */
const refusedAs = (status: number, words: string, body: string, code: string): Fault =>
  both(
    `${status}${words}`,
    answering(Scripted.status(status, body)),
    failed({ status }, { status: 502, code }),
  )

/** A refusal that another upstream is asked for; where there is none, it goes to the caller as it came. */
const refusedElsewhere = (status: number, words: string, body: string, isCallersFault: boolean): Fault =>
  both(
    `${status}${words}`,
    answering(Scripted.status(status, body)),
    failed(
      { status },
      { status, body: Buffer.from(body), ...(isCallersFault ? { isCallersFault: true as const } : {}) },
    ),
  )

/** An error in another shape than OpenAI's, as the caller gets it. */
const reshaped = (name: string, body: unknown, type: string, code: string | null): Fault =>
  both(name, answering(Scripted.status(400, JSON.stringify(body))), {
    kind: "wrapped",
    status: 400,
    type,
    code,
  })

const ofRates = "Request too large on tokens per minute (TPM): Limit 6000, Requested 9000"

const statuses: Section = {
  title: "Statuses",
  isBeforeAnswer: true,
  rows: [
    row(
      "300–303, 305, 307, 308 to another host, and 304",
      ...[300, 301, 302, 303, 305, 307, 308].map((status) =>
        both(
          `${status}`,
          redirecting(status, page),
          failed({ status }, { status: 502, code: "upstream_refused" }),
        ),
      ),
      everywhere(
        "304",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "silence",
        failed({ status: 304 }, { status: 502, code: "upstream_refused" }),
      ),
    ),
    row(
      "400, 406, 409, 410, 411, 413–418, 421–424, 426, 428, 431, 451, 499",
      ...[
        400, 406, 409, 410, 411, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 426, 428, 431, 451, 499,
      ].map((status) =>
        both(
          `${status}`,
          answering(Scripted.status(status, errorOf(status))),
          passed(errorOf(status), status),
        ),
      ),
    ),
    row(
      "one of these with a page of HTML, or without a body",
      ...[400, 413].map(
        (status): Fault =>
          both(`${status} with a page of HTML`, answering(Scripted.status(status, page, asPage)), {
            kind: "wrapped",
            status,
          }),
      ),
      both("422 without a body", answering(Scripted.status(422, "")), { kind: "wrapped", status: 422 }),
    ),
    row(
      "400 that is packed, or comes as an event stream",
      ...disguises.map(([name, bytes, headers]) =>
        both(
          `400 ${name}`,
          answering(Scripted.status(400, bytes(errorOf(400)), headers)),
          passed(errorOf(400), 400),
        ),
      ),
    ),
    row(
      "500 that is packed, or comes as an event stream",
      ...disguises.map(([name, bytes, headers]) =>
        both(
          `500 ${name}`,
          answering(Scripted.status(500, bytes(errorOf(500)), headers)),
          failed({ status: 500 }, { status: 500, body: Buffer.from(errorOf(500)) }),
        ),
      ),
    ),
    row(
      "400 in the shape of another provider: a numeric code and no param, a list, a text, `detail`",
      reshaped(
        "400 of llama.cpp",
        { error: { code: 400, message: "no", type: "invalid_request_error", n_prompt_tokens: 9 } },
        "invalid_request_error",
        "400",
      ),
      reshaped("400 in a list", [{ error: { code: 400, message: "no" } }], "upstream_error", "400"),
      reshaped("400 with a text", { error: "no" }, "upstream_error", null),
      reshaped("400 with a detail", { detail: "no" }, "upstream_error", null),
    ),
    row(
      "401 to the key of the configuration; 403 or 400 that says the same",
      refusedAs(401, "", errorOf(401), "upstream_credentials_rejected"),
      refusedAs(403, " of the key", refusal("No permission"), "upstream_credentials_rejected"),
      refusedAs(400, " of the key", refusal("API key not valid."), "upstream_credentials_rejected"),
    ),
    row(
      "402 to the key of the configuration; 403, 429 or 400 that says the same",
      refusedAs(402, "", errorOf(402), "upstream_out_of_credit"),
      refusedAs(403, " of an account", refusal("Key limit exceeded"), "upstream_out_of_credit"),
      refusedAs(429, " of an account", refusal("no", "insufficient_quota"), "upstream_out_of_credit"),
      refusedAs(400, " of an account", refusal("Your credit balance is too low"), "upstream_out_of_credit"),
    ),
    row(
      "401, 402, 403 to the caller's own key",
      ...[401, 402, 403].map((status) =>
        withEntry(refusedElsewhere(status, " to the caller's own key", errorOf(status), true), {
          api_key: "",
        }),
      ),
    ),
    row("403 that says nothing of a key", refusedElsewhere(403, " of nothing", errorOf(403), true)),
    row("403 of a firewall", {
      ...refusedWithPage(403),
      name: "403 of a firewall",
    }),
    row(
      "403 of a moderation that flagged the prompt",
      both(
        "403 of a moderation",
        answering(Scripted.status(403, refusal("Your input was flagged."))),
        passed(refusal("Your input was flagged."), 403),
      ),
    ),
    row(
      "413 or 498 of a rate limit",
      refusedElsewhere(413, " of a rate limit", refusal(ofRates), false),
      refusedElsewhere(498, " of a rate limit", refusal(ofRates), false),
    ),
    row(
      "400 of a model that is not there",
      refusedElsewhere(400, " of a model", refusal("Model Not Exist"), true),
    ),
    row(
      "404, 405, 408, 425, 429, 500–511, 520–530, 598, 599, with and without `retry-after`",
      ...[
        404, 405, 408, 425, 429, 500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 521, 522, 523,
        524, 525, 526, 527, 529, 530, 598, 599,
      ].map((status) => refusedAsItCame(status)),
      refusedAsItCame(429, { "retry-after": "7" }),
      refusedAsItCame(429, { "retry-after": "Wed, 21 Oct 2120 07:28:00 GMT" }),
      refusedAsItCame(429, { "retry-after": "soon" }),
      refusedAsItCame(503, { "retry-after": "0" }),
    ),
    row(
      "one of these with a page of HTML, or a body that breaks off, stalls or has no end",
      refusedWithPage(404),
      refusedWithPage(429),
      refusedWithPage(500),
      refusedWithPage(502),
      refusedWithPage(503),
      refusedWithPage(524),
      everywhere(
        "500 whose body breaks off",
        `HTTP/1.1 500 No\r\n${jsonType}\r\ncontent-length: 1000\r\n\r\n{"error":`,
        "reset",
        failed({ status: 500 }, { status: 500, code: "upstream_refused" }),
      ),
      endless(
        everywhere(
          "500 whose body stalls",
          `HTTP/1.1 500 No\r\n${jsonType}\r\ncontent-length: 1000\r\n\r\n{"error":`,
          "silence",
          failed({ status: 500 }, { status: 500, code: "upstream_refused" }),
        ),
        { idle_ms: shortMs, first_byte_ms: laterMs },
      ),
      {
        ...both(
          "500 with 4 GB",
          pouring("HTTP/1.1 500 No\r\ncontent-length: 4294967296\r\n\r\n", "x"),
          failed({ status: 500 }, { status: 500, code: "upstream_refused" }),
        ),
        isCostly: true,
      },
    ),
    row(
      // RFC 9110 §15: an invalid status is to be taken as a 5xx; as such it cannot go to the caller.
      "a status beyond 599",
      ...[600, 999].map((status) =>
        everywhere(
          `${status}`,
          `HTTP/1.1 ${status} Odd\r\n${jsonType}\r\n${lengthOf(errorOf(status))}\r\n\r\n${errorOf(status)}`,
          "silence",
          failed({ status }, { status: 502, body: Buffer.from(errorOf(status)) }),
        ),
      ),
    ),
    row(
      "201, 202, 203 with an answer",
      ...[201, 202, 203].map((status): Fault => {
        const expected: Expectation = { kind: "whole", status }
        return {
          name: `${status} with an answer`,
          plain: { place: answering(Scripted.status(status, answerJson)), expected },
          stream: {
            place: answering(Scripted.status(status, wholeStream, { "content-type": "text/event-stream" })),
            expected,
          },
        }
      }),
    ),
    row(
      "204, 205",
      ...[204, 205].map((status) =>
        everywhere(
          `${status}`,
          `HTTP/1.1 ${status} Nothing\r\ncontent-length: 0\r\n\r\n`,
          "silence",
          unusable,
        ),
      ),
    ),
  ],
}

/** A 200 with this body, whatever was asked for. */
const good = (
  name: string,
  body: string | Buffer,
  expected: Expectation,
  headers: Readonly<Record<string, string>> = {},
): Fault => both(name, answering(Scripted.status(200, body, headers)), expected)

/** The right answer, packed. */
const inPacking = (name: string, pack: (bytes: Buffer) => Buffer, encoding: string): Fault => {
  const headers = { "content-encoding": encoding }
  return {
    name,
    plain: {
      place: answering(Scripted.status(200, pack(Buffer.from(answerJson)), headers)),
      expected: whole,
    },
    stream: {
      place: answering(Scripted.streamed(pack(Buffer.from(wholeStream)), { headers })),
      expected: whole,
    },
  }
}

const onlyPlain = (fault: Fault): Fault => ({ ...fault, stream: undefined })

const deep = (levels: number): string =>
  answerJson.replace(/}$/, `,"odd":${"[".repeat(levels)}${"]".repeat(levels)}}`)

const errorJson = JSON.stringify(openAiError("The engine is overloaded.", { code: "overloaded" }))
const errorInstead = failed({ cause: /./ }, { status: 502, body: Buffer.from(errorJson) })
/** An error in another shape, which is told in OpenAI's, under its own code where it has one. */
const shapedInstead = (code: string | null, status = 502) => failed({ cause: /./ }, { status, code })

const errorMembers = JSON.stringify({ code: 503, message: "The engine is overloaded." })
const doneEvent = eventBytes([], true)

/** What says nothing of the answer yet. */
const silentEvents = {
  "a role": eventBytes([chunk({ role: "assistant", content: "" })]),
  "a role and null": eventBytes([chunk({ role: "assistant", content: null, tool_calls: [] })]),
  "an empty delta": eventBytes([chunk({})]),
  "filter results": eventBytes([{ choices: [], prompt_filter_results: [{ prompt_index: 0 }] }]),
  pings: 'event: ping\ndata: {"type": "ping"}\n\ndata: {"type":"ping"}\n\n',
}

/** A refusal in what looks like an answer. */
const choiceless = {
  "MiniMax's base_resp": { choices: null, base_resp: { status_code: 1002, status_msg: "rate limit" } },
  "code and msg": { code: "1002", msg: "rate limit", success: false },
  detail: { detail: "rate limit" },
  "an error of a choice": {
    choices: [
      { index: 0, message: { role: "assistant", content: "" }, error: { code: 1002, message: "no" } },
    ],
  },
}

/** An error of a good status that names one of its own, plain and as the first event; without what is told of it at last, the caller's answer. */
const saying = (status: number, message: string, last: LastError | undefined): ReadonlyArray<Fault> => {
  const body = JSON.stringify({ error: { code: status, message } })
  const attempt = { cause: /^answered with an error \(.+\)$/ }
  const expected: Expectation =
    last === undefined ? { kind: "wrapped", status, code: String(status), attempt } : failed(attempt, last)
  return [
    good(`a 200 that says ${status}`, body, expected),
    inStream(`a first event that says ${status}`, Scripted.sse([body]), expected),
  ]
}

const goodStatus: Section = {
  title: "200, and no answer",
  rows: [
    row("an error", good("an error as a 200", errorJson, errorInstead)),
    row(
      "an error in another shape than OpenAI's",
      good("a word as the error of a 200", '{"error":"overloaded"}', shapedInstead(null)),
      good(
        "an error of vLLM as a 200",
        '{"object":"error","message":"overloaded","code":"1305"}',
        shapedInstead("1305"),
      ),
    ),
    row(
      "an error that names its status: 401, 402, 404, 429, 503",
      ...saying(401, "No cookie auth credentials found", {
        status: 502,
        code: "upstream_credentials_rejected",
      }),
      ...saying(402, "Insufficient credits", { status: 502, code: "upstream_out_of_credit" }),
      ...saying(404, "The model `gpt-4` does not exist.", {
        status: 404,
        code: "404",
        isCallersFault: true,
      }),
      ...saying(429, "Rate limit exceeded", { status: 429, code: "429" }),
      ...saying(503, "The engine is overloaded.", { status: 503, code: "503" }),
    ),
    row(
      "an error that names its status: 400, 422",
      ...saying(400, "top_p is out of range.", undefined),
      ...saying(422, "messages: field required", undefined),
    ),
    row(
      "an error whose words speak of a key, of credit, or of a limit",
      good(
        "a key in words",
        JSON.stringify(openAiError("Incorrect API key provided", { code: "invalid_api_key" })),
        failed({ cause: /./ }, { status: 502, code: "upstream_credentials_rejected" }),
      ),
      good(
        "credit in words",
        '{"code":"insufficient_quota","msg":"Insufficient balance","success":false}',
        failed({ cause: /./ }, { status: 502, code: "upstream_out_of_credit" }),
      ),
      good(
        "a limit in words",
        '{"error":{"message":"Rate limit reached","code":"rate_limit_exceeded"}}',
        failed({ cause: /./ }, { status: 502, code: "rate_limit_exceeded" }),
      ),
    ),
    row(
      "an error in what looks like an answer: `base_resp`, `{code, msg}`, `detail`, of a choice, `finish_reason: error`",
      ...Object.entries(choiceless).map(([name, answer]): Fault => {
        const expected = shapedInstead(name === "detail" ? null : "1002")
        return {
          name,
          plain: { place: answering(Scripted.json(answer)), expected },
          stream: { place: answering(Scripted.sse([answer])), expected },
        }
      }),
      {
        name: "a finish reason that is an error",
        plain: {
          place: answering(Scripted.json(chatCompletion("Hel", { finishReason: "error" }))),
          expected: shapedInstead("error"),
        },
        stream: { place: answering(Scripted.sse([finishChunk("error")])), expected: shapedInstead("error") },
      },
    ),
    row(
      "a completion that says nothing: `{}`, no choice, no text and no finish reason",
      ...[
        ["an empty object", {}],
        ["no choices", { ...chatCompletion(ownText), choices: [] }],
        ["choices that are null", { ...chatCompletion(ownText), choices: null }],
        ["an empty message", { choices: [{ index: 0, message: { role: "assistant", content: "" } }] }],
      ].map(([name, answer]) => onlyPlain(good(String(name), JSON.stringify(answer), unusable))),
    ),
    row(
      "a page of HTML, text, nothing, or JSON that is no object",
      good("a page of HTML as a 200", page, unusable, asPage),
      good("a page of HTML that calls itself JSON", page, unusable),
      good("text as a 200", "Service temporarily unavailable", unusable, { "content-type": "text/plain" }),
      good("nothing as a 200", "", unusable),
      ...["null", "42", "true", '"text"', "[]", `[${answerJson}]`].map((body) =>
        good(`the JSON ${body.slice(0, 8)}`, body, unusable),
      ),
    ),
    row(
      "half of an answer, ended in good order",
      good("half of an answer with its length", half, unusable),
      everywhere(
        "half of an answer in chunks",
        `${headOf(jsonType, chunkedFraming)}${piece(half)}${lastPiece}`,
        "silence",
        unusable,
      ),
      everywhere("half of an answer until the close", `${headOf(jsonType)}${half}`, "end", unusable),
      everywhere(
        "a length that is too short",
        `${headOf(jsonType, lengthOf(half))}${answerJson}`,
        "silence",
        unusable,
      ),
    ),
    row(
      "packed though nobody asked for it: gzip, deflate in both its forms, br, one over another",
      inPacking("gzip", gzipSync, "gzip"),
      inPacking("gzip by its older name", gzipSync, "X-Gzip"),
      inPacking("deflate", deflateSync, "deflate"),
      inPacking("deflate without its frame", deflateRawSync, "deflate"),
      inPacking("br", brotliCompressSync, "br"),
      inPacking("br in gzip", (bytes) => gzipSync(brotliCompressSync(bytes)), "br, gzip"),
    ),
    row(
      "packed and not said so, or said so and not packed",
      inPacking("gzip that is not said", gzipSync, "identity"),
      inPacking("gzip that is none", (bytes) => bytes, "gzip"),
      inPacking("br that is none", (bytes) => bytes, "br"),
    ),
    row(
      "an unknown encoding",
      good("an unknown encoding", answerJson, unusable, { "content-encoding": "x-rot13" }),
    ),
    row(
      "packed, and cut short or corrupt",
      good("gzip cut short", gzipSync(answerJson).subarray(0, -9), breaksOff, { "content-encoding": "gzip" }),
      good("br cut short", brotliCompressSync(answerJson).subarray(0, -1), breaksOff, {
        "content-encoding": "br",
      }),
      good("garbage for gzip", Buffer.alloc(64, 0xff), breaksOff, { "content-encoding": "gzip" }),
    ),
    row(
      '`content-encoding: identity`, a byte order mark, `"error": null` beside the answer, HTTP/1.0',
      both("a byte order mark", answering(Scripted.status(200, `\uFEFF${answerJson}`)), whole),
      {
        name: "content-encoding: identity",
        plain: {
          place: answering(Scripted.chat(ownText, { headers: { "content-encoding": "identity" } })),
          expected: whole,
        },
        stream: {
          place: answering(Scripted.chat(ownText, { headers: { "content-encoding": "identity" } })),
          expected: whole,
        },
      },
      {
        name: "error: null beside the answer",
        plain: {
          place: answering(Scripted.json({ ...chatCompletion(ownText), error: null })),
          expected: whole,
        },
        stream: {
          place: answering(Scripted.sse(events.map((event) => ({ ...Object(event), error: null })))),
          expected: whole,
        },
      },
      {
        name: "HTTP/1.0",
        plain: {
          place: answering(Scripted.raw(`HTTP/1.0 200 OK\r\n${jsonType}\r\n\r\n${answerJson}`, "end")),
          expected: whole,
        },
        stream: {
          place: answering(Scripted.raw(`HTTP/1.0 200 OK\r\n${streamType}\r\n\r\n${wholeStream}`, "end")),
          expected: whole,
        },
      },
    ),
    row(
      "an answer in another shape: another endpoint's, invalid UTF-8, 5,000 levels deep",
      ...[
        ["another endpoint's answer", JSON.stringify(textCompletion(ownText))],
        ["invalid UTF-8", Buffer.from(answerJson.replace(ownText, "\xff\xc3"), "latin1")],
        ["JSON 5,000 levels deep", deep(5_000)],
      ].map(([name, body]) => onlyPlain(good(String(name), body ?? "", passed(body ?? "")))),
    ),
    rowOfChats(
      "an event stream where a plain answer was asked for, whatever it calls itself",
      inPlain("an event stream for a plain answer", Scripted.streamed(Buffer.from(wholeStream)), whole),
      inPlain(
        "an event stream for a plain answer that calls itself JSON",
        Scripted.status(200, wholeStream),
        whole,
      ),
      inPlain(
        "an event stream for a plain answer, byte by byte behind comments",
        Scripted.streamed(Buffer.from(`\uFEFF: wait\r\n\r\n${wholeStream}`), { chunkSize: 1 }),
        whole,
      ),
    ),
    rowOfChats(
      "the same, finished and left open, with and without `[DONE]`",
      ...[true, false].map((done) =>
        inPlain(
          `an event stream for a plain answer, left open ${done ? "behind [DONE]" : "when it had finished"}`,
          Scripted.streamed(Buffer.from(eventBytes(events, done)), { ending: "silence" }),
          whole,
        ),
      ),
    ),
    rowOfChats(
      "the same, broken off before it was finished",
      inPlain(
        "half an event stream for a plain answer",
        Scripted.streamed(Buffer.from(begunStream)),
        breaksOff,
      ),
      inPlain(
        "an event stream for a plain answer, cut",
        Scripted.streamed(Buffer.from(begunStream), { ending: "reset" }),
        breaksOff,
      ),
      inPlain(
        "an event stream for a plain answer that is empty",
        Scripted.streamed(Buffer.from("data: [DONE]\n\n")),
        breaksOff,
      ),
    ),
    rowOfChats(
      "the same with an error in it",
      inPlain(
        "an error in an event stream for a plain answer",
        Scripted.sse([...begun, errorJson]),
        errorInstead,
      ),
    ),
    rowOfChats(
      "a plain answer as the one event of a stream",
      inStream("a plain answer as an event", Scripted.sse([chatCompletion(ownText)]), whole),
      inPlain(
        "a plain answer as an event, for a plain answer",
        Scripted.sse([chatCompletion(ownText)]),
        whole,
      ),
    ),
    row(
      "a plain answer where a stream was asked for, whatever it calls itself",
      inStream("a plain answer for a stream", Scripted.json(chatCompletion(ownText)), whole),
      inStream(
        "a plain answer for a stream that calls itself one",
        Scripted.streamed(Buffer.from(`\uFEFF\n ${answerJson}`), { chunkSize: 1 }),
        whole,
      ),
    ),
    row(
      "an event stream that calls itself text, JSON, bytes or nothing",
      ...["text/plain", "application/json", "application/octet-stream", ""].map((type) =>
        inStream(
          `an event stream that calls itself ${type === "" ? "nothing" : type}`,
          Scripted.streamed(Buffer.from(wholeStream), { headers: { "content-type": type } }),
          whole,
        ),
      ),
    ),
  ],
}

/** Inside a plain body, and inside a stream before its first event. */
const insideBody = (
  name: string,
  plainBytes: string,
  streamBytes: string,
  ending: Scripted.Ending,
  expected: Expectation,
  expectedOfStream = expected,
): Fault => ({
  name,
  plain: { place: answering(Scripted.raw(plainBytes, ending)), expected },
  stream: { place: answering(Scripted.raw(streamBytes, ending)), expected: expectedOfStream },
})

const plainPart = `${headOf(jsonType, "content-length: 1000")}{"id":"chatcmpl-`
const streamPart = `${streamHead}${piece('data: {"id":"chat')}`

const bodies: Section = {
  title: "Inside a plain answer, or a stream before its first event",
  rows: [
    row(
      "connection reset or closed, a length that is too long",
      insideBody("reset in the body", plainPart, streamPart, "reset", breaksOff),
      insideBody("closed in the body", plainPart, streamPart, "end", breaksOff),
      insideBody(
        "a length that is too long",
        `${headOf(jsonType, "content-length: 100000")}${answerJson}`,
        `${headOf(streamType, "content-length: 100000")}: wait\n\n`,
        "end",
        breaksOff,
      ),
      insideBody(
        "no last chunk",
        `${headOf(jsonType, chunkedFraming)}${piece(answerJson)}`,
        `${streamHead}${piece(": wait\n\n")}`,
        "end",
        breaksOff,
      ),
    ),
    row(
      "chunks that are none",
      ...["zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "<html>"].map((garbage) =>
        insideBody(
          `the chunk ${JSON.stringify(garbage)}`,
          `${headOf(jsonType, chunkedFraming)}${piece(half)}${garbage}`,
          `${streamPart}${garbage}`,
          "silence",
          breaksOff,
        ),
      ),
      insideBody(
        "a chunk longer than it says",
        `${headOf(jsonType, chunkedFraming)}5\r\n${answerJson}\r\n${lastPiece}`,
        `${streamHead}5\r\n${wholeStream}\r\n${lastPiece}`,
        "silence",
        breaksOff,
      ),
    ),
    row(
      "silence, or nothing but comments",
      withEntry(
        insideBody(
          "silence in the body",
          plainPart,
          streamPart,
          "silence",
          timesOut("idle"),
          // What has begun is no event yet.
          timesOut("first_byte"),
        ),
        { timeouts: { idle_ms: shortMs, first_byte_ms: shortMs } },
      ),
      withEntry(
        inStream(
          "comments, then silence",
          Scripted.raw(`${streamHead}${piece(": wait\n\n")}`, "silence"),
          timesOut("first_byte"),
        ),
        beginSoon,
      ),
      withEntry(
        inStream(
          "comments without end",
          Scripted.trickle(streamHead, piece(": wait\n\n"), 20),
          timesOut("total"),
        ),
        endSoon,
      ),
    ),
    row(
      "a body that drips without end",
      withEntry(
        inPlain(
          "a body that drips without end",
          Scripted.trickle(headOf(jsonType, chunkedFraming), piece(" "), 20),
          timesOut("total"),
        ),
        endSoon,
      ),
      withEntry(
        inPlain(
          "a body that drips for longer than answers may take",
          Scripted.trickle(headOf(jsonType, chunkedFraming), piece(" "), 20),
          timesOut("answer"),
        ),
        beginSoon,
      ),
    ),
    row("4 GB, or an event of 4 GB", {
      name: "4 GB",
      isCostly: true,
      plain: { place: pouring(headOf(jsonType, "content-length: 4294967296"), "x"), expected: breaksOff },
      stream: { place: pouring(`${headOf(streamType)}data: `, "x"), expected: breaksOff },
    }),
    row(
      "a stream that ends before its first event: empty, with comments only, with half an event, with `[DONE]` only",
      inStream("an empty stream", Scripted.streamed(Buffer.from("")), breaksOff),
      inStream("comments only", Scripted.streamed(Buffer.from(": wait\n\n: wait\n\n")), breaksOff),
      inStream("half an event only", Scripted.streamed(Buffer.from(begunStream.slice(0, 60))), breaksOff),
      inStream(
        "a stream whose length is too short",
        Scripted.raw(`${headOf(streamType, "content-length: 5")}${wholeStream}`, "silence"),
        breaksOff,
      ),
      // It has said nothing yet, so another upstream may still be asked unseen; SDKs would take it for an empty answer.
      inStream("[DONE] only", Scripted.sse([]), unusable),
    ),
    row(
      "an error as the first event",
      inStream("an error as the first event", Scripted.sse([errorJson]), errorInstead),
      inStream(
        "an error as the first event, without [DONE]",
        Scripted.sse([errorJson], { done: false }),
        errorInstead,
      ),
      inStream(
        "an error after comments",
        Scripted.streamed(Buffer.from(`: wait\n\n${eventBytes([errorJson])}`)),
        errorInstead,
      ),
      inStream(
        "an event named error",
        Scripted.streamed(Buffer.from(`event: error\ndata: ${errorJson}\n\n`)),
        errorInstead,
      ),
    ),
    row(
      "the same in another shape than OpenAI's",
      inStream(
        "a word as the error of the first event",
        Scripted.sse(['{"error":"overloaded"}']),
        shapedInstead(null),
      ),
      inStream(
        "an error of vLLM as the first event",
        Scripted.sse(['{"object":"error","message":"overloaded","code":503}']),
        shapedInstead("503", 503),
      ),
      inStream(
        "text in an event named error",
        Scripted.streamed(Buffer.from("event: error\ndata: overloaded\n\n")),
        shapedInstead(null),
      ),
      inStream(
        "a line `error: …`, as llama.cpp writes it",
        Scripted.streamed(Buffer.from(`error: ${errorMembers}\n\n${doneEvent}`)),
        shapedInstead("503", 503),
      ),
      inStream(
        "a list with an error",
        Scripted.streamed(Buffer.from(`data: [{"error":${errorMembers}}]\n\n`)),
        shapedInstead("503", 503),
      ),
    ),
    row(
      "an error after events that say nothing: a role, an empty delta, filter results, a ping",
      ...Object.entries(silentEvents).map(([name, bytes]) =>
        inStream(
          `an error after ${name}`,
          Scripted.streamed(Buffer.from(bytes + eventBytes([errorJson]))),
          errorInstead,
        ),
      ),
      inStream(
        "a failing finish reason after a role",
        Scripted.sse([chunk({ role: "assistant", content: "" }), finishChunk("error")]),
        shapedInstead("error"),
      ),
    ),
    row(
      "a stream that ends, or breaks off, before it said anything",
      ...Object.entries(silentEvents).map(([name, bytes]) =>
        inStream(`nothing but ${name}`, Scripted.streamed(Buffer.from(bytes + doneEvent)), unusable),
      ),
      inStream("an end after the role alone", Scripted.sse(begun.slice(0, 1), { done: false }), unusable),
      inStream(
        "a reset after the role",
        Scripted.raw(`${streamHead}${piece(eventBytes(begun.slice(0, 1)))}`, "reset"),
        unusable,
      ),
      inStream(
        "text, and no event of JSON",
        Scripted.streamed(Buffer.from(`data: loading\n\n${doneEvent}`)),
        unusable,
      ),
    ),
  ],
}

const begunBroken = breaks(begunText)

/** After its first events, a stream goes on with these bytes past the HTTP layer. */
const thenRaw = (name: string, rest: string, ending: Scripted.Ending, expected = begunBroken): Fault =>
  inStream(name, Scripted.raw(begunWire + rest, ending), expected)

const begunStreams: Section = {
  title: "Inside a stream, after its first event",
  rows: [
    row(
      "connection reset or closed, chunks that are none",
      thenRaw("reset in the stream", "", "reset"),
      thenRaw("closed in the stream", "", "end"),
      thenRaw("chunks that are none in the stream", "zz\r\n", "silence"),
      inStream(
        "a stream longer than its length",
        Scripted.raw(`${headOf(streamType, lengthOf(begunStream))}${wholeStream}`, "silence"),
        breaks("Hello "),
      ),
    ),
    row(
      "an end without `[DONE]` or a finish reason, or in the middle of an event",
      inStream("an end without [DONE] or a finish reason", Scripted.sse(begun, { done: false }), begunBroken),
      inStream(
        "an end in the middle of an event",
        Scripted.streamed(Buffer.from(`${begunStream}data: {"id":"chatc`)),
        begunBroken,
      ),
    ),
    row(
      "silence, or nothing but comments",
      withEntry(thenRaw("silence in the stream", "", "silence"), keepGoing),
      endless(
        inStream(
          "comments without end in the stream",
          Scripted.trickle(begunWire, piece(": wait\n\n"), 20),
          begunBroken,
        ),
      ),
    ),
    row(
      "events without end",
      endless(
        inStream(
          "events without end",
          Scripted.trickle(begunWire, piece(eventBytes([textChunk("")])), 20),
          begunBroken,
        ),
      ),
    ),
    row("an event of 4 GB", {
      name: "an event of 4 GB in the stream",
      plain: undefined,
      isCostly: true,
      stream: { place: pouring(`${headOf(streamType)}${begunStream}data: `, "x"), expected: begunBroken },
    }),
    row(
      "an error of the upstream",
      inStream(
        "an error in the stream",
        Scripted.sse([...begun, errorJson]),
        breaks(begunText, "overloaded"),
      ),
      inStream(
        "an error in the stream, without [DONE]",
        Scripted.sse([...begun, errorJson], { done: false }),
        breaks(begunText, "overloaded"),
      ),
      inStream(
        "an event named error in the stream",
        Scripted.streamed(Buffer.from(`${begunStream}event: error\ndata: ${errorJson}\n\n`)),
        breaks(begunText, "overloaded"),
      ),
      inStream(
        "a word as an error in the stream",
        Scripted.sse([...begun, { error: "overloaded" }]),
        breaks(begunText, null),
      ),
      inStream(
        "a line `error: …` in the stream",
        Scripted.streamed(Buffer.from(`${begunStream}error: ${errorMembers}\n\n${doneEvent}`)),
        breaks(begunText, "503"),
      ),
      inStream(
        "a failing finish reason",
        Scripted.sse([...begun, finishChunk("error")]),
        breaks(begunText, "error"),
      ),
      inStream(
        "an error of a choice",
        Scripted.sse([...begun, { choices: [{ index: 0, delta: {}, error: { code: 502, message: "no" } }] }]),
        breaks(begunText, "502"),
      ),
      inStream(
        "an error without a choice",
        Scripted.sse([
          ...begun,
          { choices: null, base_resp: { status_code: 1002, status_msg: "rate limit" } },
        ]),
        breaks(begunText, "1002"),
      ),
    ),
    row(
      "a finish reason without `[DONE]`; `[DONE]` without a finish reason; anything after `[DONE]`",
      inStream("a finish reason without [DONE]", Scripted.sse(events, { done: false }), whole),
      inStream("[DONE] without a finish reason", Scripted.sse([textChunk(ownText)]), whole),
      inStream("a reset after [DONE]", Scripted.sse(events, { ending: "reset" }), whole),
      inStream("silence after [DONE]", Scripted.sse(events, { ending: "silence" }), whole),
      inStream(
        "a finish reason, then silence",
        Scripted.sse(events, { done: false, ending: "silence" }),
        whole,
      ),
      inStream(
        "a finish reason, then pings without end",
        Scripted.trickle(`${streamHead}${piece(eventBytes(events))}`, piece(": wait\n\n"), 50),
        whole,
      ),
    ),
    row(
      "pings, and events that are no JSON objects",
      inStream(
        "pings between events",
        Scripted.streamed(Buffer.from(wholeStream.replaceAll("\n\n", `\n\n${silentEvents.pings}`))),
        whole,
      ),
      inStream(
        "events of text between events",
        Scripted.streamed(Buffer.from(wholeStream.replaceAll("\n\n", "\n\ndata: loading\n\n"))),
        whole,
      ),
      inStream(
        "events after [DONE]",
        Scripted.streamed(Buffer.from(`${wholeStream}${eventBytes([textChunk("more"), errorJson])}`)),
        whole,
      ),
      inStream(
        "a reset after the finish reason",
        Scripted.sse([textChunk(ownText), finishChunk()], { done: false, ending: "reset" }),
        whole,
      ),
    ),
    row(
      "comments, a byte order mark, CR line ends, events of unknown names, events that are not JSON",
      inStream(
        "comments in the stream",
        Scripted.streamed(Buffer.from(`: wait\n\n${wholeStream.replaceAll("data: ", ": ping\n\ndata: ")}`)),
        whole,
      ),
      inStream(
        "a stream with a byte order mark",
        Scripted.streamed(Buffer.from(`\uFEFF${wholeStream}`)),
        whole,
      ),
      inStream("CR line ends", Scripted.sse(events, { framing: "\r" }), whole),
      inStream(
        "events of unknown names",
        Scripted.streamed(
          Buffer.from(wholeStream.replaceAll("data: ", "id: 7\nretry: 1\nevent: odd\ndata: ")),
        ),
        whole,
      ),
      inStream(
        "an event that is not JSON",
        Scripted.sse([...begun.slice(0, 1), "not JSON", textChunk(ownText), finishChunk()]),
        whole,
      ),
    ),
  ],
}

export const sections: ReadonlyArray<Section> = [
  withoutConnection,
  withoutHead,
  statuses,
  goodStatus,
  bodies,
  begunStreams,
]
