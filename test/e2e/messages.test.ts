/** Anthropic's Messages through sockets: what goes along with a request, callers that leave, silence, and streams that another client goes on with. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { marked } from "../../src/routing/Mark.ts"
import { configOf, configuredKey, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { cutUp, eventsOf, framesOf, messageOf, saying, textBlock } from "../support/Messages.ts"
import { within } from "../support/Patience.ts"
import { exchange, jsonOf, post, postBytes, rawConnection } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const body = { model: "claude-x", max_tokens: 64, messages: [{ role: "user", content: "Count." }] }

const gatewayBefore = (
  scripts: ReadonlyArray<Scripted.Script>,
  more: Partial<Entry> = {},
  rest: Readonly<Record<string, unknown>> = {},
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const entry = { model_match: { type: "keyword", value: ["claude"] }, dialects: ["messages"], ...more }
    const gateway = yield* startGateway(
      configOf(
        upstreams.map(({ url }) => ({ ...entry, base_url: url })),
        rest,
      ),
    )
    return { ...gateway, upstreams }
  })

/** The events of a raw answer's body. */
const eventsIn = (
  text: string | undefined,
): ReadonlyArray<readonly [name: string | undefined, data: unknown]> =>
  (text ?? "")
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const data: unknown = JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? "null")
      return [/^event: (.*)$/m.exec(frame)?.[1], data]
    })

const textIn = (text: string | undefined): string =>
  Array.from((text ?? "").matchAll(/"text_delta","text":"([^"]*)"/g), ([, said]) => said).join("")

describe("A request for a message", () => {
  it.scopedLive("takes its query, its version and its betas along, and its answer the limits back", () =>
    Effect.gen(function* () {
      const limits = {
        "anthropic-ratelimit-tokens-remaining": "7",
        "anthropic-organization-id": "org",
        "retry-after": "3",
        "request-id": "req_011",
      }
      const { awaitRecords, port, upstreams } = yield* gatewayBefore([Scripted.json(saying("One."), limits)])
      const headers = {
        "x-api-key": "sk-of-the-caller",
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "context-management-2025-06-27,new-2027-01-01",
        "x-claude-code-session-id": "session-1",
        "x-request-id": "id-1",
      }
      const got = yield* exchange(port, postBytes("/v1/messages?beta=true", body, headers))
      expect(got?.status).toBe(200)
      expect(got?.headers).toMatchObject({
        "anthropic-ratelimit-tokens-remaining": "7",
        "anthropic-organization-id": "org",
        "retry-after": "3",
        "x-upstream-request-id": "req_011",
        "request-id": "id-1",
        "x-request-id": "id-1",
      })
      const sent = upstreams[0]?.requests[0]
      expect(sent?.path).toBe("/v1/messages?beta=true")
      const { "x-api-key": _, "x-request-id": __, ...forwarded } = headers
      expect(sent?.headers).toMatchObject(forwarded)
      expect(JSON.stringify(sent?.headers)).not.toContain("sk-of-the-caller")
      expect(JSON.stringify(sent?.headers)).toContain(configuredKey)
      yield* post(port, "/anthropic/v1/messages?a=%2F%22&b", body)
      expect(upstreams[0]?.requests[1]).toMatchObject({
        path: "/v1/messages?a=%2F%22&b",
        headers: { "anthropic-version": "2023-06-01" },
      })
      const [record] = yield* awaitRecords(2)
      expect(record).toMatchObject({ conversation: expect.any(String), usage: { inputTokens: 7 } })
    }),
  )

  it.scopedLive("is told which dialects its model's clients speak, where they speak none", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* gatewayBefore([Scripted.json({})], { dialects: [] })
      const got = yield* post(port, "/v1/messages", body)
      expect(jsonOf(got)).toMatchObject({
        type: "error",
        error: { message: expect.stringContaining("No client of it speaks any dialect") },
      })
      expect(upstreams[0]?.requests.length).toBe(0)
    }),
  )
})

