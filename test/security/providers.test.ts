/**
 * What providers can do with what they answer: nothing of it forges a line of the log, drives a terminal, repeats a key, or is taken by a browser for a
 * page.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { post, request } from "../support/RawHttp.ts"
import {
  type Answer,
  eventStream,
  json,
  raw,
  scriptedUpstream,
  sse,
  status,
  streamed as streamedBytes,
} from "../support/ScriptedUpstream.ts"
import { chatCompletion, finishChunk, textChunk } from "../support/Wire.ts"

const path = "/v1/chat/completions"
const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

/** The keys that are planted: where they stand in the configuration, or with the caller. */
const planted = {
  own: "sk-proj-Own_0123456789/abc+def",
  header: "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  query: "AIzaSyQuery-0123456789_abc",
  other: 'gsk_"Odd\\Key"0123456789',
  caller: "xai-caller-0123456789abcdef",
}

const base64 = (text: string): string => Buffer.from(text).toString("base64")

const escaped = (text: string): string =>
  Array.from(text, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")

/** How a provider may spell what it repeats, as part of a JSON string. */
const spellings: ReadonlyArray<(key: string) => string> = [
  (key) => JSON.stringify(key).slice(1, -1),
  (key) => JSON.stringify(JSON.stringify(key)).slice(3, -3),
  (key) => key.toUpperCase().replace(/["\\]/g, "\\$&"),
  encodeURIComponent,
  (key) => base64(`Bearer ${key}`),
  (key) => Buffer.from(key).toString("hex"),
  escaped,
]

/** Every key in every spelling, as a JSON string's inside. */
const everything = Object.values(planted)
  .flatMap((key) => spellings.map((spell) => spell(key)))
  .join(" ")

/** What no text may hold, in any case. */
const forbidden = Object.values(planted)
  .flatMap((key) => [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    base64(`Bearer ${key}`).slice(12, 36),
    Buffer.from(key).toString("hex"),
    escaped(key),
  ])
  .map((one) => one.toLowerCase())

const keysIn = (text: string): ReadonlyArray<string> => {
  const lower = text.toLowerCase()
  return forbidden.filter((one) => lower.includes(one))
}

const echoHeaders = {
  "openai-organization": planted.own,
  "openai-version": `v ${encodeURIComponent(planted.own)}`,
  "x-ratelimit-limit-requests": planted.header,
  "x-request-id": planted.caller,
  "retry-after": planted.query,
  "content-type": `application/json; key=${planted.header}`,
}

/** An answer as its own bytes, since what is planted is spelled in JSON in ways that no printer of JSON has. */
const bytesOf = (text: string, code = 200, type = "application/json"): Answer =>
  status(code, text, { ...echoHeaders, "content-type": type })

const errorText = `{"error":{"message":"Incorrect API key: ${everything}","type":"t","param":"${everything}","code":"c","more":{"key":"${everything}"}}}`

const events = (...datas: ReadonlyArray<string>): Answer =>
  sse(datas, { done: false, headers: { ...echoHeaders, "content-type": "text/event-stream" } })

/** Every place where a provider may repeat a key. What is good of an answer is the caller's as it came: nobody else is told of it. */
const places: ReadonlyArray<readonly [where: string, answer: Answer, isGood?: true]> = [
  ...[400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503, 529, 301].flatMap(
    (code): ReadonlyArray<readonly [string, Answer]> => [
      [`in OpenAI's error of a ${code}`, bytesOf(errorText, code)],
      [`in another's error of a ${code}`, bytesOf(`{"detail":"${everything}"}`, code)],
      [`in the text of a ${code}`, bytesOf(`key ${everything}`, code, "text/plain")],
      [`in a page of a ${code}`, bytesOf(`<title>${everything}</title>`, code, "text/html")],
      [`in a list of a ${code}`, bytesOf(`[{"error":{"message":"${everything}"}}]`, code)],
      [`in the events of a ${code}`, bytesOf(`data: ${errorText}\n\n`, code, "text/event-stream")],
      [`in sixteen bits of a ${code}`, status(code, Buffer.from(planted.own, "utf16le"), echoHeaders)],
    ],
  ),
  ["in a redirect", status(307, "", { location: `https://x.example/${planted.own}/?key=${planted.own}` })],
  ["in an error of a 200", bytesOf(errorText)],
  ["in another's error of a 200", bytesOf(`{"code":1,"message":"${everything}"}`)],
  ["in the error of a choice", bytesOf(`{"choices":[{"error":{"message":"${everything}"}}]}`)],
  ["in a page of a 200", bytesOf(`<title>${everything}</title>`, 200, "text/html")],
  [
    "in a finish reason",
    bytesOf(`{"choices":[{"message":{"content":""},"finish_reason":"${planted.own}"}]}`),
    true,
  ],
  ["in the first event", events(errorText)],
  ["in an event's name", events(`{"choices":[]}`, errorText)],
  ["in an error behind text", events(JSON.stringify(textChunk("Hello")), errorText)],
  [
    "in another's error behind text",
    events(JSON.stringify(textChunk("Hello")), `{"code":1,"message":"${everything}"}`),
  ],
  [
    "in a line of an error",
    raw(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nerror: ${errorText}\n\n`, "end"),
  ],
  ["in an event that is no JSON", events(`key ${planted.own}`)],
  ["in the encoding", raw(`HTTP/1.1 200 OK\r\ncontent-encoding: ${planted.header}\r\n\r\n{}`, "end")],
  ["in the status line", raw(`HTTP/1.1 500 ${planted.own}\r\ncontent-length: 0\r\n\r\n`, "end")],
  ["in a broken head", raw(`HTTP/1.1 200 OK\r\n${planted.own}\r\n\r\n`, "end")],
  ["in no HTTP at all", raw(`${planted.own}\r\n\r\n`, "end")],
  ["in a good answer's headers", json(chatCompletion("Hello."), echoHeaders)],
]

const stack = (answer: Answer) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const upstream = yield* scriptedUpstream(answer)
    const gateway = yield* startGateway(
      configOf([
        {
          base_url: `${upstream.url}?key=${planted.query}`,
          api_key: planted.own,
          headers: { "x-api-key": planted.header },
        },
        { base_url: upstream.url, api_key: undefined },
        {
          base_url: "http://127.0.0.1:9/v1",
          api_key: planted.other,
          name: "elsewhere",
          model_match: { type: "exact", value: ["x"] },
        },
      ]),
      {},
      (line) => void lines.push(line),
    )
    return { ...gateway, upstream, lines }
  })

describe("A key that a provider repeats", () => {
  it.scopedLive("is told to nobody: not in the answer, its headers, the log, the record or /health", () =>
    Effect.gen(function* () {
      const { awaitRecords, lines, port, upstream } = yield* stack(places[0]?.[1] ?? json({}))
      const headers = { authorization: `Bearer ${planted.caller}` }
      let asked = 0
      for (const [where, answer, isGood] of places) {
        upstream.setScript(answer)
        for (const stream of [false, true]) {
          const given = yield* post(port, path, { ...body, stream }, headers)
          asked += 1
          const record = (yield* awaitRecords(asked)).at(-1)
          const seen = {
            answer: isGood === true ? "" : given?.body.toString("utf8"),
            head: JSON.stringify(given?.headers),
            record: JSON.stringify(
              { ...record, response: isGood === true ? undefined : record?.response },
              (_, value: unknown) =>
                value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : value,
            ),
            log: lines.splice(0).join("\n"),
          }
          for (const [place, text = ""] of Object.entries(seen)) {
            expect({ where, stream, place, keys: keysIn(text) }).toEqual({ where, stream, place, keys: [] })
          }
          expect([where, given?.status]).not.toEqual([where, undefined])
          const sent = given?.body.toString("utf8") ?? ""
          if (!sent.includes("data: ") && given?.status !== 200) expect(() => JSON.parse(sent)).not.toThrow()
        }
      }
      for (const target of ["/health?verbose", "/v1/models"]) {
        const given = yield* request(port, "GET", target, headers)
        expect(keysIn(given?.body.toString("utf8") ?? "")).toEqual([])
      }
      expect(keysIn(lines.join("\n"))).toEqual([])
    }),
  )
})

describe("What a provider says of an error", () => {
  const forged =
    "no\n12:00:00.000 INFO  request id=forged status=200 outcome=ok\r\n\u001b[2J\u009b\u202e\u2028"

  /** Errors as providers hide them, with a text that would forge a line, or be one of megabytes. */
  const answers: ReadonlyArray<readonly [where: string, answer: (message: string) => Answer]> = [
    ["in a 200", (message) => json({ error: { message } })],
    [
      "in a 200 in OpenAI's shape",
      (message) => json({ error: { message, type: "t", param: null, code: null } }),
    ],
    ["in a 500", (message) => status(500, { error: { message } })],
    ["in a 400", (message) => status(400, { error: { message, type: message, code: message } })],
    ["in an event", (message) => sse([{ error: { message } }])],
    ["behind text", (message) => sse([textChunk("Hello"), { error: { message } }])],
    [
      "in a reason to finish",
      (message) => json({ choices: [{ message: { content: "Hello" }, finish_reason: message }] }),
    ],
  ]

  it.scopedLive.each(answers)(
    "%s is one short line in the log and the record",
    ([, answer]) =>
      Effect.gen(function* () {
        const { awaitRecords, lines, port, upstream } = yield* stack(answer(forged))
        const records: Array<string> = []
        for (const message of [forged, "m".repeat(5_000_000)]) {
          upstream.setScript(answer(message))
          for (const stream of [false, true]) {
            yield* post(port, path, { ...body, stream })
            const { attempts, error, finishReason } = (yield* awaitRecords(records.length + 1)).at(-1) ?? {}
            records.push(JSON.stringify({ attempts, error, finishReason }))
          }
        }
        for (const text of [...lines, ...records]) {
          expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
          expect(text).not.toMatch(/\\n|\\u001b/)
          expect(text.length).toBeLessThan(2_500)
        }
        expect(lines.length).toBeGreaterThan(0)
      }),
    20_000,
  )
})

describe("The type of an answer", () => {
  it.scopedLive("is what its body was read as, whatever the provider calls it", () =>
    Effect.gen(function* () {
      const page = { ...chatCompletion("<script>alert(1)</script>"), x: "<script>alert(1)</script>" }
      for (const type of [
        "text/html",
        "text/html; application/json",
        "application/xhtml+json",
        "image/svg+xml",
        "application/json; charset=utf-7",
        "text/event-stream",
        "",
      ]) {
        const headers: Record<string, string> = type === "" ? {} : { "content-type": type }
        const { port, upstream } = yield* stack(json(page, headers))
        for (const stream of [false, true]) {
          const expected = stream ? "text/event-stream; charset=utf-8" : "application/json"
          const plain = yield* post(port, path, { ...body, stream })
          expect([type, plain?.status, plain?.headers["content-type"]]).toEqual([type, 200, expected])
          upstream.setScript(sse([textChunk("<b>"), finishChunk()], { headers }))
          const streamed = yield* post(port, path, { ...body, stream })
          expect([type, streamed?.status, streamed?.headers["content-type"]]).toEqual([type, 200, expected])
          upstream.setScript(json(page, headers))
        }
        upstream.setScript(status(418, "<script>alert(1)</script>", headers))
        const refused = yield* post(port, path, body)
        expect([type, refused?.headers["content-type"]]).toEqual([type, "application/json"])
      }
    }),
  )
})

/** Read by Node itself, which joins megabytes once. */
const fetched = (port: number, asked: unknown) =>
  Effect.promise(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
    })
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) }
  })

describe("An answer of megabytes", () => {
  const message = { role: "assistant", content: "Hello." }
  const repeated = (piece: string, megabytes: number): string =>
    piece.repeat(Math.floor((megabytes * 1024 * 1024) / piece.length))
  const odds = '{"token":"a","logprob":-0.25,"bytes":[97],"top_logprobs":[]},'
  const choice = `"choices":[{"index":0,"message":${JSON.stringify(message)},"finish_reason":"stop"`
  const usage = '"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}'

  /** Plain answers: what is asked for is in them, among what would take seconds and gigabytes as a tree. */
  const good: ReadonlyArray<readonly [what: string, text: string]> = [
    [
      "the odds of 150,000 tokens",
      `{${choice},"logprobs":{"content":[${repeated(odds, 9)}${odds.slice(0, -1)}]}}],${usage}}`,
    ],
    ["empty objects", `{"x":[${repeated("{},", 12)}{}],${choice}}],${usage}}`],
    ["numbers", `{${choice}}],"embedding":[${repeated("0.12345678,", 12)}0],${usage}}`],
    ["an image", `{${choice},"image":"${repeated("abcd", 12)}"}],${usage}}`],
    ["the word error", `{${choice}}],"x":[${repeated('"error",', 10)}"error"],${usage}}`],
  ]

  it.scopedLive.each(good)("with %s goes to the caller as it came, and its usage to the record", ([, text]) =>
    Effect.gen(function* () {
      const { awaitRecords, port } = yield* stack(status(200, text))
      const given = yield* fetched(port, body)
      expect(given.status).toBe(200)
      expect(given.bytes.equals(Buffer.from(text))).toBe(true)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok", finishReason: "stop", usage: { totalTokens: 10 } })
    }),
  )

  it.scopedLive.each([
    ["of brackets that is no JSON", repeated("[", 12)],
    ["that never closes", `{"x":${repeated("[", 12)}`],
    ["of objects that says nothing", `{"x":[${repeated("{},", 12)}{}]}`],
  ])("%s is a failed attempt", ([, text]) =>
    Effect.gen(function* () {
      const { port } = yield* stack(status(200, text))
      expect((yield* post(port, path, body))?.status).toBe(502)
    }),
  )

  it.scopedLive("with an error in it is that error, briefly", () =>
    Effect.gen(function* () {
      const text = `{"error":{"message":"out of luck","more":[${repeated("{},", 10)}{}]}}`
      const { port } = yield* stack(status(200, text))
      const given = yield* post(port, path, body)
      expect([given?.status, given?.body.length]).toEqual([502, expect.any(Number)])
      expect(given?.body.toString("utf8")).toContain("out of luck")
      expect(given?.body.length).toBeLessThan(40_000)
    }),
  )

  it.scopedLive(
    "as one event of a stream is passed on where it is a text, and refused where it is a heap",
    () =>
      Effect.gen(function* () {
        const image = {
          choices: [{ index: 0, delta: { content: "", images: [{ url: repeated("abcd", 9) }] } }],
        }
        const heap = `{"choices":[{"index":0,"delta":{"content":"a","x":[${repeated("{},", 2)}{}]}}]}`
        const { awaitRecords, port, upstream } = yield* stack(sse([image, finishChunk()]))
        const streaming = { ...body, stream: true }
        const whole = (yield* fetched(port, streaming)).bytes.toString("utf8")
        expect(whole.includes(`data: ${JSON.stringify(image)}\n\n`)).toBe(true)
        expect(whole.includes("data: [DONE]")).toBe(true)
        const inText = textChunk(repeated("abcd", 9))
        upstream.setScript(sse([inText, finishChunk()]))
        const text = (yield* fetched(port, streaming)).bytes.toString("utf8")
        expect(text.includes(`data: ${JSON.stringify(inText)}\n\n`)).toBe(true)
        upstream.setScript(sse([heap, finishChunk()]))
        expect((yield* post(port, path, streaming))?.status).toBe(502)
        upstream.setScript(sse([textChunk("a"), heap, finishChunk()]))
        const broken = yield* post(port, path, streaming)
        expect(broken?.body.toString("utf8")).toMatch(/over 1048576 bytes outside of its texts/)
        const causes = (yield* awaitRecords(4)).flatMap(({ attempts }) => attempts.map(({ cause }) => cause))
        expect(causes).toContain("broke off (one event had over 1048576 bytes outside of its texts)")
      }),
  )

  it.scopedLive("is transformed, cut into chunks or put together aside, and comes to the same", () =>
    Effect.gen(function* () {
      const thought = { ...message, content: "<think>hm</think>Hello." }
      const logprobs = `{"content":[${repeated(odds, 3)}${odds.slice(0, -1)}]}`
      const text = `{"id":"1",${choice.replace(JSON.stringify(message), JSON.stringify(thought))},"logprobs":${logprobs}}],${usage}}`
      const upstream = yield* scriptedUpstream(status(200, text))
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url, thinking_format: "strip" }]))
      const plain = (yield* fetched(port, body)).bytes.toString("utf8")
      expect(plain.slice(0, 200)).toBe(text.replace("<think>hm</think>", "").slice(0, 200))
      expect(plain === text.replace("<think>hm</think>", "")).toBe(true)
      const streamed = (yield* fetched(port, { ...body, stream: true })).bytes.toString("utf8")
      expect(streamed.includes(`"logprobs":${logprobs}`)).toBe(true)
      expect(streamed.includes('"content":"Hello."')).toBe(true)
      expect(streamed.endsWith("data: [DONE]\n\n")).toBe(true)
      const long = "word ".repeat(1_200_000)
      const said = { role: "assistant", content: `<think>hm</think>${long}` }
      upstream.setScript(
        status(200, { id: "1", choices: [{ index: 0, message: said, finish_reason: "stop" }] }),
      )
      // An event that has come as long is too long to be changed: this one is made of a changed answer.
      const longStreamed = (yield* fetched(port, { ...body, stream: true })).bytes.toString("utf8")
      expect(longStreamed.includes(`"content":"${long}"`)).toBe(true)
      expect(longStreamed.includes("think")).toBe(false)
      expect(longStreamed.endsWith("data: [DONE]\n\n")).toBe(true)
      const words = Array.from({ length: 4_000 }, (_, at) => textChunk(`${at} `))
      upstream.setScript(streamedBytes(eventStream([...words, finishChunk()])))
      const gathered: unknown = JSON.parse((yield* fetched(port, body)).bytes.toString("utf8"))
      expect(gathered).toMatchObject({
        choices: [{ message: { content: words.map((_, at) => `${at} `).join("") }, finish_reason: "stop" }],
      })
    }),
  )

  it.scopedLive("as a list of models is none where it is all objects", () =>
    Effect.gen(function* () {
      const { lines, port } = yield* stack(status(200, `{"data":[${repeated("{},", 7)}{}]}`))
      expect((yield* request(port, "GET", "/v1/models"))?.status).toBe(200)
      expect(lines.join("\n")).toContain("model list")
    }),
  )
})

describe("A request that a provider cannot bear", () => {
  it.scopedLive("sets the provider aside for its own caller, not for others, until they fail too", () =>
    Effect.gen(function* () {
      const ill = yield* scriptedUpstream(({ bytes }) =>
        bytes.includes("poison") ? status(500) : json(chatCompletion("Hello.")),
      )
      const standby = yield* scriptedUpstream(json(chatCompletion("Hello.")))
      const { port } = yield* startGateway(
        configOf([{ base_url: ill.url }, { base_url: standby.url }], {
          server: { access_keys: ["key-of-the-first-caller", "key-of-the-second-one"] },
          breaker: { failures: 3, open_ms: 60_000, max_open_ms: 60_000 },
        }),
      )
      const askedBy = (key: string, content: string) =>
        Effect.map(
          post(
            port,
            path,
            { model: "gpt-4o", messages: [{ role: "user", content }] },
            {
              authorization: `Bearer ${key}`,
            },
          ),
          (given) => given?.headers["x-sluice-upstream"],
        )
      const [first, other] = ["key-of-the-first-caller", "key-of-the-second-one"]
      for (let at = 0; at < 5; at++) yield* askedBy(first, `poison ${at}`)
      expect(ill.requests).toHaveLength(3)
      expect(yield* askedBy(other, "Hello?")).toBe("first")
      for (let at = 0; at < 3; at++) yield* askedBy(first, `poison ${at}`)
      expect(yield* askedBy(first, "Hello?")).toBe("second")
      yield* askedBy(other, "poison")
      expect(yield* askedBy(other, "Hello?")).toBe("second")
    }),
  )
})
