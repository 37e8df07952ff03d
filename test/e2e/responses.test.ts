/** `/v1/responses` through sockets: streams, ids that name who made them, and what is asked of a stored response. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { givenId } from "../../src/answer/responses/ResponseId.ts"
import { markOf } from "../../src/routing/Mark.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import { jsonOf, post, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import { eventsOf, functionCall, message, reasoning, response, wireOf } from "../support/ResponseEvents.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"

const model = "gpt-x"
const path = "/v1/responses"
const asked = { model, input: "Hello?", stream: true }

const stack = (
  scripts: ReadonlyArray<Scripted.Script>,
  entry: Readonly<Record<string, unknown>> = {},
  rest: Readonly<Record<string, unknown>> = {},
) =>
  Effect.gen(function* () {
    const upstreams = yield* Effect.forEach(scripts, (script) => Scripted.scriptedUpstream(script))
    const gateway = yield* startGateway(
      configOf(
        upstreams.map(({ url }) => ({ ...entry, base_url: url })),
        rest,
      ),
    )
    return { ...gateway, upstreams }
  })

const whole = response([reasoning("So."), message("Hello there."), functionCall("{}")])

const first = { id: givenId("resp_abc", "first"), mark: markOf("gAAAA", "first") }

/** What a client is given of what the first upstream sends. */
const givenBy = (wire: string, { id, mark }: typeof first = first): string =>
  wire.replaceAll("resp_abc", id).replaceAll('"gAAAA"', `"gAAAA.s${mark}"`)

const streamOf = (text: string, options: Scripted.StreamOptions = {}) =>
  Scripted.streamed(Buffer.from(text), options)

