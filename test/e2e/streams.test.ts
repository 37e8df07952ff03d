/** Streams as bytes on the wire: when each event arrives, in which form, however the upstream cuts and frames its own. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unpack } from "../../src/wire/PackedData.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { parseAnswer, post, postBytes, rawConnection } from "../support/RawHttp.ts"
import {
  type Answer,
  chat,
  controlled,
  eventStream,
  hang,
  type LineEnd,
  scriptedUpstream,
  sse,
  staleWhenReused,
  streamed,
} from "../support/ScriptedUpstream.ts"
import { chatChunks, chunk, finishChunk, textChunk } from "../support/Wire.ts"

const body = { model: "gpt-4o", stream: true, messages: [{ role: "user", content: "Hello?" }] }

const path = "/v1/chat/completions"

const stack = (answer: Answer, settings: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(answer)
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url, ...settings }]))
    return { upstream, gateway, port: gateway.port }
  })

/** The data of each event, where the bytes hold nothing but events in the one form that is sent. */
const eventsOf = (bytes: Buffer | undefined): ReadonlyArray<string> => {
  const text = bytes?.toString("utf8") ?? ""
  expect(text).toMatch(/^(?:(?:data: [^\r\n]+\n)+\n)*$/)
  return text
    .split("\n\n")
    .slice(0, -1)
    .map((event) => event.slice("data: ".length).replaceAll("\ndata: ", "\n"))
}

const contentOf = (events: ReadonlyArray<string>): string =>
  events
    .filter((data) => data !== "[DONE]")
    .flatMap((data) => Object(JSON.parse(data)).choices)
    .map((choice) => Object(Object(choice).delta).content ?? "")
    .join("")

describe("A stream on the wire", () => {
  it.scopedLive("shows each event of the upstream at once, and nothing before the first", () =>
    Effect.gen(function* () {
      const answer = controlled()
      const { port } = yield* stack(answer.answer)
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes(path, body))
      yield* answer.opened
      expect(connection.received().length).toBe(0)
      for (const text of ["one", "two", "three"]) {
        yield* answer.push(textChunk(text))
        const seen = yield* within(
          text,
          connection.until((soFar) => parseAnswer(soFar)?.body.includes(text) === true),
        )
        expect(eventsOf(parseAnswer(seen)?.body).at(-1)).toBe(JSON.stringify(textChunk(text)))
      }
      yield* answer.push(finishChunk())
      yield* answer.end()
      const whole = parseAnswer(
        yield* within(
          "the end",
          connection.until((soFar) => parseAnswer(soFar)?.whole === true),
        ),
      )
      expect(eventsOf(whole?.body).at(-1)).toBe("[DONE]")
      expect(whole?.headers).toMatchObject({
        "content-type": expect.stringMatching(/^text\/event-stream/),
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "x-sluice-upstream": "first",
        "x-sluice-attempts": "1",
      })
      expect(whole?.headers["content-encoding"]).toBeUndefined()
    }),
  )

  it.scopedLive("ends where the next answer on its connection begins, however large its events are", () =>
    Effect.gen(function* () {
      const large = "é".repeat(40_000)
      const chunks = [textChunk("one"), textChunk(large), finishChunk()]
      const { port } = yield* stack(streamed(eventStream(chunks)))
      const connection = yield* rawConnection(port)
      for (const _ of ["first", "second"]) {
        const before = connection.received().length
        yield* connection.send(postBytes(path, body))
        const text = yield* within(
          "the end",
          connection.until((soFar) => parseAnswer(soFar.slice(before))?.whole === true),
        )
        const answer = parseAnswer(text.slice(before))
        expect(answer?.headers["transfer-encoding"]).toBe("chunked")
        expect(contentOf(eventsOf(answer?.body))).toBe(`one${large}`)
      }
    }),
  )

  it.scopedLive("comes without chunks to a client of HTTP/1.0, and ends with its connection", () =>
    Effect.gen(function* () {
      const chunks = [textChunk("one"), textChunk("two"), finishChunk()]
      const { port } = yield* stack(streamed(eventStream(chunks)))
      const connection = yield* rawConnection(port)
      yield* connection.send(
        Buffer.from(postBytes(path, body).toString("latin1").replace("HTTP/1.1", "HTTP/1.0"), "latin1"),
      )
      expect(yield* within("the close", connection.closed)).toBe("end")
      const answer = parseAnswer(connection.received().toString("latin1"))
      expect(answer?.headers["transfer-encoding"]).toBeUndefined()
      const events = eventsOf(answer?.body)
      expect(contentOf(events)).toBe("onetwo")
      expect(events.at(-1)).toBe("[DONE]")
    }),
  )

  it.scopedLive("is plain data events, whatever fields, comments, pings and forms the upstream's has", () =>
    Effect.gen(function* () {
      const one = JSON.stringify(textChunk("one"))
      const [head, tail] = [one.slice(0, 20), one.slice(20)]
      const end = JSON.stringify(finishChunk())
      const odd = [
        "\uFEFF: OPENROUTER PROCESSING\n\n",
        "retry: 3000\n\n",
        `id: 7\nevent: message\ndata:${one}\n\n`,
        ":\n\n\n\n",
        // Lines of one event's data are joined by a line feed, which between JSON's tokens is white space.
        `data: {"choices":\ndata: [{"index":0,"delta":{"content":"two"}}]}\n\n`,
        "data:\n\n",
        `data: ${head}${tail}\r\n\r\n`,
        `data: ${end}\r\r`,
        "data: [DONE]\n\nid: 8\n\n",
      ].join("")
      const { port } = yield* stack(streamed(Buffer.from(odd)))
      const events = eventsOf((yield* post(port, path, body))?.body)
      expect(events.at(-1)).toBe("[DONE]")
      expect(contentOf(events)).toBe("onetwoone")
    }),
  )

  it.scopedLive("that breaks off ends with one error event and no [DONE]", () =>
    Effect.gen(function* () {
      const { port } = yield* stack(sse([textChunk("one")], { done: false }))
      const answer = yield* post(port, path, body)
      expect(answer?.status).toBe(200)
      const events = eventsOf(answer?.body)
      expect(events.length).toBe(2)
      expect(JSON.parse(events[1] ?? "")).toEqual({
        error: {
          message: expect.any(String),
          type: "upstream_error",
          param: null,
          code: expect.any(String),
        },
      })
    }),
  )

  it.scopedLive("is read to its end although the upstream sends no final blank line", () =>
    Effect.gen(function* () {
      const bytes = eventStream([textChunk("one"), finishChunk()])
      const { port } = yield* stack(streamed(bytes.subarray(0, -1)))
      const events = eventsOf((yield* post(port, path, body))?.body)
      expect([contentOf(events), events.at(-1)]).toEqual(["one", "[DONE]"])
    }),
  )
})

