/** That two streams make one answer. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { AnswerShape } from "../../src/answer/AnswerShape.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { resumedEvents } from "../../src/resume/ResumedEvents.ts"
import { readSoFar, type SaidSoFar } from "../../src/resume/SaidSoFar.ts"
import type { Unresumable } from "../../src/resume/Unresumable.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { run } from "../../src/wire/Machine.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { answerArb, bytesOf, chunksOf, cuttingArb } from "../support/answers.ts"
import { chunk, finishChunk, textChunk, textCompletionChunk, usageChunk } from "../support/Wire.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const decode = (bytes: Uint8Array): unknown => JSON.parse(textOf(bytes))

const right = <A>(result: Either.Either<A, Unresumable>): A =>
  Either.getOrThrowWith(result, (why) => new Error(`refused: ${why}`))

const soFar = (chunks: ReadonlyArray<unknown>, shape: AnswerShape = chatShape, prefix = "") =>
  readSoFar(shape, { prefix, tags: ["think"] }, chunks.map(bytesOf))

const event = (value: unknown): SseEvent => ({ data: bytesOf(value), event: undefined })

const joinedTo = (said: SaidSoFar, values: ReadonlyArray<unknown>, shape: AnswerShape = chatShape) =>
  run(resumedEvents(shape, said), values.map(event)).map(({ data }) => decode(data))

describe("the events of the target that resumes an answer", () => {
  const first = { id: "first", model: "one" }
  const second = { id: "second", model: "two" }
  const begun = right(soFar([chunk({ role: "assistant" }, first), textChunk("a", first)]))

  it("are named as the first chunk was, and have no second role", () => {
    expect(
      joinedTo(begun, [
        chunk({ role: "assistant", content: "" }, second),
        textChunk("b", second),
        finishChunk("stop", second),
        usageChunk(undefined, second),
      ]),
    ).toEqual([
      chunk({ content: "" }, first),
      textChunk("b", first),
      finishChunk("stop", first),
      usageChunk(undefined, first),
    ])
  })

  it("lose a name the first chunk had not, and get one it had", () => {
    const { id: _, ...nameless } = textChunk("a")
    const said = right(soFar([{ ...nameless, system_fingerprint: "fp_1" }]))
    const { id: __, ...rest } = textChunk("b")
    expect(joinedTo(said, [{ ...textChunk("b") }])).toEqual([{ ...rest, system_fingerprint: "fp_1" }])
  })

  it("give the role where the first had none, once", () => {
    for (const [opening, name] of [
      [{ choices: [] }, second],
      [textChunk("a", first), first],
    ] as const) {
      const values = [
        chunk({ role: "assistant" }, second),
        chunk({ role: "assistant", content: "b" }, second),
      ]
      expect(joinedTo(right(soFar([opening])), values)).toEqual([
        chunk({ role: "assistant" }, name),
        chunk({ content: "b" }, name),
      ])
    }
  })

  it("are named as the first chunk with a choice, whatever stood before or after it", () => {
    const azure = { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [] }
    const said = right(soFar([azure, textChunk("a", first), textChunk("b", { id: "other" })]))
    expect(joinedTo(said, [textChunk("c", second)])).toEqual([textChunk("c", first)])
  })

  it("keep every other byte", () => {
    const said = right(soFar([{ id: "first", choices: [{ index: 0, delta: { role: "assistant" } }] }]))
    const data =
      '{"id":"second","choices":[ {"index":0, "delta":{"role":"assistant", "content":"\\u0062"},"logprobs":{"x":-0.0}} ],"big":12345678901234567890}'
    const [out] = run(resumedEvents(chatShape, said), [{ data: encode(data), event: "message" }])
    expect(out?.event).toBe("message")
    expect(textOf(out?.data ?? new Uint8Array())).toBe(
      '{"id":"first","choices":[{"index":0, "delta":{"content":"\\u0062"},"logprobs":{"x":-0.0}}],"big":12345678901234567890}',
    )
  })

  it("pass as they are where they are no chunks", () => {
    const events: ReadonlyArray<SseEvent> = [
      "[DONE]",
      "{",
      '{"error":{"message":"x"}}',
      '{"choices":null}',
    ].map((data) => ({ data: encode(data), event: undefined }))
    const out = run(resumedEvents(chatShape, begun), events)
    out.forEach((one, at) => {
      expect(one).toBe(events[at])
    })
    expect(out.length).toBe(events.length)
  })

  const named = ["id", "object", "created", "model", "system_fingerprint"]

  it("law: differ from what came in their names and roles alone", () => {
    const without = (value: JsonObject): unknown => {
      const rest = Object.fromEntries(Object.entries(value).filter(([name]) => !named.includes(name)))
      return JSON.parse(JSON.stringify(rest), (name, member) => (name === "role" ? undefined : member))
    }
    fc.assert(
      fc.property(answerArb, cuttingArb, ({ choices, shape }, cutting) => {
        const chunks = chunksOf({ choices, shape }, cutting)
        const opening = shape === chatShape ? textChunk("a", first) : textCompletionChunk("a")
        const said = right(soFar([opening], shape))
        const out = run(resumedEvents(shape, { ...said, roleSaid: true }), chunks.map(event))
        expect(out.length).toBe(chunks.length)
        out.forEach(({ data }, at) => {
          const text = textOf(data)
          const parsed: JsonObject = JSON.parse(text)
          expect(parsed["id"]).toBe(opening.id)
          expect(parsed["model"]).toBe(opening.model)
          expect(JSON.parse(text, (name, value) => (name === "role" ? "role!" : value))).toEqual(parsed)
          expect(without(parsed)).toEqual(without(chunks[at] ?? {}))
        })
      }),
    )
  })
})
