/** Any official package before any provider: programs that call tools, look at pictures, reason, want a form, leave, and are told of all that fails. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Dialect, dialects } from "../../src/routing/Dialect.ts"
import { isJsonObject } from "../../src/wire/Json.ts"
import { type Agent, agents } from "../support/Agents.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { type RunningGateway, startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { firstStep, strictError, strictFrames, strictReply, toldOfAll } from "../support/StrictProvider.ts"

/** By which their clients are chosen, with models that reason where they are asked to. */
const models = {
  chat: "chat-gpt-5.1",
  responses: "responses-gpt-5.1",
  messages: "messages-claude-sonnet-4-5",
} as const

/** What is told of a stream before it breaks off, and of a stream that is never ended. */
interface Cut {
  readonly frames: number
  readonly ending: Scripted.Ending
}

let cut: Cut | undefined
/** With which every request is refused. */
let failing: readonly [status: number, type: string] | undefined
/** The newest request that was not answered to its end. */
let left: Scripted.RecordedRequest | undefined

const provider =
  (dialect: Dialect): Scripted.Script =>
  (request) => {
    if (failing !== undefined) {
      const [status, type] = failing
      return Scripted.status(status, strictError(dialect, type, "it is as it is"))
    }
    const { body, frames, status } = strictReply(dialect, request.path, request.body)
    if (frames === undefined) return Scripted.status(status, body)
    if (cut === undefined) return Scripted.streamed(Buffer.from(frames.join("")))
    left = request
    return Scripted.streamed(Buffer.from(frames.slice(0, cut.frames).join("")), { ending: cut.ending })
  }

let gateway: RunningGateway
const scope = Effect.runSync(Scope.make())

beforeAll(async () => {
  const started = Effect.gen(function* () {
    const entries = yield* Effect.forEach(dialects, (dialect) =>
      Effect.map(Scripted.scriptedUpstream(provider(dialect)), ({ url }) => ({
        base_url: url,
        name: dialect,
        dialects: [dialect],
        model_match: { type: "keyword", value: [`${dialect}-`] },
      })),
    )
    return yield* startGateway(configOf(entries, { breaker: { failures: 0 } }))
  })
  gateway = await Effect.runPromise(Scope.extend(started, scope))
})

afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const pairs = agents.flatMap((agentOf) => dialects.map((spoken) => [agentOf, spoken] as const))

const named = pairs.map(([agentOf, spoken]) => {
  const { name } = agentOf({ baseUrl: "http://127.0.0.1" })
  return [name, spoken, agentOf] as const
})

const ends: { readonly [D in Dialect]: ReadonlyArray<string> } = {
  chat: ["tool_calls", "tool_calls", "stop"],
  responses: ["completed", "completed", "completed"],
  messages: ["tool_use", "tool_use", "end_turn"],
}

/** The frames of the first answer. */
const framesOf = (dialect: Dialect): ReadonlyArray<string> => strictFrames(dialect, firstStep)

/** How many frames tell that it is over. */
const endsIn: { readonly [D in Dialect]: number } = { chat: 3, responses: 1, messages: 2 }

/** All inputs of calls that there are. */
const inputs = new Set(firstStep.calls.map(({ args }) => args))

/** The inputs that events tell to be whole, in whichever dialect. */
const endedInputs = (events: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const begun = new Map<unknown, string>()
  return events.flatMap((event) => {
    if (!isJsonObject(event)) return []
    const { arguments: args, content_block: block, delta, index, type } = event
    if (type === "response.function_call_arguments.done") return [String(args)]
    if (type === "content_block_start" && isJsonObject(block) && block["type"] === "tool_use")
      begun.set(index, "")
    if (type === "content_block_delta" && isJsonObject(delta) && begun.has(index)) {
      begun.set(index, `${begun.get(index)}${delta["partial_json"]}`)
    }
    if (type === "content_block_stop" && begun.has(index)) return [begun.get(index) || "{}"]
    return []
  })
}

/** How providers fail, as OpenAI's name it and as Anthropic's do. */
const failures = [
  [400, "invalid_request_error", "invalid_request_error"],
  [401, "invalid_request_error", "authentication_error"],
  [404, "invalid_request_error", "not_found_error"],
  [429, "rate_limit_exceeded", "rate_limit_error"],
  [500, "server_error", "api_error"],
  [529, "server_error", "overloaded_error"],
] as const

describe.each(named)("%s before %s", (_, spoken, agentOf) => {
  const agent = (): Agent => agentOf(gateway)
  const model = models[spoken]

  it.each([false, true])("call tools until they are answered, streamed: %s", async (streamed) => {
    const { dialect, run } = agent()
    expect(await run(model, streamed)).toEqual({ ...toldOfAll, ends: ends[dialect] })
  })

  it.each([false, true])("are answered in a form, streamed: %s", async (streamed) => {
    expect(await agent().formed(model, streamed)).toEqual({ answer: 42 })
  })

  it("raise what is cut, wherever that is, and never have half of a call told as whole", async () => {
    const { accumulated, apiError, iterated } = agent()
    const length = framesOf(spoken).length
    for (let frames = 1; frames < length - endsIn[spoken]; frames++) {
      cut = { frames, ending: frames % 2 === 0 ? "end" : "reset" }
      const events: Array<unknown> = []
      await expect(
        iterated(model, (event) => events.push(event)),
        `${frames} frames`,
      ).rejects.toBeInstanceOf(apiError)
      expect(endedInputs(events).filter((input) => !inputs.has(input))).toEqual([])
      await expect(accumulated(model), `${frames} frames, put together`).rejects.toBeInstanceOf(apiError)
    }
    cut = undefined
  })

  it("close the provider's call where they leave", async () => {
    cut = { frames: framesOf(spoken).length - endsIn[spoken] - 2, ending: "silence" }
    const leaving = new AbortController()
    await agent()
      .iterated(model, () => leaving.abort(), leaving.signal)
      .catch(() => undefined)
    if (left === undefined) throw new Error("nothing was asked")
    await Effect.runPromise(within("the provider's call to be closed", left.abandoned))
    cut = undefined
  })

  it.each(failures)("raise an error of %i", async (status, openAi, anthropic) => {
    const { dialect, iterated, plain } = agent()
    failing = [status, spoken === "messages" ? anthropic : openAi]
    for (const ask of [() => plain(model), () => iterated(model, () => {})]) {
      const raised = await ask().then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(raised).toBeInstanceOf(agent().apiError)
      // A key that is refused is the gateway's own.
      expect(raised).toMatchObject({
        status: status === 401 ? 502 : status,
        message: expect.stringContaining(status === 401 ? "answered 401" : "it is as it is"),
        ...(dialect === "messages"
          ? { error: { type: "error", error: { type: status === 401 ? "api_error" : anthropic } } }
          : {}),
      })
    }
    failing = undefined
  })
})
