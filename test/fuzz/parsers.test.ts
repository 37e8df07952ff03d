/** Whatever bytes a parser is given, it answers: nothing throws, and what it gives out keeps its own laws. */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import fc from "fast-check"
import { clientKeys } from "../../src/access/Credential.ts"
import { deadlineOf } from "../../src/access/Deadline.ts"
import { summary } from "../../src/answer/AnswerStream.ts"
import { readAnswer, transformAnswer } from "../../src/answer/PlainAnswer.ts"
import { assemble } from "../../src/answer/transcript/Transcript.ts"
import { judge, says } from "../../src/answer/Verdict.ts"
import { loadConfig, textOfBytes } from "../../src/config/file/ConfigFile.ts"
import { shapedBody } from "../../src/errors/faces/OpenAiFace.ts"
import { nothingOmitted } from "../../src/operations/Additions.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import { toClient } from "../../src/operations/HeadersToClient.ts"
import { toUpstream } from "../../src/operations/HeadersToUpstream.ts"
import { FormCollector } from "../../src/operations/multipart/FormCollector.ts"
import { formReader } from "../../src/operations/multipart/FormRequest.ts"
import { allOperations } from "../../src/operations/Operations.ts"
import { preparedFor } from "../../src/operations/translation/TranslatedRequest.ts"
import { readModels } from "../../src/routing/ModelList.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import { retryAfterMs } from "../../src/upstream/policy/RetryAfter.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { run } from "../../src/wire/Machine.ts"
import { MultipartReader } from "../../src/wire/Multipart.ts"
import { sanitizeRequestId } from "../../src/wire/RequestId.ts"
import { decoder, isOverflow, type SseEvent } from "../../src/wire/Sse.ts"
import { encode } from "../../src/wire/SseWriting.ts"
import { storedBytes } from "../../src/wire/StoredBytes.ts"
import { makeUpstream } from "../support/arbitraries.ts"
import { file, formOf } from "../support/Forms.ts"
import { runs } from "../support/Runs.ts"
import { eventStream } from "../support/ScriptedUpstream.ts"
import { streamed } from "../support/StreamedAnswers.ts"
import { chatChunks, chatCompletion, openAiError, textCompletion } from "../support/Wire.ts"
import { mangled, pieces } from "./Bytes.ts"

const request = JSON.stringify({
  model: "gpt-4",
  stream: true,
  stream_options: { include_usage: true },
  stop: ["a", "b"],
  max_tokens: 5,
  tools: [],
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: "Hello" }] },
    { role: "user", content: "there" },
    { role: "assistant", content: "<think>so</think>Yes?" },
    { role: "user", content: "\u{1F600} \\u00e9" },
  ],
})
const legacy = JSON.stringify({ model: "gpt-4", prompt: "Once upon", max_tokens: 5 })
const answer = JSON.stringify(chatCompletion(["<think>so</think>Hello", "there"]))
const stream = eventStream(chatChunks(["<think>", "so</thi", "nk>Hello", " there"])).toString()
const error = JSON.stringify(openAiError("no"))

const operation = fc.constantFrom(...allOperations)

const shape = fc.constantFrom(chatShape, completionShape)
const transform = {
  prefix: fc.constantFrom(undefined, "Prefix: ", "<think>"),
  thinking: fc.constantFrom(
    "passthrough" as const,
    "strip" as const,
    "think_tag" as const,
    "reasoning" as const,
    "reasoning_content" as const,
  ),
}

const check = (property: fc.IRawProperty<unknown>, numRuns: number) =>
  fc.assert(property, { numRuns: runs(numRuns) })

const resuming = { upstream: makeUpstream({ resume: { body: {}, message: {} } }), upstreamModel: "other" }

/** The laws of the wire form of an event, see `encode`. */
const isOneEvent = (data: Uint8Array): boolean =>
  /^(?:data: [^\r\n]*\n)+\n$/.test(Buffer.from(encode(data)).toString("latin1"))

