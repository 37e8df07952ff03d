/** What real model servers answer, given to callers who asked for the other form: both forms of an answer come to the same. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { jsonOf, post } from "../support/RawHttp.ts"
import { scriptedUpstream } from "../support/ScriptedUpstream.ts"
import { dataOf, type Recorded, recordingsOf, replay, servers } from "./Recordings.ts"

const choicesOf = (answer: unknown): ReadonlyArray<unknown> => Object(answer)["choices"] ?? []

/** How many calls of tools the chunks of a choice begin. */
const callsIn = (choices: ReadonlyArray<unknown>, index: number): number =>
  new Set(
    choices
      .filter((choice) => Object(choice)["index"] === index)
      .flatMap((choice) => Object(choice)["delta"]?.tool_calls ?? [])
      .map((call) => Object(call)["index"]),
  ).size

const isStream = ({ body, stream }: Recorded): boolean => stream ?? body?.["stream"] === true

/** The answer to a request for a stream, or for none, of an upstream that gives the recording whatever is asked. */
const asked = (recorded: Recorded, stream: boolean) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(replay(recorded))
    const gateway = yield* startGateway(
      configOf([{ base_url: upstream.url, model_match: { type: "keyword", value: ["tiny"] } }]),
    )
    const body = { ...recorded.body, model: "tiny", stream }
    const answer = yield* post(gateway.port, `/v1${recorded.path}`, body)
    if (answer === undefined) return yield* Effect.dieMessage("no answer")
    return answer
  })

describe.each(servers)("%s", (server) => {
  const good = recordingsOf(server).filter(
    ({ path, status }) => status === 200 && (path === "/chat/completions" || path === "/completions"),
  )

  it.scopedLive.each(good.filter((recorded) => !isStream(recorded)))(
    "$name: a plain answer, given out as a stream, makes the same choices",
    (recorded) =>
      Effect.gen(function* () {
        const streamed = yield* asked(recorded, true)
        expect(streamed.headers["content-type"]).toMatch(/^text\/event-stream/)
        const datas = dataOf([streamed.body.toString()])
        expect(datas.at(-1)).toBe("[DONE]")
        // Put together by the way of callers who ask for no stream.
        const given = { ...recorded, reads: [streamed.body.toString()], type: "text/event-stream" }
        const whole = jsonOf(yield* asked(given, false))
        const plain: unknown = JSON.parse(recorded.reads.join(""))
        expect(choicesOf(whole)).toEqual(choicesOf(plain))
      }),
  )

  it.scopedLive.each(good.filter(isStream))(
    "$name: a stream, put together, makes the answer whose chunks it is",
    (recorded) =>
      Effect.gen(function* () {
        const whole = yield* asked(recorded, false)
        expect(whole.headers["content-type"]).toBe("application/json")
        const chunks = dataOf(recorded.reads)
          .filter((data) => data !== "[DONE]")
          .map((data): unknown => JSON.parse(data))
        const texts = (index: number): string =>
          chunks
            .flatMap(choicesOf)
            .filter((choice) => Object(choice)["index"] === index)
            .map((choice) => Object(choice)["delta"]?.content ?? Object(choice)["text"] ?? "")
            .join("")
        const choices = choicesOf(jsonOf(whole))
        expect(choices.length).toBeGreaterThan(0)
        for (const [index, choice] of choices.entries()) {
          const { finish_reason: reason, message, text } = Object(choice)
          expect(message?.content ?? text ?? "").toBe(texts(index))
          expect(typeof reason).toBe("string")
          expect(message?.tool_calls?.length ?? 0).toBe(callsIn(chunks.flatMap(choicesOf), index))
        }
      }),
  )
})