describe("What a client sealed of a message", () => {
  const thinking = [{ type: "thinking", thinking: "So.", signature: "c2ln" }, textBlock("One.")]
  const answer = messageOf(thinking)

  it.scopedLive("goes back to it as it was, and to nobody else, who is told of", () =>
    Effect.gen(function* () {
      const busy = Scripted.status(529, {
        type: "error",
        error: { type: "overloaded_error", message: "busy" },
      })
      const { awaitRecords, port, upstreams } = yield* gatewayBefore([
        Scripted.sequence(Scripted.json(answer), Scripted.json(answer), busy),
        Scripted.json(answer),
      ])
      const told = jsonOf(yield* post(port, "/v1/messages", body))
      const content = Object(told)["content"]
      expect(content).toEqual([{ ...thinking[0], signature: marked("c2ln", "first") }, thinking[1]])
      const [asked] = body.messages
      const again = { ...body, messages: [asked, { role: "assistant", content }, asked] }
      const own = yield* post(port, "/v1/messages", again)
      expect(own?.headers["x-sluice-dropped"]).toBeUndefined()
      expect(upstreams[0]?.requests[1]?.body).toEqual({
        ...again,
        messages: [asked, { role: "assistant", content: thinking }, asked],
      })
      const other = yield* post(port, "/v1/messages", { ...again, stream: true })
      expect(other?.headers).toMatchObject({
        "x-sluice-upstream": "second",
        "x-sluice-dropped": "thinking.signature",
      })
      expect(other?.body.toString()).toContain(`"signature":"${marked("c2ln", "second")}"`)
      expect(upstreams[1]?.requests[0]?.body).toMatchObject({
        messages: [asked, { role: "assistant", content: [thinking[1]] }, asked],
      })
      const records = yield* awaitRecords(3)
      expect(records.map(({ dropped }) => dropped)).toEqual([[], [], ["thinking.signature"]])
    }),
  )

  it.scopedLive("is told of for the one that answers, where two are asked at once", () =>
    Effect.gen(function* () {
      let late: Scripted.Exchange | undefined
      const waits: Scripted.Answer = {
        give: (exchange) => {
          late = exchange
        },
      }
      // The second says nothing, and lets the first answer.
      const yields: Scripted.Answer = {
        give: () => {
          if (late !== undefined) Scripted.json(answer).give(late)
        },
      }
      const { awaitRecords, port } = yield* gatewayBefore(
        [
          Scripted.sequence(Scripted.json(answer), Scripted.hang(), waits),
          Scripted.sequence(Scripted.json(answer), yields),
        ],
        { hedge_after_ms: 20 },
      )
      const content = Object(jsonOf(yield* post(port, "/v1/messages", body)))["content"]
      const [asked] = body.messages
      const again = { ...body, stream: true, messages: [asked, { role: "assistant", content }, asked] }
      const other = yield* post(port, "/v1/messages", again)
      expect(other?.headers).toMatchObject({
        "x-sluice-upstream": "second",
        "x-sluice-dropped": "thinking.signature",
      })

      const got = yield* post(port, "/v1/messages", again)
      expect(got?.headers["x-sluice-upstream"]).toBe("first")
      expect(got?.headers["x-sluice-dropped"]).toBeUndefined()
      const records = yield* awaitRecords(3)
      expect(records.map(({ dropped }) => dropped)).toEqual([[], ["thinking.signature"], []])
    }),
  )

  it.scopedLive("is as it came where nobody else could be sent it, and comes back so", () =>
    Effect.gen(function* () {
      const bytes = framesOf(eventsOf(answer))
      const { port, upstreams } = yield* gatewayBefore([
        Scripted.sequence(Scripted.streamed(bytes), Scripted.json(answer)),
      ])
      const streamed = yield* post(port, "/v1/messages", { ...body, stream: true })
      expect(streamed?.body.toString()).toBe(bytes.toString())
      // Given out while there was another.
      const given = { ...thinking[0], signature: marked("c2ln", "first") }
      const [asked] = body.messages
      const again = (content: ReadonlyArray<unknown>) => ({
        ...body,
        messages: [asked, { role: "assistant", content }, asked],
      })
      const plain = yield* post(port, "/v1/messages", again([given, thinking[1]]))
      expect(plain?.body.toString()).toBe(JSON.stringify(answer))
      expect(upstreams[0]?.requests[1]?.body).toEqual(again(thinking))
    }),
  )

  it.scopedLive("is marked in long answers too, which are read aside", () =>
    Effect.gen(function* () {
      const long = messageOf([{ type: "redacted_thinking", data: "A".repeat(100_000) }, textBlock("One.")])
      const { port } = yield* gatewayBefore([Scripted.json(long), Scripted.hang()])
      const got = yield* post(port, "/v1/messages", body)
      expect(got?.body.toString()).toBe(
        JSON.stringify(long).replace(/A+"/, `${marked("A".repeat(100_000), "first")}"`),
      )
    }),
  )
})

describe("A streamed message", () => {
  const streaming = { ...body, stream: true }

  it.scopedLive("is its upstream's bytes, and put together in its record", () =>
    Effect.gen(function* () {
      const call = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Bern" } }
      const message = messageOf([textBlock("I look."), call], { stop_reason: "tool_use" })
      const bytes = framesOf(cutUp(eventsOf(message), [2]))
      const { awaitRecords, port } = yield* gatewayBefore([Scripted.streamed(bytes, { chunkSize: 11 })])
      const got = yield* post(port, "/v1/messages", streaming)
      expect(got?.headers["content-type"]).toContain("text/event-stream")
      expect(got?.body.toString()).toBe(bytes.toString())
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({
        outcome: "ok",
        stream: true,
        response: { kind: "events", truncated: false },
      })
    }),
  )

  it.scopedLive("closes its upstream's connection when its caller leaves", () =>
    Effect.gen(function* () {
      const controlled = Scripted.controlled()
      const { awaitRecords, port } = yield* gatewayBefore([controlled.answer, Scripted.json(saying("No."))])
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes("/v1/messages", streaming))
      yield* controlled.write(framesOf(eventsOf(saying("One.")).slice(0, 3)))
      yield* within(
        "the text",
        connection.until((text) => text.includes("One.")),
      )
      connection.socket.destroy()
      yield* within("that the upstream's connection is closed", controlled.closed)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ endpoint: "messages", outcome: "client_closed" })
      expect(record?.attempts.length).toBe(1)
    }),
  )

  it.scopedLive("begins with pings where it is to begin at once, and tells its error as an event", () =>
    Effect.gen(function* () {
      const { port } = yield* gatewayBefore(
        [Scripted.status(429, { type: "error", error: { type: "rate_limit_error", message: "slow" } })],
        {},
        { stream_start: "at_once" },
      )
      const got = yield* post(port, "/v1/messages", streaming)
      expect(eventsIn(got?.body.toString())).toEqual([
        ["ping", { type: "ping" }],
        ["error", { type: "error", error: { type: "rate_limit_error", message: "slow" } }],
      ])
    }),
  )

  it.scopedLive("passes its upstream's pings on as its own, once it has begun", () =>
    Effect.gen(function* () {
      const ping = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n')
      const events = eventsOf(saying("One."))
      const controlled = Scripted.controlled()
      const { port } = yield* gatewayBefore([controlled.answer])
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes("/v1/messages", streaming))
      yield* controlled.write(framesOf(events.slice(0, 1)))
      yield* controlled.write(ping)
      yield* controlled.write(framesOf(events.slice(1, 3)))
      yield* within(
        "the text",
        connection.until((text) => text.includes("One.")),
      )
      expect(connection.received().toString()).not.toContain("event: ping")
      yield* controlled.write(ping)
      yield* within(
        "the ping",
        connection.until((text) => text.includes('event: ping\ndata: {"type":"ping"}\n\n')),
      )
    }),
  )

  it.scopedLive("is gone on with by the next client that takes a prefill, as one message", () =>
    Effect.gen(function* () {
      const begins = framesOf(cutUp(eventsOf(saying("One, two ")), [3]).slice(0, -3))
      const { awaitRecords, port, upstreams } = yield* gatewayBefore(
        [
          Scripted.streamed(begins, { ending: "reset" }),
          Scripted.streamed(framesOf(eventsOf({ ...saying("and three."), id: "msg_02" }))),
        ],
        { resume: true },
      )
      const got = yield* post(port, "/v1/messages", streaming)
      const text = got?.body.toString()
      expect(textIn(text)).toBe("One, two and three.")
      expect(eventsIn(text).filter(([name]) => name === "message_start").length).toBe(1)
      expect(
        eventsIn(text)
          .map(([name]) => name)
          .slice(-3),
      ).toEqual(["content_block_stop", "message_delta", "message_stop"])
      expect(upstreams[1]?.requests[0]?.body).toEqual({
        ...streaming,
        messages: [...body.messages, { role: "assistant", content: "One, two" }],
      })
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "ok" })
      expect(record?.attempts.length).toBe(2)
    }),
  )

  it.scopedLive("is not gone on with within a call: its caller is told, and the block stays open", () =>
    Effect.gen(function* () {
      const call = { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Bern" } }
      const begins = framesOf(cutUp(eventsOf(messageOf([call])), [5]).slice(0, 4))
      const { port, upstreams } = yield* gatewayBefore(
        [Scripted.streamed(begins, { ending: "reset" }), Scripted.json(saying("No."))],
        { resume: true },
      )
      const got = yield* post(port, "/v1/messages", streaming)
      const events = eventsIn(got?.body.toString())
      expect(events.at(-1)).toMatchObject(["error", { type: "error", error: { type: "api_error" } }])
      expect(events.some(([name]) => name === "content_block_stop" || name === "message_stop")).toBe(false)
      expect(upstreams[1]?.requests.length).toBe(0)
    }),
  )
})