describe("Fuzzed,", () => {
  it("a request is refused or prepared for an upstream, as JSON that still asks for the model", () => {
    const target = {
      upstream: makeUpstream({ stop: ["x"], maxTokens: 3, extraBody: { top_k: 1 }, model: "other" }),
      upstreamModel: "other",
    }
    check(
      fc.property(operation, mangled(request, legacy), (operation, bytes) => {
        const decoded = operation.decode(bytes, {})
        if (Either.isLeft(decoded)) {
          expect(decoded.left.message).not.toBe("")
          return
        }
        decoded.right.affinity()
        const prepared = decoded.right.bodyFor(target, nothingOmitted)
        if (Either.isLeft(prepared)) return
        const sent: unknown = JSON.parse(Buffer.from(prepared.right.body).toString())
        expect(sent).toMatchObject({ model: "other" })
      }),
      400,
    )
  })

  it("a form is read alike however it is cut, and is refused or prepared with its model's new name", () => {
    const form = formOf(
      [
        ["file", file("a.mp3", "audio/mpeg")],
        ["model", "gpt-4"],
        ["stream", "true"],
      ],
      "b",
    )
    const target = { upstream: makeUpstream({ extraBody: { top_k: 1 } }), upstreamModel: "other" }
    const readForm = (chunks: ReadonlyArray<Uint8Array>) => {
      const collector = new FormCollector(true)
      const reader = new MultipartReader("b", collector)
      for (const chunk of chunks) reader.feed(chunk)
      reader.end()
      const { closedAt = 0, fault } = reader
      return { fault, closedAt, parts: fault === undefined ? collector.parts : [] }
    }
    check(
      fc.property(mangled(form.bytes.toString("latin1")), fc.nat(), (bytes, at) => {
        const cut = at % (bytes.length + 1)
        const { closedAt, fault, parts } = readForm([bytes])
        const again = readForm([bytes.subarray(0, cut), bytes.subarray(cut)])
        expect([again.fault, again.parts]).toEqual([fault, parts])
        if (fault !== undefined) return
        const whole = { boundary: "b", parts, bytes: storedBytes([bytes]), closedAt }
        const asked = formReader()(whole, {})
        if (Either.isLeft(asked)) return
        expect(asked.right.affinity().length).toBeLessThanOrEqual(1_024)
        const { body } = Either.getOrThrow(asked.right.bodyFor(target, nothingOmitted))
        const sent = Buffer.concat(
          body.pieces.flatMap((piece) => (piece instanceof Uint8Array ? [piece] : [])),
        )
        expect(sent.length).toBe(body.length)
        const model = readForm([sent]).parts.filter(({ name }) => name === "model")
        expect(model.map(({ text }) => text)).toEqual(["other"])
      }),
      400,
    )
  })

  it("a plain answer is read and transformed, and stays what it was where it is no answer", () => {
    check(
      fc.property(
        shape,
        fc.record(transform),
        mangled(answer, error, JSON.stringify(textCompletion("Hello"))),
        (shape, transform, bytes) => {
          const transformed = transformAnswer(shape, transform, bytes)
          if (judge(parseObject(bytes), says).kind === "not_json") expect(transformed).toEqual(bytes)
          readAnswer(shape, parseObject(bytes))
          readAnswer(shape, parseObject(transformed))
          shapedBody(bytes)
        },
      ),
      400,
    )
  })

  it("an event stream becomes events of the one form, an end, and an answer put together", () => {
    check(
      fc.property(
        shape,
        fc.record(transform),
        fc.boolean(),
        pieces(mangled(stream, stream.replaceAll("\n", "\r\n"), `data: ${error}\n\n`)),
        (shape, transform, includeUsage, chunks) => {
          const outputs = run(decoder({ maxEventBytes: 4_000 }), chunks)
          const { data: sent, state } = streamed(
            { shape, transform, includeUsage, choices: 1, secrets: noSecrets },
            outputs.filter((output): output is SseEvent => !isOverflow(output)),
          )
          expect(sent.every(isOneEvent)).toBe(true)
          expect(["complete", "broken"]).toContain(state.phase)
          expect(summary(state).outcome).not.toBe("client_closed")
          const last = Buffer.from(sent.at(-1) ?? "").toString()
          expect(last === "[DONE]" || last.includes('"error"')).toBe(true)
          JSON.stringify(assemble(shape, sent))
        },
      ),
      400,
    )
  })

  it("a broken stream is judged, and gone on with as JSON where it can be", () => {
    check(
      fc.property(operation, pieces(mangled(stream)), mangled(request, legacy), (operation, chunks, body) => {
        const rules = operation.stream?.resume
        if (rules === undefined) return
        const events = run(decoder({ maxEventBytes: 4_000 }), chunks).flatMap((output) =>
          isOverflow(output) ? [] : [output],
        )
        const point = rules.pointAfter(
          { prefix: "", tags: ["think"] },
          events.map(({ data }) => data),
        )
        if (point === undefined) return
        const request = operation.decode(body, {})
        if (Either.isRight(request)) {
          const next = preparedFor(operation, request.right, resuming, nothingOmitted, point.text)
          if (Either.isRight(next)) JSON.parse(Buffer.from(next.right.body).toString())
        }
        const joined = point.joined()
        for (const { data } of [...joined.take(events), ...joined.rest()]) {
          judge(parseObject(data), says)
        }
      }),
      300,
    )
  })

  it("headers are read, and none is sent on that could not be sent", () => {
    const value = mangled("Bearer sk-key", "12", "Wed, 21 Oct 2026 07:28:00 GMT", "keep-alive, x-odd").map(
      (bytes) => bytes.toString("latin1").replace(/[\r\n\0]/g, ""),
    )
    const name = fc.constantFrom(
      "authorization",
      "x-api-key",
      "x-request-id",
      "x-request-timeout-ms",
      "retry-after",
      "retry-after-ms",
      "connection",
      "content-type",
      "openai-organization",
      "x-odd",
      "__proto__",
      "constructor",
    )
    check(
      fc.property(fc.dictionary(name, value), (headers) => {
        clientKeys(headers, "anthropic")
        const id = sanitizeRequestId(headers["x-request-id"])
        if (id !== undefined) expect(id).toMatch(/^[\x21-\x7e]+$/)
        const deadline = deadlineOf(headers, 0, 1_000)
        if (Either.isRight(deadline)) expect(deadline.right.afterMs).toBeLessThanOrEqual(1_000)
        const ms = retryAfterMs(headers, 0)
        if (ms !== undefined) expect(ms).toBeGreaterThanOrEqual(0)
        const upwards = toUpstream(headers, makeUpstream(), undefined, { body: "json", face: "openai" })
        for (const name of ["connection", "authorization", "x-api-key", "x-odd"]) {
          if (name !== "authorization") expect(Object.keys(upwards)).not.toContain(name)
        }
        expect(Object.keys(toClient(headers, noSecrets))).not.toContain("connection")
      }),
      300,
    )
  })

  it("a model list and a configuration are read or refused", () => {
    const list = JSON.stringify({ object: "list", data: [{ id: "gpt-4" }, { id: "o3", owned_by: "x" }] })
    const config = `retry: { rounds: 2 }\nopenai_clients:\n  - name: a\n    base_url: "\${URL:-http://a/v1}"\n    model_match: { type: exact, value: [gpt-4] }\n`
    check(
      fc.property(mangled(list, config), (bytes) => {
        try {
          readModels(JSON.parse(bytes.toString()), "a")
        } catch (cause) {
          expect(cause).toBeInstanceOf(SyntaxError)
        }
        const text = textOfBytes(bytes)
        if (text === undefined) return
        const loaded = loadConfig(text, {})
        if (Either.isLeft(loaded)) expect(loaded.left.length).toBeGreaterThan(0)
      }),
      200,
    )
  })
})