describe("A stream cut at any byte", () => {
  const deltas = ["<think>", "hm: ", "é", "\n</th", "ink>\n\nAn ans", "wer — 四", '\r\nin "two" lines 🙂.']
  const text = 'An answer — 四\r\nin "two" lines 🙂.'
  const events = chatChunks(deltas, { usage: { prompt: 1, completion: 2 } })

  // Every position is tried in process (test/domain); over sockets a stride of them, prime so that it visits all kinds of places.
  for (const framing of ["\n", "\r\n", "\r"] as const satisfies ReadonlyArray<LineEnd>) {
    it.scopedLive(`says the same, its lines ended by ${JSON.stringify(framing)}`, () =>
      Effect.gen(function* () {
        const bytes = eventStream(events, { framing })
        const positions = Array.from({ length: Math.ceil(bytes.length / 61) }, (_, index) => 1 + index * 61)
        const upstream = yield* scriptedUpstream((request) => {
          const { user } = Object(request.body)
          return streamed(bytes, user === "bytewise" ? { chunkSize: 1 } : { cuts: [Number(user)] })
        })
        const { port } = yield* startGateway(configOf([{ base_url: upstream.url, thinking_format: "strip" }]))
        const whole = yield* post(port, path, { ...body, user: "0" })
        expect(contentOf(eventsOf(whole?.body))).toBe(text)
        yield* Effect.forEach(
          [...positions, "bytewise"],
          (position) =>
            Effect.gen(function* () {
              const answer = yield* post(port, path, { ...body, user: String(position) })
              const cut = eventsOf(answer?.body)
              expect([position, contentOf(cut), cut.at(-1)]).toEqual([position, text, "[DONE]"])
            }),
          { concurrency: 4 },
        )
      }),
    )
  }
})

/** The caller is gone at once, without a word. */
const leave = (connection: { readonly socket: { readonly destroy: () => unknown } }) =>
  Effect.sync(() => connection.socket.destroy())

