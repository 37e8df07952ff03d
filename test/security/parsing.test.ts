/**
 * Bodies that are dear to read: what holds too many values is refused before it is parsed and before the rest of it is read, what is long is read
 * beside the event loop, and the memory of all of them is counted, and given back.
 */
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { afterEach, vi } from "vitest"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const mebibyte = 1024 * 1024

/** A request with this value in it. */
const holding = (value: string): string =>
  `{"model":"gpt-4o","messages":[{"role":"user","content":"Hello?"}],"x":${value}}`

const saying = (content: string): string =>
  `{"model":"gpt-4o","messages":[{"role":"user","content":"${content}"}]}`

const filled = (unit: string, bytes: number): string => unit.repeat(Math.ceil(bytes / unit.length))

/** Each far beyond what is read, and far below `max_body_bytes`. */
const hostile: ReadonlyArray<readonly [what: string, body: string]> = [
  ["empty objects", holding(`[${filled("{},", 3 * mebibyte)}{}]`)],
  ["empty lists", holding(`[${filled("[],", 3 * mebibyte)}[]]`)],
  ["lists in lists, never closed", `{"model":${filled("[", 3 * mebibyte)}`],
  ["objects in objects, never closed", filled('{"a":', 3 * mebibyte)],
  ["empty strings", holding(`[${filled('"",', 6 * mebibyte)}""]`)],
  [
    "members of one object",
    holding(`{${Array.from({ length: 200_000 }, (_, at) => `"k${at}":1`).join(",")}}`),
  ],
  [
    "objects with names that all differ",
    holding(`[${Array.from({ length: 200_000 }, (_, at) => `{"k${at}":1}`).join(",")}]`),
  ],
  ["numbers", holding(`[${filled("1,", 6 * mebibyte)}1]`)],
  ["commas, which are no JSON", filled(",", 6 * mebibyte)],
  ["messages", `{"model":"gpt-4o","messages":[${filled('{"role":"user","content":""},', 4 * mebibyte)}{}]}`],
]

/** Dear to read, and meant well. */
const long: ReadonlyArray<readonly [what: string, body: string]> = [
  ["an image of 20 MB", saying(filled("QUJD", 20 * mebibyte))],
  ["a text of 4 MB that is all escapes", saying(filled('\\n\\"', 4 * mebibyte))],
  ["a text of 4 MB beyond ASCII", saying(filled("日本語の文章です。", mebibyte))],
  ["a million tokens", holding(`[${filled("12345,", 6_000_000)}1]`)],
  ["8 MB of white space", `${" ".repeat(8 * mebibyte)}${saying("Hello?")}`],
]

const post = (
  baseUrl: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  Effect.promise(async () => {
    const response = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    })
    return { status: response.status, body: await response.json() }
  })

