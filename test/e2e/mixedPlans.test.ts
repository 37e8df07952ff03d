/** Plans of clients that speak different dialects: each is asked in its own, and whichever answers, its caller sees one answer in the caller's. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { NeutralAnswer } from "../../src/dialects/Answer.ts"
import { forms } from "../../src/dialects/Forms.ts"
import { objectsIn } from "../../src/dialects/Members.ts"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { run } from "../../src/wire/Machine.ts"
import { decoder, isOverflow } from "../../src/wire/Sse.ts"
import { answerIn } from "../dialects/EventsOf.ts"
import { configOf, type Entry } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { type Step, strictError, strictFrames, strictReply, strictWhole } from "../support/StrictProvider.ts"

const paths = { chat: "/v1/chat/completions", responses: "/v1/responses", messages: "/v1/messages" } as const

const asks: { readonly [D in Dialect]: JsonObject } = {
  chat: { model: "gpt-4", max_completion_tokens: 100, messages: [{ role: "user", content: "Count." }] },
  responses: { model: "gpt-4", max_output_tokens: 100, input: "Count." },
  messages: { model: "gpt-4", max_tokens: 100, messages: [{ role: "user", content: "Count." }] },
}

const saying = (text: string): Step => ({ reasoning: "", text, calls: [] })

/** A client that speaks one dialect alone, and says this of whatever it understands. */
const speaking =
  (dialect: Dialect, text: string) =>
  ({ body, path }: Pick<Scripted.RecordedRequest, "body" | "path">): Scripted.Answer => {
    const { body: said, status, frames } = strictReply(dialect, path, body)
    if (status !== 200) return Scripted.status(status, said)
    return frames === undefined
      ? Scripted.json(strictWhole(dialect, saying(text)))
      : Scripted.streamed(Buffer.from(strictFrames(dialect, saying(text)).join("")))
  }

interface Before {
  readonly dialect: Dialect
  readonly script: Scripted.Script
  readonly more?: Partial<Entry>
}

const gatewayBefore = (clients: ReadonlyArray<Before>, rest: JsonObject = {}) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(clients, ({ script }) => Scripted.scriptedUpstream(script))
    const entries = upstreams.map(({ url }, at) => ({
      base_url: url,
      dialects: [clients[at]?.dialect],
      ...clients[at]?.more,
    }))
    return {
      gateway: yield* startGateway(configOf(entries, { breaker: { failures: 0 }, ...rest })),
      upstreams,
    }
  })

interface Got {
  readonly status: number
  readonly headers: Headers
  /** `undefined` where it is none, or broke off. */
  readonly answer: NeutralAnswer | undefined
  readonly text: string
}

const ask = (baseUrl: string, asked: Dialect, stream: boolean, more: JsonObject = {}): Effect.Effect<Got> =>
  Effect.promise(async () => {
    const response = await fetch(baseUrl + paths[asked], {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...asks[asked], ...(stream ? { stream } : {}), ...more }),
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const events = run(decoder({ maxEventBytes: 1_000_000 }), [bytes]).flatMap((output) =>
      isOverflow(output) ? [] : [output],
    )
    const answer =
      response.status !== 200
        ? undefined
        : stream
          ? answerIn(forms[asked], events)
          : forms[asked].readAnswer(parseObject(bytes) ?? {})
    return { status: response.status, headers: response.headers, answer, text: Buffer.from(bytes).toString() }
  })

const saidIn = ({ answer }: Got): string | undefined =>
  answer?.parts.map((part) => (part.kind === "text" ? part.text : `(${part.kind})`)).join("")

const triples = dialects.flatMap((asked) =>
  dialects.flatMap((first) =>
    dialects.filter((second) => second !== first).map((second) => [asked, first, second] as const),
  ),
)

const errorFrame = (dialect: Dialect): Scripted.Answer => {
  const error = strictError(dialect, "overloaded_error", "busy")
  const named = dialect === "chat" ? "" : "event: error\n"
  return Scripted.streamed(
    Buffer.from(
      `${named}data: ${JSON.stringify(dialect === "responses" ? { type: "error", ...error } : error)}\n\n`,
    ),
  )
}

const faults: ReadonlyArray<readonly [string, (dialect: Dialect) => Scripted.Answer]> = [
  ["answers 503", (dialect) => Scripted.status(503, strictError(dialect, "overloaded_error", "busy"))],
  ["breaks before its first event", () => Scripted.streamed(Buffer.from(": wait\n\n"), { ending: "reset" })],
  ["says an error first", errorFrame],
  [
    "does not know the model",
    (dialect) => Scripted.status(404, strictError(dialect, "not_found_error", "no such model")),
  ],
]

