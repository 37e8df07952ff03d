/** A stream that breaks off and is resumed by another upstream: one answer to its caller, both attempts in the audit. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { call, sdk } from "../support/Sdk.ts"
import { chatCompletion, chunk, finishChunk, textChunk, usageChunk } from "../support/Wire.ts"

const client = (name: string, url: string, more = "") =>
  `  - { name: ${name}, base_url: "${url}", api_key: sk-own, model_match: { type: keyword, value: [gpt] }${more} }\n`

const messages = [{ role: "user" as const, content: "Count." }]

/** Everything the SDK says of a streamed answer, or of its end. */
const stream = (baseUrl: string) =>
  call(async () => {
    const events: Array<string> = []
    const ids = new Set<string>()
    let text = ""
    try {
      const chunks = await sdk({ baseUrl }).chat.completions.create({
        model: "gpt-4",
        messages,
        stream: true,
      })
      for await (const { choices, id } of chunks) {
        ids.add(id)
        for (const { delta, finish_reason } of choices) {
          if (delta.role !== undefined) events.push(`role ${delta.role}`)
          text += delta.content ?? ""
          if (finish_reason !== null) events.push(`finished ${finish_reason}`)
        }
      }
    } catch (cause) {
      events.push(`failed: ${String(cause)}`)
    }
    return { events, text, ids: ids.size }
  })

const begins = [chunk({ role: "assistant", content: "" }), textChunk("One, two"), textChunk(", three")]

/** Cut in the middle, in good order or by a reset. */
const cutOff = Scripted.sse(begins, { done: false })

const continues = (body: unknown) =>
  Scripted.sse([
    chunk({ role: "assistant", content: "" }, { id: "chatcmpl-other" }),
    textChunk(typeof body === "object" ? ", four" : "?", { id: "chatcmpl-other" }),
    finishChunk("stop", { id: "chatcmpl-other" }),
    usageChunk({ prompt: 12, completion: 2 }),
  ])

