/** Upstreams that fail behind the gateway: invisible through the official package until an answer has begun, and raised after. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import {
  type Answer,
  chat,
  closedPort,
  controlled,
  eventStream,
  hang,
  json,
  raw,
  reset,
  scriptedUpstream,
  sse,
  status,
  streamed,
  truncate,
} from "../support/ScriptedUpstream.ts"
import { call, collect, collectUntilError, next, sdk, textOf } from "../support/Sdk.ts"
import { chatCompletion, chunk, finishChunk, openAiError, textChunk } from "../support/Wire.ts"

const request = { model: "gpt-4o", messages: [{ role: "user" as const, content: "Hello?" }] }

/** A gateway whose first upstream is at `url` and whose second answers. */
const withStandby = (url: string) =>
  Effect.gen(function* () {
    const standby = yield* scriptedUpstream(chat("From the standby."))
    const gateway = yield* startGateway(
      configOf([
        { base_url: url, timeouts: { first_byte_ms: 80, answer_ms: 80 } },
        { base_url: standby.url },
      ]),
    )
    return { client: sdk(gateway), gateway }
  })

const plainly = (url: string) =>
  Effect.gen(function* () {
    const { client, gateway } = yield* withStandby(url)
    const { data, response } = yield* call(() => client.chat.completions.create(request).withResponse())
    expect(data).toEqual(chatCompletion("From the standby."))
    yield* expectSecondAttempt(gateway, response)
  })

const inAStream = (url: string) =>
  Effect.gen(function* () {
    const { client, gateway } = yield* withStandby(url)
    const { data, response } = yield* call(() =>
      client.chat.completions.create({ ...request, stream: true }).withResponse(),
    )
    const chunks = yield* collect(data)
    expect(textOf(chunks)).toBe("From the standby.")
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role !== undefined).length).toBe(1)
    yield* expectSecondAttempt(gateway, response)
  })

type Gateway = Effect.Effect.Success<ReturnType<typeof startGateway>>

const expectSecondAttempt = (gateway: Gateway, response: Response) =>
  Effect.gen(function* () {
    expect(response.headers.get("x-sluice-upstream")).toBe("second")
    expect(response.headers.get("x-sluice-attempts")).toBe("2")
    const [record] = yield* within("the audit record", gateway.awaitRecords(1))
    expect(record?.outcome).toBe("ok")
    expect(record?.attempts.map(({ upstream }) => upstream)).toEqual(["first", "second"])
  })

/** Failures of any answer before it has begun. */
const faults: Readonly<Record<string, Answer>> = {
  "answers 500": status(500),
  "answers 429": status(429, openAiError("Slow down."), { "retry-after": "60" }),
  "refuses its key": status(401),
  "does not know the model": status(404, openAiError("no such model", { code: "model_not_found" })),
  "answers a page of HTML with 502": status(502, "<html>Bad gateway</html>", { "content-type": "text/html" }),
  "never answers": hang(),
  "resets the connection": reset("before"),
  "resets within the head": reset("in_head"),
  "does not speak HTTP": raw("SSH-2.0-OpenSSH_9.6\r\n", "end"),
}

const plainFaults: Readonly<Record<string, Answer>> = {
  ...faults,
  "resets within the body": reset("in_body"),
  "cuts its body short": truncate(chatCompletion("cut short"), 5),
}

const streamFaults: Readonly<Record<string, Answer>> = {
  ...faults,
  "sends an error as its first event": sse([openAiError("Overloaded.")]),
  "sends an error after a comment": streamed(
    Buffer.concat([Buffer.from(": OPENROUTER PROCESSING\n\n"), eventStream([openAiError("Overloaded.")])]),
  ),
  "ends before its first event": streamed(Buffer.from("")),
  "resets before its first event": streamed(Buffer.from(": wait\n\n"), { ending: "reset" }),
  "falls silent before its first event": streamed(Buffer.from(": wait\n\n"), { ending: "silence" }),
}

describe("A plain answer comes from the second upstream when the first", () => {
  for (const [fault, answer] of Object.entries(plainFaults)) {
    it.scopedLive(fault, () => Effect.flatMap(scriptedUpstream(answer), ({ url }) => plainly(url)))
  }

  it.scopedLive("refuses connections", () =>
    Effect.flatMap(closedPort, (port) => plainly(`http://127.0.0.1:${port}/v1`)),
  )
})

describe("A stream comes from the second upstream when the first", () => {
  for (const [fault, answer] of Object.entries(streamFaults)) {
    it.scopedLive(fault, () => Effect.flatMap(scriptedUpstream(answer), ({ url }) => inAStream(url)))
  }

  it.scopedLive("refuses connections", () =>
    Effect.flatMap(closedPort, (port) => inAStream(`http://127.0.0.1:${port}/v1`)),
  )
})

/** A gateway whose first upstream answers with a stream and whose second would too: nobody may ask it. */
const begun = (answer: Answer, settings: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const first = yield* scriptedUpstream(answer)
    const standby = yield* scriptedUpstream(chat("never asked"))
    const gateway = yield* startGateway(
      configOf([{ base_url: first.url, ...settings }, { base_url: standby.url }]),
    )
    const open = call(() => sdk(gateway).chat.completions.create({ ...request, stream: true }))
    return { gateway, open, standby }
  })