describe("A caller who leaves is noticed by the upstream at once, and nobody else is asked", () => {
  const twoUpstreams = (answer: Answer) =>
    Effect.gen(function* () {
      const first = yield* scriptedUpstream(answer)
      const standby = yield* scriptedUpstream(chat("never asked"))
      const gateway = yield* startGateway(
        configOf([{ base_url: first.url }, { base_url: standby.url }], {
          retry: { rounds: 3, base_delay_ms: 1, max_delay_ms: 2 },
        }),
      )
      const left = Effect.gen(function* () {
        const [record] = yield* within("the audit record", gateway.awaitRecords(1))
        expect(record?.outcome).toBe("client_closed")
        expect(record?.attempts.length).toBe(1)
        expect(first.requests.length).toBe(1)
        expect(standby.requests).toEqual([])
        return record
      })
      return { first, port: gateway.port, left }
    })

  for (const stream of [false, true]) {
    it.scopedLive(`before the first byte of ${stream ? "a stream" : "a plain answer"}`, () =>
      Effect.gen(function* () {
        const { first, left, port } = yield* twoUpstreams(hang())
        const connection = yield* rawConnection(port)
        yield* connection.send(postBytes(path, { ...body, stream }))
        const request = yield* first.awaitRequest(1)
        yield* leave(connection)
        yield* within("the upstream connection's end", request.abandoned)
        yield* left
      }),
    )
  }

  it.scopedLive("in the middle of a stream, and the audit has what was received until then", () =>
    Effect.gen(function* () {
      const answer = controlled()
      const { left, port } = yield* twoUpstreams(answer.answer)
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes(path, body))
      yield* answer.push(textChunk("Once upon"))
      yield* connection.until((text) => text.includes("Once upon"))
      yield* leave(connection)
      yield* within("the upstream connection's end", answer.closed)
      const record = yield* left
      const kept = record?.response
      expect(kept?.kind).toBe("events")
      const packed = kept?.kind === "events" ? kept.packed : new Uint8Array()
      expect(Buffer.concat(unpack(packed)).toString()).toContain("Once upon")
    }),
  )

  it.scopedLive("inside a plain answer", () =>
    Effect.gen(function* () {
      const answer = controlled("application/json")
      const { left, port } = yield* twoUpstreams(answer.answer)
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes(path, { ...body, stream: false }))
      yield* answer.write('{"id":"chatcmpl-')
      yield* leave(connection)
      yield* within("the upstream connection's end", answer.closed)
      yield* left
    }),
  )

  it.scopedLive(
    "in the middle of a stream whose upstream is silent, by closing only its sending side and then all",
    () =>
      Effect.gen(function* () {
        const answer = controlled()
        const { left, port } = yield* twoUpstreams(answer.answer)
        const connection = yield* rawConnection(port)
        yield* connection.send(postBytes(path, body))
        yield* answer.push(textChunk("Once upon"))
        yield* connection.until((text) => text.includes("Once upon"))
        connection.socket.end()
        connection.socket.destroySoon()
        yield* within("the upstream connection's end", answer.closed)
        yield* left
      }),
  )
})

describe("A pooled connection that the upstream closed meanwhile", () => {
  it.scopedLive("is replaced without the caller noticing, and without counting as an attempt", () =>
    Effect.gen(function* () {
      for (const stream of [false, true]) {
        const upstream = yield* scriptedUpstream(staleWhenReused(chat("Hello.")))
        const gateway = yield* startGateway(configOf([{ base_url: upstream.url }]))
        for (const count of [1, 2]) {
          const answer = yield* post(gateway.port, path, { ...body, stream })
          expect([count, answer?.status]).toEqual([count, 200])
          expect(answer?.headers["x-sluice-attempts"]).toBe("1")
          // Only then is the connection back in the pool.
          yield* within("the audit record", gateway.awaitRecords(count))
        }
        // The second request met the dead connection first, and then got one of its own.
        expect(upstream.requests.map(({ connection, onConnection }) => [connection, onConnection])).toEqual([
          [0, 0],
          [0, 1],
          [1, 0],
        ])
      }
    }),
  )
})

describe("An answer of several choices", () => {
  it.scopedLive(
    "is whole with the last of those that extra_body asks for, however long that takes, plain or streamed",
    () =>
      Effect.gen(function* () {
        const events = [
          textChunk("One."),
          finishChunk(),
          textChunk("Two.", { index: 1 }),
          finishChunk("stop", { index: 1 }),
        ]
        const cuts = [eventStream(events.slice(0, 2), { done: false }).length]
        // Longer than usage and [DONE] may take behind a choice that is the last.
        const slow = sse(events, { cuts, delayBetweenMs: 3_000 })
        const { gateway, port, upstream } = yield* stack(slow, { extra_body: { n: 2 } })
        const both = [true, false].map((stream) => post(port, path, { ...body, stream }))
        const [streamed, plain] = yield* Effect.all(both, { concurrency: "unbounded" })
        expect(eventsOf(streamed?.body)).toEqual([...events.map((event) => JSON.stringify(event)), "[DONE]"])
        expect(JSON.parse(plain?.body.toString("utf8") ?? "").choices).toMatchObject([
          { index: 0, message: { content: "One." } },
          { index: 1, message: { content: "Two." } },
        ])
        expect(upstream.requests.map((request) => Object(request.body).n)).toEqual([2, 2])
        const records = yield* within("the audit records", gateway.awaitRecords(2))
        expect(records.map(({ outcome }) => outcome)).toEqual(["ok", "ok"])
      }),
  )
})

describe("Tool calls in a stream", () => {
  it.scopedLive("pass byte for byte where nothing is configured to change them", () =>
    Effect.gen(function* () {
      const events = [
        chunk({ role: "assistant", content: null }),
        // Members that no schema knows, spaced as the upstream likes it.
        '{ "id" : "x", "choices" : [ { "index" : 0, "delta" : { "tool_calls" : [ { "index" : 0 } ], "vendor" : 1.0 } } ] }',
        finishChunk("tool_calls"),
      ]
      const { port } = yield* stack(sse(events))
      const sent = eventStream(events).toString()
      expect((yield* post(port, path, body))?.body.toString()).toBe(sent)
    }),
  )
})