describe("A stream that breaks off", () => {
  it.scopedLive("is resumed by the next client that has resume, as one answer", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(cutOff)
      const second = yield* Scripted.scriptedUpstream(({ body }) => continues(body))
      const { awaitRecords, baseUrl } = yield* startGateway(
        `breaker: { failures: 1 }\nopenai_clients:\n${client("a", first.url)}${client(
          "b",
          second.url,
          ", priority: 0, resume: true, resume_message: { prefix: true }, resume_body: { top_k: 1 }",
        )}`,
      )
      expect(yield* stream(baseUrl)).toEqual({
        events: ["role assistant", "finished stop"],
        text: "One, two, three, four",
        ids: 1,
      })
      expect(second.requests).toMatchObject([
        {
          body: {
            model: "gpt-4",
            top_k: 1,
            stream: true,
            messages: [...messages, { role: "assistant", content: "One, two, three", prefix: true }],
          },
        },
      ])
      expect(yield* awaitRecords(1)).toMatchObject([
        {
          outcome: "ok",
          upstream: "b",
          finishReason: "stop",
          usage: { inputTokens: 12, outputTokens: 2 },
          attempts: [
            { upstream: "a", status: 200, cause: expect.stringMatching(/^broke off: /) },
            { upstream: "b", status: 200, resumed: true },
          ],
        },
      ])
      // The one that broke is set aside, the one that went on is not.
      const health: unknown = yield* call(async () => (await fetch(`${baseUrl}/health?verbose`)).json())
      expect(health).toMatchObject({
        upstreams: [
          { name: "a", state: "open", in_flight: 0 },
          { name: "b", state: "closed", in_flight: 0 },
        ],
      })
    }),
  )

  it.scopedLive("is resumed by one that was asked beside it, and only was slower", () =>
    Effect.gen(function* () {
      const begun = Scripted.controlled()
      const first = yield* Scripted.scriptedUpstream(begun.answer)
      const second = yield* Scripted.scriptedUpstream(Scripted.sequence(Scripted.hang(), continues({})))
      const { awaitRecords, baseUrl } = yield* startGateway(
        `openai_clients:\n${client("a", first.url, ", hedge_after_ms: 20")}${client(
          "b",
          second.url,
          ", priority: 0, resume: true",
        )}`,
      )
      const answering = yield* Effect.fork(stream(baseUrl))
      const beside = yield* second.awaitRequest(1)
      yield* begun.push(chunk({ role: "assistant", content: "One, two, three" }))
      yield* beside.abandoned
      yield* begun.end("cut")
      expect(yield* Fiber.join(answering)).toMatchObject({
        events: ["role assistant", "finished stop"],
        text: "One, two, three, four",
      })
      const [record] = yield* awaitRecords(1)
      expect(record?.attempts.map(({ resumed, upstream }) => [upstream, resumed])).toEqual([
        ["b", undefined],
        ["a", undefined],
        ["b", true],
      ])
    }),
  )

  it.scopedLive("is resumed by one that says all that is left in one event, as a plain answer", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(cutOff)
      const second = yield* Scripted.scriptedUpstream(Scripted.sse([chatCompletion(", four")]))
      const { baseUrl } = yield* startGateway(
        `openai_clients:\n${client("a", first.url)}${client("b", second.url, ", priority: 0, resume: true")}`,
      )
      expect(yield* stream(baseUrl)).toEqual({
        events: ["role assistant", "finished stop"],
        text: "One, two, three, four",
        ids: 1,
      })
    }),
  )

  it.scopedLive("is resumed by upstream after upstream for as long as there are any", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(cutOff)
      const busy = yield* Scripted.scriptedUpstream(Scripted.status(503, "no"))
      const middle = yield* Scripted.scriptedUpstream(
        Scripted.sse([textChunk(" and"), textChunk(" a half")], { done: false }),
      )
      const last = yield* Scripted.scriptedUpstream(({ body }) => continues(body))
      const { awaitRecords, baseUrl } = yield* startGateway(
        `openai_clients:\n${client("a", first.url, ", fallback: b")}${[
          ["b", busy.url, "c"],
          ["c", middle.url, "d"],
          ["d", last.url, "false"],
        ]
          .map(([name = "", url = "", fallback = ""]) =>
            client(name, url, `, priority: 0, resume: true, fallback: ${fallback}`).replace(
              "gpt]",
              `${name}]`,
            ),
          )
          .join("")}`,
      )
      expect((yield* stream(baseUrl)).text).toBe("One, two, three and a half, four")
      expect(last.requests[0]?.body).toMatchObject({
        messages: [...messages, { role: "assistant", content: "One, two, three and a half" }],
      })
      expect((yield* awaitRecords(1))[0]?.attempts).toMatchObject([
        { upstream: "a", status: 200, cause: expect.stringMatching(/^broke off/) },
        { upstream: "b", status: 503, resumed: true },
        { upstream: "c", status: 200, cause: expect.stringMatching(/^broke off/), resumed: true },
        { upstream: "d", status: 200, resumed: true },
      ])
    }),
  )

  it.scopedLive("ends in one error event where nobody may resume it, or whoever is asked cannot", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(cutOff)
      const second = yield* Scripted.scriptedUpstream(Scripted.status(400, "no such thing as prefill"))
      const { awaitRecords, baseUrl, reload } = yield* startGateway(
        `openai_clients:\n${client("a", first.url)}${client("b", second.url, ", priority: 0")}`,
      )
      const broken = yield* stream(baseUrl)
      expect(broken).toMatchObject({
        text: "One, two, three",
        events: ["role assistant", expect.stringMatching(/^failed/)],
      })
      expect(second.requests).toHaveLength(0)

      yield* reload(
        `openai_clients:\n${client("a", first.url)}${client("b", second.url, ", priority: 0, resume: true")}`,
      )
      expect(yield* stream(baseUrl)).toEqual(broken)
      expect(second.requests).toHaveLength(1)
      expect(yield* awaitRecords(2)).toMatchObject([
        { outcome: "stream_broken", upstream: "a", attempts: [{ upstream: "a", status: 200 }] },
        {
          outcome: "stream_broken",
          upstream: "a",
          attempts: [
            { upstream: "a", status: 200, cause: expect.stringMatching(/^broke off/) },
            { upstream: "b", status: 400, resumed: true },
          ],
        },
      ])
    }),
  )

  it.scopedLive("is not resumed in the middle of a tool call", () =>
    Effect.gen(function* () {
      const first = yield* Scripted.scriptedUpstream(
        Scripted.sse(
          [
            chunk({
              tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "f", arguments: "{" } }],
            }),
          ],
          { done: false },
        ),
      )
      const second = yield* Scripted.scriptedUpstream(({ body }) => continues(body))
      const { awaitRecords, baseUrl } = yield* startGateway(
        `openai_clients:\n${client("a", first.url)}${client("b", second.url, ", priority: 0, resume: true")}`,
      )
      expect((yield* stream(baseUrl)).events).toEqual([expect.stringMatching(/^failed/)])
      expect(second.requests).toEqual([])
      expect(yield* awaitRecords(1)).toMatchObject([
        { outcome: "stream_broken", attempts: [{ status: 200 }] },
      ])
    }),
  )
})