describe("Whoever comes next", () => {
  it.scopedLive.each(triples)(
    "answers a caller of %s where one of %s fails: one of %s",
    ([asked, first, second]) =>
      Effect.gen(function* () {
        const { gateway, upstreams } = yield* gatewayBefore([
          { dialect: first, script: Scripted.hang() },
          { dialect: second, script: speaking(second, "Four.") },
        ])
        for (const [fault, answer] of faults) {
          upstreams[0]?.setScript(answer(first))
          for (const stream of [false, true]) {
            const got = yield* ask(gateway.baseUrl, asked, stream)
            const { headers } = got
            expect(
              [saidIn(got), headers.get("x-sluice-upstream"), headers.get("x-sluice-dialect")],
              fault,
            ).toEqual(["Four.", "second", second])
          }
        }
      }),
  )
})

/** Which turns of the model can be gone on from, and so which answers can be resumed. */
const resumable = triples.filter(([asked, , second]) => asked !== "responses" && second !== "responses")

/** Says more where it is asked to go on. */
const goingOn =
  (dialect: Dialect): Scripted.Script =>
  (request) => {
    const messages = objectsIn(parseObject(request.bytes)?.["messages"])
    const [, begun] = messages
    if (begun?.["role"] !== "assistant" || !JSON.stringify(begun).includes("One, two"))
      return Scripted.status(400, `this is nothing to go on from: ${JSON.stringify(messages)}`)
    return speaking(dialect, " and four.")(request)
  }

const textDelta = { chat: '"content":"', responses: "output_text.delta", messages: "text_delta" } as const

/** The frames of a text, but for the last that says some of it and what is behind that. */
const cutShort = (dialect: Dialect): Buffer => {
  const frames = strictFrames(dialect, saying("One, two, three"))
  const last = frames.findLastIndex((frame) => frame.includes(textDelta[dialect]))
  return Buffer.from(frames.slice(0, last).join(""))
}

describe("A stream that breaks off in the middle", () => {
  it.scopedLive.each(resumable)("is resumed for a caller of %s: %s by %s", ([asked, first, second]) =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore([
        { dialect: first, script: Scripted.streamed(cutShort(first)) },
        { dialect: second, script: goingOn(second), more: { resume: true } },
      ])
      const got = yield* ask(gateway.baseUrl, asked, true)
      expect(saidIn(got), got.text).toMatch(/^One, two.* and four\.$/)
      expect(got.answer?.finish).toEqual({ kind: "stop" })
      const [row] = yield* gateway.awaitRecords(1)
      expect(row).toMatchObject({
        outcome: "ok",
        upstream: "second",
        attempts: [
          { upstream: "first", cause: expect.stringMatching(/^broke off/) },
          { upstream: "second", resumed: true },
        ],
      })
    }),
  )

  it.scopedLive.each(triples)(
    "is an error to a caller of %s where nobody resumes it: %s, not %s",
    ([asked, first, second]) =>
      Effect.gen(function* () {
        const { gateway, upstreams } = yield* gatewayBefore([
          { dialect: first, script: Scripted.streamed(cutShort(first)) },
          { dialect: second, script: speaking(second, "Four.") },
        ])
        const got = yield* ask(gateway.baseUrl, asked, true)
        expect([got.status, got.answer]).toEqual([200, undefined])
        expect(got.text).toContain("ended before it said that it was finished")
        expect(upstreams[1]?.requests).toEqual([])
      }),
  )
})

describe("A client beside another", () => {
  it.scopedLive.each(triples)(
    "answers a caller of %s first: %s is late, %s is not",
    ([asked, first, second]) =>
      Effect.gen(function* () {
        const { gateway, upstreams } = yield* gatewayBefore([
          { dialect: first, script: Scripted.hang(), more: { hedge_after_ms: 10 } },
          { dialect: second, script: speaking(second, "Four.") },
        ])
        for (const stream of [false, true]) {
          expect(saidIn(yield* ask(gateway.baseUrl, asked, stream))).toBe("Four.")
        }
        for (const { abandoned } of upstreams[0]?.requests ?? []) yield* abandoned
      }),
  )
})

const mixed = dialects.flatMap((asked) =>
  dialects.filter((spoken) => spoken !== asked).map((spoken) => [asked, spoken] as const),
)

