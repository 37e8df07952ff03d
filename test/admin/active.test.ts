/** Requests under way, over sockets: whom each waits for, as long as it does. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ActiveReport } from "../../src/admin/api/ActiveReport.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventually } from "../support/Patience.ts"
import { head, jsonOf, postBytes, rawConnection, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { textChunk } from "../support/Wire.ts"

const adminKey = "the-operator-and-nobody-else"
const withKey = { authorization: `Bearer ${adminKey}` }
const path = "/v1/chat/completions"
const secret = "what nobody but the client is to read"

const chat = { messages: [{ role: "user", content: secret }] }

const activeAt = (port: number, query = "") =>
  Effect.map(request(port, "GET", `/admin/api/requests/active${query}`, withKey), (answer) =>
    Schema.decodeUnknownSync(ActiveReport)(jsonOf(answer)),
  )

describe("Requests under way", () => {
  it.scopedLive("say whom they wait for, and nothing of what was asked; those that are over are gone", () =>
    Effect.gen(function* () {
      const limiting = yield* Scripted.scriptedUpstream(Scripted.status(429))
      const hanging = yield* Scripted.scriptedUpstream(Scripted.hang())
      const flow = Scripted.controlled()
      const streaming = yield* Scripted.scriptedUpstream(flow.answer)
      const { port } = yield* startGateway(
        configOf(
          [
            { name: "limits", base_url: limiting.url },
            { name: "hangs", base_url: hanging.url, max_concurrent: 1 },
            { name: "streams", base_url: streaming.url, model_match: { type: "exact", value: ["flow"] } },
          ],
          { admin: { keys: [adminKey] } },
        ),
      )
      const ask = (id: string, body: unknown) =>
        Effect.gen(function* () {
          const connection = yield* rawConnection(port)
          yield* connection.send(postBytes(path, body, { "x-request-id": id, "user-agent": secret }))
          return connection
        })
      const seen = (what: string, satisfies: (report: ActiveReport) => boolean) =>
        eventually(what, activeAt(port), satisfies)

      const asking = yield* ask("asks", { ...chat, model: "gpt-4o" })
      yield* hanging.awaitRequest(1)
      const queued = yield* ask("queues", { ...chat, model: "gpt-4o", stream: true })
      yield* seen("the one in the line", ({ requests }) => requests.at(-1)?.state === "queued")
      const flowing = yield* ask("flows", { ...chat, model: "flow", stream: true })
      yield* flow.push(textChunk("Hel"))
      yield* flowing.until((text) => text.includes("Hel"))
      const silent = yield* rawConnection(port)
      yield* silent.send(
        head("POST", path, {
          "content-type": "application/json",
          "content-length": "100",
          "x-request-id": "sends",
        }),
      )
      const { count, requests } = yield* seen("all four", ({ requests }) => requests.length === 4)
      expect(count).toBe(4)
      expect(requests).toMatchObject([
        {
          id: "asks",
          state: "asking",
          model: "gpt-4o",
          stream: false,
          endpoint: "chat.completions",
          client_ip: "127.0.0.1",
          asked: [{ upstream: "hangs" }],
          attempts: [{ upstream: "limits", status: 429 }],
          ttft_ms: null,
        },
        { id: "queues", state: "queued", stream: true, asked: [{ upstream: "hangs" }] },
        {
          id: "flows",
          state: "answering",
          asked: [],
          attempts: [{ upstream: "streams", status: 200 }],
          ttft_ms: expect.any(Number),
        },
        { id: "sends", state: "reading", model: null, stream: null, asked: [], attempts: [] },
      ])
      expect(JSON.stringify(requests)).not.toContain(secret)
      expect((yield* activeAt(port, "?upstream=streams")).requests.map(({ id }) => id)).toEqual(["flows"])
      expect((yield* activeAt(port, "?text=QUEUE")).count).toBe(1)

      // Its caller leaves: the place is the next one's.
      asking.socket.destroy()
      yield* seen(
        "its turn",
        ({ requests }) => requests[0]?.id === "queues" && requests[0].state === "asking",
      )
      yield* flow.end()
      queued.socket.destroy()
      silent.socket.destroy()
      yield* seen("the end of all", (report) => report.count === 0)
    }),
  )

  it.scopedLive("name both whom they ask where one is asked beside another, and the one that is left", () =>
    Effect.gen(function* () {
      const slow = yield* Scripted.scriptedUpstream(Scripted.hang())
      const flow = Scripted.controlled("application/json")
      const beside = yield* Scripted.scriptedUpstream(flow.answer)
      const { port } = yield* startGateway(
        configOf(
          [
            { name: "slow", base_url: slow.url, hedge_after_ms: 1 },
            { name: "beside", base_url: beside.url },
          ],
          { admin: { keys: [adminKey] } },
        ),
      )
      const connection = yield* rawConnection(port)
      yield* connection.send(postBytes(path, { ...chat, model: "gpt-4o" }))
      const namesOf = ({ requests }: ActiveReport) => requests[0]?.asked.map(({ upstream }) => upstream)
      const both = yield* eventually("both", activeAt(port), (report) => namesOf(report)?.length === 2)
      expect(namesOf(both)).toEqual(["slow", "beside"])
      yield* flow.kill
      const one = yield* eventually(
        "the one that is left",
        activeAt(port),
        (report) => namesOf(report)?.length === 1,
      )
      expect(one.requests).toMatchObject([
        { asked: [{ upstream: "slow" }], attempts: [{ upstream: "beside" }] },
      ])
    }),
  )

  it.scopedLive("are told to operators alone", () =>
    Effect.gen(function* () {
      const { port } = yield* startGateway(
        configOf([{ base_url: "http://127.0.0.1:1" }], { admin: { keys: [adminKey] } }),
      )
      expect((yield* request(port, "GET", "/admin/api/requests/active"))?.status).toBe(401)
      expect(
        (yield* request(port, "GET", `/admin/api/requests/active?model=${"m".repeat(600)}`, withKey))?.status,
      ).toBe(400)
    }),
  )
})
