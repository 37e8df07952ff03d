/** Responses through the official package: whole ones are whole in every way it has, and what is cut is raised by all of them. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { givenId } from "../../src/answer/responses/ResponseId.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { eventsOf, functionCall, message, reasoning, response, wireOf } from "../support/ResponseEvents.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { call, rejection, sdk } from "../support/Sdk.ts"

const asked = { model: "gpt-x", input: "Hello?" }

const whole = response([reasoning("So."), message("Hello there."), functionCall('{"q":"x"}')])

const events = eventsOf(whole)

const streamOf = (wire: string, options: Scripted.StreamOptions = {}) =>
  Scripted.streamed(Buffer.from(wire), options)

const clientOf = (script: Scripted.Script, entry: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* Scripted.scriptedUpstream(script)
    const gateway = yield* startGateway(configOf([{ ...entry, base_url: upstream.url }]))
    return { client: sdk(gateway), gateway, upstream }
  })

/** Iterates over the events as they come. */
const iterated = async (client: OpenAI) => {
  const types: Array<string> = []
  for await (const event of await client.responses.create({ ...asked, stream: true })) types.push(event.type)
  return types
}

/** Lets the package put them together. */
const accumulated = (client: OpenAI) => client.responses.stream(asked).finalResponse()

const given = givenId("resp_abc", "first")

describe("A response", () => {
  it.scopedLive("is whole in every way in which the package reads it", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(({ body }) =>
        JSON.stringify(body).includes('"stream":true') ? streamOf(wireOf(events)) : Scripted.json(whole),
      )
      expect(yield* call(() => iterated(client))).toEqual(events.map(({ type }) => type))
      const built = yield* call(() => accumulated(client))
      expect([built.id, built.output_text, built.status]).toEqual([given, "Hello there.", "completed"])
      expect(built.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"])
      const plain = yield* call(() => client.responses.create(asked))
      expect([plain.id, plain.output_text]).toEqual([given, "Hello there."])
    }),
  )

  it.scopedLive("is changed so that the package sees one text wherever it looks", () =>
    Effect.gen(function* () {
      const changed = { special_prefix: "P: ", thinking_format: "strip" }
      const { client } = yield* clientOf(streamOf(wireOf(events)), changed)
      const built = yield* call(() => accumulated(client))
      expect(built.output_text).toBe("P: Hello there.")
      expect(built.output.map(({ type }) => type)).toEqual(["message", "function_call"])
    }),
  )

  it.scopedLive("is made of a plain answer, so that the package can put it together", () =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(Scripted.json(whole))
      const built = yield* call(() => accumulated(client))
      expect([built.id, built.output_text]).toEqual([given, "Hello there."])
      expect(built.output.map(({ type }) => type)).toEqual(["reasoning", "message", "function_call"])
    }),
  )

  it.scopedLive("is gone on from, told and forgotten by its id", () =>
    Effect.gen(function* () {
      const { client, upstream } = yield* clientOf(({ method }) =>
        method === "DELETE"
          ? Scripted.json({ id: "resp_abc", object: "response", deleted: true })
          : Scripted.json(whole),
      )
      const first = yield* call(() => client.responses.create(asked))
      yield* call(() => client.responses.create({ ...asked, previous_response_id: first.id }))
      expect(upstream.requests[1]?.body).toMatchObject({ previous_response_id: "resp_abc" })
      expect((yield* call(() => client.responses.retrieve(first.id))).id).toBe(given)
      yield* call(() => client.responses.delete(first.id))
      expect(upstream.requests.slice(2).map((one) => `${one.method} ${one.path}`)).toEqual([
        "GET /v1/responses/resp_abc",
        "DELETE /v1/responses/resp_abc",
      ])
      const unknown = yield* rejection(() => client.responses.retrieve("resp_abc"))
      expect(unknown).toBeInstanceOf(OpenAI.NotFoundError)
    }),
  )
})

const begun = wireOf(events.slice(0, 8))

const busy = { type: "error", code: "x", message: "busy", param: null, sequence_number: 8 }

const failure = {
  type: "response.failed",
  sequence_number: 8,
  response: { ...whole, status: "failed", error: { code: "server_error", message: "out of memory" } },
}

describe("A response that is cut", () => {
  it.scopedLive.each<readonly [string, Scripted.Answer, RegExp]>([
    ["by the end of its stream", streamOf(begun), /ended before it said that it was finished/],
    ["by a reset", streamOf(begun, { ending: "reset" }), /broke off/],
    ["by an error event", streamOf(begun + wireOf([busy])), /busy/],
    ["by an error without a name", streamOf(`${begun}data: {"error":{"message":"busy"}}\n\n`), /busy/],
    ["by its failure", streamOf(begun + wireOf([failure])), /out of memory/],
    ["by [DONE]", streamOf(`${begun}data: [DONE]\n\n`), /ended before it said that it was finished/],
  ])("%s is raised, however it is read", ([, answer, said]) =>
    Effect.gen(function* () {
      const { client } = yield* clientOf(answer)
      for (const read of [iterated, accumulated]) {
        expect((yield* rejection(() => read(client))).message).toMatch(said)
      }
    }),
  )
})