const expectBroken = (gateway: Gateway) =>
  Effect.gen(function* () {
    const [record] = yield* within("the audit record", gateway.awaitRecords(1))
    expect(record?.outcome).toBe("stream_broken")
  })

describe("A stream that has begun raises APIError, and no second upstream is asked, when its upstream", () => {
  const [role, once, upon] = [
    chunk({ role: "assistant", content: "" }),
    textChunk("Once "),
    textChunk("upon a time"),
  ]
  const breaks: Readonly<Record<string, Answer>> = {
    "ends without a finish reason or [DONE]": sse([role, once, upon], { done: false }),
    "resets the connection": sse([role, once, upon], { done: false, ending: "reset" }),
    "ends within an event": streamed(
      Buffer.concat([eventStream([role, once, upon], { done: false }), Buffer.from('data: {"choi')]),
    ),
  }
  for (const [fault, answer] of Object.entries(breaks)) {
    it.scopedLive(fault, () =>
      Effect.gen(function* () {
        const { gateway, open, standby } = yield* begun(answer)
        const { error, items } = yield* collectUntilError(yield* open)
        expect(textOf(items)).toBe("Once upon a time")
        expect(error).toBeInstanceOf(OpenAI.APIError)
        expect(error.status).toBeUndefined()
        expect(error.type).toBe("upstream_error")
        expect(standby.requests).toEqual([])
        yield* expectBroken(gateway)
      }),
    )
  }

  it.scopedLive("is killed between two events", () =>
    Effect.gen(function* () {
      const answer = controlled()
      const { gateway, open, standby } = yield* begun(answer.answer)
      yield* Effect.fork(answer.push(once))
      const chunks = (yield* open)[Symbol.asyncIterator]()
      expect((yield* next(chunks))?.choices[0]?.delta.content).toBe("Once ")
      yield* answer.kill
      const { error } = yield* Effect.flip(Effect.tryPromise(() => chunks.next()))
      expect(error).toBeInstanceOf(OpenAI.APIError)
      expect(standby.requests).toEqual([])
      yield* expectBroken(gateway)
    }),
  )

  it.scopedLive("falls silent for longer than its idle timeout", () =>
    Effect.gen(function* () {
      const { gateway, open, standby } = yield* begun(
        sse([role, once, upon], { done: false, ending: "silence" }),
        { timeouts: { idle_ms: 100 } },
      )
      const { error, items } = yield* collectUntilError(yield* open)
      expect(textOf(items)).toBe("Once upon a time")
      expect(error.message).toContain("100 ms")
      expect(standby.requests).toEqual([])
      yield* expectBroken(gateway)
    }),
  )

  it.scopedLive("says so itself", () =>
    Effect.gen(function* () {
      const { gateway, open } = yield* begun(
        sse([role, once, openAiError("CUDA out of memory", { code: "oom" })]),
      )
      const { error, items } = yield* collectUntilError(yield* open)
      expect(textOf(items)).toBe("Once ")
      expect(error.message).toContain("CUDA out of memory")
      expect(error.code).toBe("oom")
      yield* expectBroken(gateway)
    }),
  )

  it.scopedLive("is killed while text is held back by a transform, which is given out first", () =>
    Effect.gen(function* () {
      const { open } = yield* begun(sse([role, textChunk("one\n<thi")], { done: false }), {
        thinking_format: "strip",
      })
      const { error, items } = yield* collectUntilError(yield* open)
      expect(textOf(items)).toBe("one\n<thi")
      expect(error).toBeInstanceOf(OpenAI.APIError)
    }),
  )
})

describe("A stream is whole", () => {
  it.scopedLive("with a finish reason and without [DONE]", () =>
    Effect.gen(function* () {
      const { gateway, open } = yield* begun(sse([textChunk("All."), finishChunk()], { done: false }))
      expect(textOf(yield* Effect.flatMap(open, collect))).toBe("All.")
      const records = yield* within("the audit record", gateway.awaitRecords(1))
      expect(records[0]?.outcome).toBe("ok")
    }),
  )

  it.scopedLive("with [DONE] and without a finish reason", () =>
    Effect.gen(function* () {
      const { open } = yield* begun(sse([textChunk("All.")]))
      expect(textOf(yield* Effect.flatMap(open, collect))).toBe("All.")
    }),
  )

  it.scopedLive("with [DONE], whatever the connection does after it", () =>
    Effect.gen(function* () {
      const { open } = yield* begun(sse([textChunk("All."), finishChunk()], { ending: "reset" }))
      expect(textOf(yield* Effect.flatMap(open, collect))).toBe("All.")
    }),
  )
})

describe("An upstream that answers a streaming request plainly", () => {
  it.scopedLive("has its error raised as the error it is", () =>
    Effect.gen(function* () {
      const { open } = yield* begun(status(400, openAiError("no streams here", { code: "no_stream" })))
      const outcome = yield* Effect.exit(Effect.sandbox(open))
      expect(String(outcome)).toContain("no streams here")
    }),
  )

  it.scopedLive("has its answer given out as a stream", () =>
    Effect.gen(function* () {
      const { open } = yield* begun(json(chatCompletion("Plain.")))
      expect(textOf(yield* Effect.flatMap(open, collect))).toBe("Plain.")
    }),
  )
})