const requestsOf = (baseUrl: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${baseUrl}/health?verbose`)
    return JSON.stringify(await response.json())
  })

const nothingHeld = '"requests":{"in_flight":0,"buffered_bytes":0}'

describe("A body that is dear to read", () => {
  afterEach(() => void vi.restoreAllMocks())

  it.scopedLive(
    "is refused where it holds too many values, packed or not, before anything of it is parsed",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(() => chat("fine"))
        const { awaitRecords, baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url }]))
        const parse = vi.spyOn(JSON, "parse")
        for (const [what, body] of hostile) {
          const packed = new Uint8Array(gzipSync(body, { level: 1 }))
          for (const answer of [
            yield* post(baseUrl, body),
            yield* post(baseUrl, packed, { "content-encoding": "gzip" }),
          ]) {
            expect([what, answer]).toMatchObject([
              what,
              { status: 400, body: { error: { code: "too_many_values", param: null } } },
            ])
          }
        }
        // Answers are parsed here, requests nowhere.
        expect(parse.mock.calls.filter(([text]) => text.length > 100_000)).toEqual([])
        expect(upstream.requests).toEqual([])
        expect((yield* awaitRecords(2 * hostile.length)).every(({ outcome }) => outcome === "rejected")).toBe(
          true,
        )
        yield* eventually("all memory to be given back", requestsOf(baseUrl), (health) =>
          health.includes(nothingHeld),
        )
      }),
    60_000,
  )

  it.scopedLive(
    "is refused while it is still being sent",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(() => chat("fine"))
        const { baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url }]))
        let sent = 0
        const answer = yield* Effect.promise(async () => {
          const body = new ReadableStream<Uint8Array>({
            pull: (controller) => {
              // It never ends of itself.
              sent += mebibyte
              controller.enqueue(new TextEncoder().encode(filled("[],", mebibyte)))
            },
          })
          const response = await fetch(`${baseUrl}/v1/chat/completions`, {
            method: "POST",
            body,
            duplex: "half",
          })
          return response.status
        })
        expect(answer).toBe(400)
        expect(sent).toBeLessThan(45 * mebibyte)
      }),
    30_000,
  )

  it.scopedLive(
    "and meant well is read beside the event loop, which parses none of it and answers others meanwhile",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream(() => chat("fine"))
        const { awaitRecords, baseUrl } = yield* startGateway(
          configOf([{ base_url: upstream.url, max_tokens: 100 }]),
        )
        const parse = vi.spyOn(JSON, "parse")
        for (const [what, body] of long) {
          let others = 0
          const whole = yield* Effect.raceFirst(
            post(baseUrl, body),
            Effect.forever(
              Effect.zipRight(
                Effect.promise(async () => (await fetch(`${baseUrl}/livez`)).text()),
                Effect.sync(() => {
                  others += 1
                }),
              ),
            ),
          )
          expect([what, whole.status]).toEqual([what, 200])
          expect(others).toBeGreaterThan(0)
          const sent = String(upstream.requests.at(-1)?.bytes)
          expect([what, sent === `${body.slice(0, -1)},"max_tokens":100}`]).toEqual([what, true])
        }
        // The scripted upstream reads what it is sent; nobody else does.
        expect(parse.mock.calls.filter(([text]) => text.length > 100_000).length).toBeLessThanOrEqual(
          long.length,
        )
        expect((yield* awaitRecords(long.length)).every(({ model }) => model === "gpt-4o")).toBe(true)
        yield* eventually("all memory to be given back", requestsOf(baseUrl), (health) =>
          health.includes(nothingHeld),
        )
      }),
    60_000,
  )

  it.scopedLive("and wrong is told so as a small one is", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(() => chat("fine"))
      const { baseUrl } = yield* startGateway(configOf([{ base_url: upstream.url }]))
      const big = filled("QUJD", 2 * mebibyte)
      const cases: ReadonlyArray<readonly [body: string, status: number, param: string | null]> = [
        [`{"model":5,"x":"${big}"}`, 400, "model"],
        [`{"model":"gpt-4o","messages":[],"x":"${big}"}`, 400, "messages"],
        [`{"model":"gpt-4o","Model":"x","messages":[{"role":"user","content":"${big}"}]}`, 400, "model"],
        [`{"model":"gpt-4o","messages":[{"role":"user","content":"${big}"}`, 400, null],
        [`{"model":"else","messages":[{"role":"user","content":"${big}"}]}`, 404, "model"],
        [`[${JSON.stringify(big)}]`, 400, null],
      ]
      for (const [body, status, param] of cases) {
        expect(yield* post(baseUrl, body)).toMatchObject({ status, body: { error: { param } } })
      }
      expect(upstream.requests).toEqual([])
    }),
  )

  it.scopedLive("is counted with what it is read to, and let go of when its answer has begun", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(() => chat("fine"))
      const { baseUrl } = yield* startGateway(
        `server: { max_buffered_bytes: 1000000 }\n${configOf([{ base_url: upstream.url }])}`,
      )
      // 40 KB of empty objects are a megabyte; as much text is not.
      expect(yield* post(baseUrl, holding(`[${filled("{},", 40_000)}{}]`))).toMatchObject({
        status: 503,
        body: { error: { code: "overloaded" } },
      })
      expect(yield* post(baseUrl, saying(filled("a", 40_000)))).toMatchObject({ status: 200 })
      yield* eventually("all memory to be given back", requestsOf(baseUrl), (health) =>
        health.includes(nothingHeld),
      )
    }),
  )
})