describe("The dialect that a client was asked in", () => {
  it.scopedLive.each(mixed)(
    "is told of errors, too, and stands in the audit and the log: %s before %s",
    ([asked, spoken]) =>
      Effect.gen(function* () {
        const down = Scripted.status(529, strictError(spoken, "overloaded_error", "busy"))
        const upstream = yield* Scripted.scriptedUpstream(down)
        const lines: Array<Readonly<Record<string, unknown>>> = []
        const gateway = yield* startGateway(
          configOf([{ base_url: upstream.url, dialects: [spoken] }], { breaker: { failures: 0 } }),
          {},
          (line) => void lines.push(JSON.parse(line)),
        )
        const failed = yield* ask(gateway.baseUrl, asked, false, { anything: 1 })
        expect([failed.status, failed.headers.get("x-sluice-dialect")], failed.text).toEqual([529, spoken])
        upstream.setScript(Scripted.status(400, strictError(spoken, "invalid_request_error", "no")))
        const refused = yield* ask(gateway.baseUrl, asked, true)
        expect([refused.status, refused.headers.get("x-sluice-dialect")]).toEqual([400, spoken])
        const [row] = yield* gateway.awaitRecords(2)
        expect(row).toMatchObject({ dialect: asked, attempts: [{ dialect: spoken, status: 529 }] })
        const told = lines.filter(({ message }) => message === "attempt failed" || message === "request")
        expect(told.slice(0, 2)).toMatchObject([{ dialect: spoken }, { dropped: "anything" }])
      }),
  )
})

describe("What a client's dialect cannot say", () => {
  const seeded = { seed: 1 }

  it.scopedLive("is left out and told, of whoever answers alone", () =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore([
        { dialect: "messages", script: speaking("messages", "One.") },
        { dialect: "chat", script: speaking("chat", "Two.") },
      ])
      const got = yield* ask(gateway.baseUrl, "chat", false, seeded)
      expect([saidIn(got), got.headers.get("x-sluice-dropped")]).toEqual(["One.", "seed"])
      const two = yield* gatewayBefore([
        { dialect: "messages", script: Scripted.status(503) },
        { dialect: "chat", script: speaking("chat", "Two.") },
      ])
      const fallen = yield* ask(two.gateway.baseUrl, "chat", false, seeded)
      expect([saidIn(fallen), fallen.headers.get("x-sluice-dropped")]).toEqual(["Two.", null])
    }),
  )

  it.scopedLive.each<readonly [string, Partial<Entry>, JsonObject, string]>([
    ["it rejects what it cannot say", { on_unsupported: "reject" }, seeded, "seed"],
    ["it would answer something else", {}, { n: 2 }, "n"],
  ])("passes it by where %s, and is refused with its name where nobody else is", ([, more, members, name]) =>
    Effect.gen(function* () {
      const { gateway, upstreams } = yield* gatewayBefore([
        { dialect: "messages", script: speaking("messages", "One."), more },
        { dialect: "chat", script: speaking("chat", "Two.") },
      ])
      for (const stream of [false, true]) {
        const got = yield* ask(gateway.baseUrl, "chat", stream, members)
        expect([saidIn(got), got.headers.get("x-sluice-attempts")], got.text).toEqual(["Two.", "1"])
      }
      expect(upstreams[0]?.requests).toEqual([])

      const alone = yield* gatewayBefore([
        { dialect: "messages", script: speaking("messages", "One."), more },
        { dialect: "responses", script: speaking("responses", "Two."), more },
      ])
      const refused = yield* ask(alone.gateway.baseUrl, "chat", true, members)
      expect([refused.status, parseObject(Buffer.from(refused.text))]).toMatchObject([
        400,
        { error: { type: "invalid_request_error", param: name } },
      ])
      expect(refused.text).toMatch(new RegExp(`first: messages.* has no .${name}..*; second: responses`))
      const [row] = yield* alone.gateway.awaitRecords(1)
      expect(row).toMatchObject({
        status: 400,
        attempts: [],
        notAsked: [
          { upstream: "first", dialect: "messages" },
          { upstream: "second", dialect: "responses" },
        ],
      })
    }),
  )

  it.scopedLive("passes it by where streams begin at once too, and has its status where nobody else is", () =>
    Effect.gen(function* () {
      const rest = { stream_start: "at_once" }
      const first: Before = { dialect: "messages", script: speaking("messages", "One.") }
      const { gateway } = yield* gatewayBefore(
        [first, { dialect: "chat", script: speaking("chat", "Two.") }],
        rest,
      )
      expect(saidIn(yield* ask(gateway.baseUrl, "chat", true, { n: 2 }))).toBe("Two.")
      const alone = yield* gatewayBefore([first], rest)
      expect(yield* ask(alone.gateway.baseUrl, "chat", true, { n: 2 })).toMatchObject({ status: 400 })
    }),
  )

  it.scopedLive("has the failure told of who was asked, not what others could not be", () =>
    Effect.gen(function* () {
      const { gateway } = yield* gatewayBefore([
        { dialect: "messages", script: speaking("messages", "One.") },
        { dialect: "chat", script: Scripted.status(503, strictError("chat", "server_error", "on fire")) },
      ])
      const got = yield* ask(gateway.baseUrl, "chat", false, { n: 2 })
      expect([got.status, got.text]).toEqual([503, expect.stringContaining("on fire")])
    }),
  )

  it.scopedLive("leaves a trace of who was not asked: in the record, the log and the error", () =>
    Effect.gen(function* () {
      const down = yield* Scripted.scriptedUpstream(Scripted.hang())
      const lines: Array<Readonly<Record<string, unknown>>> = []
      const gateway = yield* startGateway(
        configOf([
          { base_url: down.url, dialects: ["chat"], timeouts: { first_byte_ms: 50, answer_ms: 50 } },
          { base_url: down.url, dialects: ["messages"], on_unsupported: "reject" },
        ]),
        {},
        (line) => void lines.push(JSON.parse(line)),
      )
      const got = yield* ask(gateway.baseUrl, "chat", false, { seed: 1 })
      const cause = "messages, its dialect, has no `seed`, and its on_unsupported is reject"
      expect([got.status, got.headers.get("x-sluice-attempts")], got.text).toEqual([504, "1"])
      expect(got.text).toContain(`Not asked: second: ${cause}.`)
      const [row] = yield* gateway.awaitRecords(1)
      expect(row).toMatchObject({
        attempts: [{ upstream: "first" }],
        notAsked: [{ upstream: "second", dialect: "messages", cause }],
        error: expect.stringContaining(`Not asked: second: ${cause}.`),
      })
      expect(lines.filter(({ message }) => message === "not asked")).toMatchObject([
        { level: "info", upstream: "second", dialect: "messages", cause },
      ])
    }),
  )

  it.scopedLive("does not end a race: the one behind it is asked beside one that is late", () =>
    Effect.gen(function* () {
      const { gateway, upstreams } = yield* gatewayBefore([
        { dialect: "chat", script: Scripted.hang(), more: { hedge_after_ms: 10, priority: 3 } },
        { dialect: "messages", script: speaking("messages", "One."), more: { priority: 2 } },
        { dialect: "chat", script: speaking("chat", "Three.") },
      ])
      expect(saidIn(yield* ask(gateway.baseUrl, "chat", false, { n: 2 }))).toBe("Three.")
      expect(upstreams[1]?.requests).toEqual([])
    }),
  )
})