describe("A streamed response", () => {
  it.scopedLive("is what its upstream sends, but for the ids, and is recorded whole", () =>
    Effect.gen(function* () {
      const wire = wireOf(eventsOf(whole))
      const { awaitRecords, port } = yield* stack([streamOf(wire)])
      const got = yield* post(port, path, asked)
      expect(got?.headers["content-type"]).toContain("text/event-stream")
      expect(got?.body.toString()).toBe(givenBy(wire))
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({
        endpoint: "responses",
        dialect: "responses",
        outcome: "ok",
        stream: true,
        toolCalls: true,
        finishReason: "completed",
        usage: { inputTokens: 20, cachedTokens: 8, outputTokens: 10, reasoningTokens: 6 },
      })
    }),
  )

  it.scopedLive("is the next upstream's where the first fails before it says anything", () =>
    Effect.gen(function* () {
      const [created] = eventsOf(whole)
      const failures = [
        wireOf([created ?? {}, { type: "error", message: "busy", code: "overloaded" }]),
        wireOf([
          created ?? {},
          {
            type: "response.failed",
            response: { ...whole, status: "failed", error: { code: "server_error", message: "no" } },
          },
        ]),
        wireOf([created ?? {}]),
        wireOf(eventsOf(response([]))),
      ]
      for (const failure of failures) {
        const { awaitRecords, port } = yield* stack([streamOf(failure), streamOf(wireOf(eventsOf(whole)))])
        const got = yield* post(port, path, asked)
        expect([got?.status, got?.headers["x-sluice-upstream"]]).toEqual([200, "second"])
        expect(got?.body.toString().match(/response\.created"/g)?.length).toBe(1)
        const [record] = yield* awaitRecords(1)
        expect(record?.attempts.map(({ upstream }) => upstream)).toEqual(["first", "second"])
      }
    }),
  )

  it.scopedLive("closes its upstream when its caller leaves", () =>
    Effect.gen(function* () {
      const begun = wireOf(eventsOf(whole).slice(0, 6))
      const { awaitRecords, port, upstreams } = yield* stack([streamOf(begun, { ending: "silence" })])
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes(path, asked))
      const sent = yield* within("the request", upstreams[0]?.awaitRequest(1) ?? Effect.never)
      yield* within(
        "the first event",
        connection.until((text) => text.includes("response.created")),
      )
      connection.socket.destroy()
      yield* within("that it is given up", sent.abandoned)
      const [record] = yield* awaitRecords(1)
      expect(record).toMatchObject({ outcome: "client_closed", endpoint: "responses" })
    }),
  )

  it.scopedLive("is made of a plain answer, and a plain one of a stream", () =>
    Effect.gen(function* () {
      const given = givenId("resp_abc", "first")
      const { port } = yield* stack([
        Scripted.sequence(Scripted.json(whole), streamOf(wireOf(eventsOf(whole)))),
      ])
      const streamed = yield* post(port, path, asked)
      expect(streamed?.body.toString()).toContain(`event: response.completed\ndata: {`)
      expect(streamed?.body.toString()).toContain(`"id":"${given}"`)
      const plain = yield* post(port, path, { ...asked, stream: false })
      expect(plain?.body.toString()).toBe(givenBy(JSON.stringify(whole)))
    }),
  )
})

const outputOf = (answer: unknown): ReadonlyArray<unknown> => {
  const output = typeof answer === "object" && answer !== null && "output" in answer ? answer.output : []
  return Array.isArray(output) ? output : []
}

describe("The state of responses", () => {
  const second = givenId("resp_abc", "second")
  const ofSecond = { id: second, mark: markOf("gAAAA", "second") }

  it.scopedLive("is asked of the client that made it, and of nobody else", () =>
    Effect.gen(function* () {
      const refusal = Scripted.status(500, { error: { message: "out of order" } })
      const { awaitRecords, port, upstreams } = yield* stack([Scripted.json(whole), Scripted.json(whole)])
      for (let turn = 0; turn < 3; turn++) {
        const got = yield* post(port, path, { model, input: "on", previous_response_id: second })
        expect([got?.status, got?.headers["x-sluice-upstream"]]).toEqual([200, "second"])
      }
      expect(upstreams[0]?.requests.length).toBe(0)
      expect(upstreams[1]?.requests.map(({ body }) => body)).toEqual(
        Array.from({ length: 3 }, () => ({ model, input: "on", previous_response_id: "resp_abc" })),
      )
      yield* awaitRecords(3)
      const down = yield* stack([Scripted.json(whole), refusal])
      const got = yield* post(down.port, path, { model, input: "on", previous_response_id: second })
      expect(got?.status).toBe(500)
      expect(down.upstreams[0]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is not asked by an id that nobody here made", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([Scripted.json(whole)])
      for (const id of [
        "resp_abc",
        second,
        `${givenId("resp_abc", "first")}x`,
        givenId("resp_abc", "gone"),
      ]) {
        const got = yield* post(port, path, { model, input: "on", previous_response_id: id })
        expect([id, got?.status, jsonOf(got)]).toMatchObject([
          id,
          400,
          { error: { param: "previous_response_id", code: "previous_response_not_found" } },
        ])
        const asked = yield* request(port, "GET", `${path}/${id}`)
        expect([asked?.status, jsonOf(asked)]).toMatchObject([404, { error: { code: "response_not_found" } }])
      }
      expect(upstreams[0]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is not asked by an id that leads to another path at its client", () =>
    Effect.gen(function* () {
      const { port, upstreams } = yield* stack([Scripted.json(whole)])
      for (const id of ["a/../../files", "..\\..\\files", "a%2f..%2f..%2ffiles", "a\n"]) {
        const marked = encodeURIComponent(givenId(id, "first"))
        for (const [method, behind] of [
          ["GET", ""],
          ["DELETE", ""],
          ["POST", "/cancel"],
          ["GET", "/input_items"],
        ] as const) {
          const got = yield* request(port, method, `${path}/${marked}${behind}`)
          expect([id, method, got?.status]).toEqual([id, method, 400])
        }
      }
      expect(upstreams[0]?.requests.length).toBe(0)
    }),
  )

  it.scopedLive("is told, forgotten, ended and listed by its id", () =>
    Effect.gen(function* () {
      const failed = { ...whole, status: "failed", error: { code: "server_error", message: "no" } }
      const list = { object: "list", data: [], first_id: null, last_id: null, has_more: false }
      const { awaitRecords, port, upstreams } = yield* stack([
        Scripted.hang(),
        ({ method, path: at }) =>
          Scripted.json(
            method === "DELETE"
              ? { id: "resp_abc", object: "response", deleted: true }
              : at.includes("input_items")
                ? list
                : failed,
          ),
      ])
      const get = (method: string, behind = "") => request(port, method, `${path}/${second}${behind}`)
      const given = givenBy(JSON.stringify(failed), ofSecond)
      expect((yield* get("GET"))?.body.toString()).toBe(given)
      expect((yield* get("POST", "/cancel"))?.body.toString()).toBe(given)
      expect(jsonOf(yield* get("DELETE"))).toEqual({ id: second, object: "response", deleted: true })
      expect(jsonOf(yield* get("GET", "/input_items?limit=5&order=asc"))).toEqual(list)
      expect(upstreams[1]?.requests.map((one) => `${one.method} ${one.path}`)).toEqual([
        "GET /v1/responses/resp_abc",
        "POST /v1/responses/resp_abc/cancel",
        "DELETE /v1/responses/resp_abc",
        "GET /v1/responses/resp_abc/input_items?limit=5&order=asc",
      ])
      const records = yield* awaitRecords(4)
      expect(records.map(({ endpoint, outcome }) => `${endpoint} ${outcome}`)).toEqual([
        "responses.retrieve ok",
        "responses.cancel ok",
        "responses.delete ok",
        "responses.input_items ok",
      ])
      expect(records[0]).toMatchObject({ model: undefined, upstream: "second", upstreamModel: undefined })
    }),
  )

  it.scopedLive("is streamed again to whoever asks for that", () =>
    Effect.gen(function* () {
      const wire = wireOf(eventsOf(whole))
      const { port, upstreams } = yield* stack([Scripted.hang(), streamOf(wire)])
      const got = yield* request(port, "GET", `${path}/${second}?stream=true&starting_after=3`)
      expect(got?.body.toString()).toBe(givenBy(wire, ofSecond))
      expect(upstreams[1]?.requests[0]?.path).toBe("/v1/responses/resp_abc?stream=true&starting_after=3")
    }),
  )

  it.scopedLive("is open to those alone who have a key", () =>
    Effect.gen(function* () {
      const keys = { server: { access_keys: ["sk-open-sesame-0123"] } }
      const { port } = yield* stack([Scripted.json(whole), Scripted.json(whole)], {}, keys)
      const denied = yield* request(port, "GET", `${path}/${second}`)
      expect([denied?.status, jsonOf(denied)]).toMatchObject([401, { error: { code: "invalid_api_key" } }])
      const key = { authorization: "Bearer sk-open-sesame-0123" }
      expect((yield* request(port, "GET", `${path}/${second}`, key))?.status).toBe(200)
    }),
  )

  it.scopedLive("is in reasoning that goes back to who encrypted it, and to nobody else", () =>
    Effect.gen(function* () {
      const busy = Scripted.status(503, { error: { message: "busy" } })
      const { port, upstreams } = yield* stack([
        Scripted.sequence(Scripted.json(whole), busy),
        Scripted.json(whole),
      ])
      const answer = jsonOf(yield* post(port, path, { model, input: "Hello?", store: false }))
      const [thought, said] = outputOf(answer)
      const input = [{ role: "user", content: "Hello?" }, thought, said, { role: "user", content: "And?" }]
      const other = yield* post(port, path, { model, input, store: false })
      expect([other?.headers["x-sluice-upstream"], other?.headers["x-sluice-dropped"]]).toEqual([
        "second",
        "reasoning.encrypted_content",
      ])
      expect(upstreams[0]?.requests[1]?.body).toMatchObject({
        input: [input[0], reasoning("So."), message("Hello there."), input[3]],
      })
      expect(upstreams[1]?.requests[0]?.body).toMatchObject({ input: [input[0], said, input[3]] })
    }),
  )

  it.scopedLive("is in a conversation made shorter, which goes on at its maker, and nowhere else", () =>
    Effect.gen(function* () {
      const compacted = {
        id: "resp_cmp",
        object: "response.compaction",
        output: [{ id: "cmp_1", type: "compaction", encrypted_content: "gAAAAB" }],
      }
      const busy = Scripted.status(503, { error: { message: "busy" } })
      const { awaitRecords, port, upstreams } = yield* stack([
        busy,
        Scripted.sequence(Scripted.json(compacted), Scripted.json(whole), busy),
      ])
      const shorter = jsonOf(yield* post(port, `${path}/compact`, { model, input: "Hello?" }))
      const [compaction] = outputOf(shorter)
      expect(compaction).toMatchObject({ encrypted_content: `gAAAAB.s${markOf("gAAAAB", "second")}` })
      const input = [compaction, { role: "user", content: "And?" }]
      // The one that is asked first otherwise is not asked.
      const next = yield* post(port, path, { model, input })
      expect(next?.headers["x-sluice-upstream"]).toBe("second")
      expect(upstreams[1]?.requests[1]?.body).toMatchObject({ input: [compacted.output[0], input[1]] })
      expect((yield* post(port, path, { model, input }))?.status).toBe(503)
      expect(upstreams[0]?.requests.length).toBe(1)

      const stray = { ...compacted.output[0], encrypted_content: `gAAAAB.s${markOf("gAAAAB", "gone")}` }
      const lost = yield* post(port, path, { model, input: [stray] })
      expect([lost?.status, jsonOf(lost)]).toMatchObject([400, { error: { param: "input" } }])
      const [, ...records] = yield* awaitRecords(4)
      expect(records.map(({ dropped }) => dropped)).toEqual([[], [], []])
    }),
  )

  it.scopedLive(
    "is asked of the first alone where nothing tells whose it is, a conversation where such are made",
    () =>
      Effect.gen(function* () {
        const busy = Scripted.status(503, { error: { message: "busy" } })
        const { port, upstreams } = yield* stack(
          [busy, Scripted.json(whole)],
          {},
          {
            passthrough: [{ path: "/v1/conversations", client: "second" }],
          },
        )
        const asking = (body: object) => post(port, path, { model, ...body })
        const reference = [
          { type: "item_reference", id: "msg_1" },
          { role: "user", content: "And?" },
        ]
        expect((yield* asking({ input: reference }))?.status).toBe(503)
        expect(upstreams[1]?.requests.length).toBe(0)
        const conversation = yield* asking({ input: "And?", conversation: "conv_1" })
        expect(conversation?.headers).toMatchObject({
          "x-sluice-upstream": "second",
          "x-sluice-attempts": "1",
        })
        const free = yield* asking({ input: "And?" })
        expect(free?.headers).toMatchObject({ "x-sluice-upstream": "second", "x-sluice-attempts": "2" })
      }),
  )

  it.scopedLive("has no WebSocket, and says so at once", () =>
    Effect.gen(function* () {
      const { port } = yield* stack([Scripted.hang()])
      const refused = yield* request(port, "GET", path, {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      })
      expect([refused?.status, jsonOf(refused)]).toMatchObject([
        426,
        { error: { code: "upgrade_not_supported" } },
      ])
      const wrong = yield* request(port, "GET", path)
      expect([wrong?.status, wrong?.headers["allow"]]).toEqual([405, "POST, OPTIONS"])
      const other = yield* request(port, "PUT", `${path}/${second}`)
      expect([other?.status, other?.headers["allow"]]).toEqual([405, "GET, HEAD, DELETE, OPTIONS"])
    }),
  )
})