describe("Reasoning that one client sealed", () => {
  const model = "gpt-5.1-or-claude-sonnet-4-5"
  const body = {
    model,
    max_tokens: 4096,
    thinking: { type: "enabled", budget_tokens: 2048 },
    tools: ["weather", "time"].map((name) => ({ name, input_schema: { type: "object", properties: {} } })),
  }
  const question = { role: "user", content: "Does it rain?" }

  it.scopedLive("goes back to it alone: another is asked without it, and that is told", () =>
    Effect.gen(function* () {
      const strict =
        (dialect: Dialect): Scripted.Script =>
        ({ body: asked, path }) => {
          const { body: said, status } = strictReply(dialect, path, asked, {
            mayForgetSeals: dialect === "messages",
          })
          return Scripted.status(status, said)
        }
      const { gateway, upstreams } = yield* gatewayBefore([
        { dialect: "responses", script: strict("responses") },
        { dialect: "messages", script: strict("messages") },
      ])
      const first = yield* ask(gateway.baseUrl, "messages", false, { ...body, messages: [question] })
      const content = objectsIn(parseObject(Buffer.from(first.text))?.["content"])
      expect(
        content.map(({ type }) => type),
        first.text,
      ).toEqual(["thinking", "text", "tool_use", "tool_use"])
      const results = content.flatMap(({ id, type }) =>
        type === "tool_use" ? [{ type: "tool_result", tool_use_id: String(id), content: "rain" }] : [],
      )
      const messages = [question, { role: "assistant", content }, { role: "user", content: results }]

      const again = yield* ask(gateway.baseUrl, "messages", false, { ...body, messages })
      expect([again.headers.get("x-sluice-upstream"), again.status], again.text).toEqual(["first", 200])
      expect(JSON.stringify(upstreams[0]?.requests[1]?.body)).toContain('"encrypted_content":"enc-0"')

      upstreams[0]?.setScript(Scripted.status(503))
      const fallen = yield* ask(gateway.baseUrl, "messages", false, { ...body, messages })
      expect([fallen.headers.get("x-sluice-upstream"), fallen.status], fallen.text).toEqual(["second", 200])
      const sent = JSON.stringify(upstreams[1]?.requests[0]?.body)
      expect(sent).not.toContain("sluice1")
      expect(sent).not.toContain('"type":"thinking"')
      expect(fallen.headers.get("x-sluice-dropped")).toMatch(/thinking/)
    }),
  )
})
