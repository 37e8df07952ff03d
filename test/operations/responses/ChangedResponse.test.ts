/** Streamed responses whose texts are changed: the same as the plain response changed, however the text was cut. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ChoiceTransform } from "../../../src/answer/ChoiceTransform.ts"
import { transformResponse } from "../../../src/operations/responses/PlainResponse.ts"
import { responsesGrammar as grammar } from "../../../src/operations/responses/ResponsesGrammar.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { bytesOf } from "../../support/answers.ts"
import { eventsOf, functionCall, message, reasoning, response } from "../../support/ResponseEvents.ts"
import { runs } from "../../support/Runs.ts"

const read = (data: Uint8Array): JsonObject => JSON.parse(Buffer.from(data).toString())

const changed = (transform: ChoiceTransform, events: ReadonlyArray<unknown>): ReadonlyArray<JsonObject> => {
  const given = events.map((one) => ({ data: bytesOf(one), event: undefined }))
  const run = grammar.changed(transform, false)
  return (run === undefined ? given : [...run.take(given), ...run.rest()]).map(({ data }) => read(data))
}

const transformArb: fc.Arbitrary<ChoiceTransform> = fc.record({
  prefix: fc.constantFrom(undefined, "P: ", "<think>"),
  thinking: fc.constantFrom("passthrough" as const, "strip" as const, "reasoning" as const),
})

const textArb = fc
  .array(fc.constantFrom("<think>", "</think>", "so", " ", "\n", "Hello", "<th", "é", ""), { maxLength: 8 })
  .map((parts) => parts.join(""))

const itemArb = (at: number) =>
  fc.oneof(
    textArb.map((text) => message(text, `msg_${at}`)),
    textArb.map((text) => reasoning(text, `rs_${at}`)),
    fc.constant(functionCall('{"q":"<think>"}', `fc_${at}`)),
  )

const responseArb = fc
  .integer({ min: 1, max: 5 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => itemArb(at))))
  .map((items) => response(items))

const plainOf = (transform: ChoiceTransform, whole: unknown): JsonObject =>
  read(transformResponse(transform, bytesOf(whole)))

/** The texts that deltas say, by where they stand. */
const textsOf = (events: ReadonlyArray<JsonObject>): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  for (const { content_index: part, delta, output_index: item, type } of events) {
    if (type !== "response.output_text.delta") continue
    const place = `${item}:${part}`
    texts.set(place, (texts.get(place) ?? "") + String(delta))
  }
  return texts
}

describe("A streamed response whose texts are changed", () => {
  it("ends in an error where items of reasoning have no end", () => {
    const items = Array.from({ length: 2_000 }, (_, at) => ({
      type: "response.output_item.added",
      output_index: at,
      item: reasoning("", `rs_${at}`),
    }))
    const events = changed({ prefix: undefined, thinking: "strip" }, items)
    expect(events[0]?.["error"]).toMatchObject({ type: "upstream_error" })
  })

  it("law: is the plain one changed, in its last event and in all that came before", () => {
    fc.assert(
      fc.property(transformArb, responseArb, fc.integer({ min: 1, max: 9 }), (transform, whole, size) => {
        const events = changed(transform, eventsOf(whole, size))
        const plain = plainOf(transform, whole)
        expect(events.at(-1)?.["response"]).toEqual(plain)
        expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, at) => at))
        const done = events.filter(({ type }) => type === "response.output_item.done")
        expect(done.map(({ item }) => item)).toEqual(plain["output"])
        expect(done.map(({ output_index: at }) => at)).toEqual(done.map((_, at) => at))
        for (const { content_index: part, output_index: item, text, type } of events) {
          if (type !== "response.output_text.done") continue
          expect(textsOf(events).get(`${item}:${part}`) ?? "").toBe(text)
        }
        for (const { content_index: part, output_index: item, part: told, type } of events) {
          if (type !== "response.content_part.done") continue
          const ended = events.find(
            (one) =>
              one["type"] === "response.output_text.done" &&
              one["output_index"] === item &&
              one["content_index"] === part,
          )
          expect(told).toMatchObject({ text: ended?.["text"] })
        }
      }),
      { numRuns: runs(300) },
    )
  })

  it("has the prefix before its first text, and nowhere else", () => {
    const whole = response([reasoning("Hm."), message("Hi", "msg_1"), message("there", "msg_2")])
    const events = changed({ prefix: "P: ", thinking: "passthrough" }, eventsOf(whole, 1))
    expect([...textsOf(events).values()]).toEqual(["P: Hi", "there"])
    expect(JSON.stringify(events).match(/P: /g)?.length).toBe(5)
  })

  it("has the prefix in a text that no delta tells", () => {
    const all: ReadonlyArray<JsonObject> = JSON.parse(JSON.stringify(eventsOf(response([message("Hi")]), 9)))
    const untold = all.filter(({ type }) => type !== "response.output_text.delta")
    const events = changed({ prefix: "P: ", thinking: "passthrough" }, untold)
    const done = events.find(({ type }) => type === "response.output_text.done")
    expect(done?.["text"]).toBe("P: Hi")
    expect(events.at(-1)?.["response"]).toEqual(
      plainOf({ prefix: "P: ", thinking: "passthrough" }, response([message("Hi")])),
    )
  })

  it("has no reasoning where that is stripped, and no gap", () => {
    const whole = response([reasoning("Hm."), message("<think>so</think>Hi"), reasoning("So.", "rs_2")])
    const events = changed({ prefix: undefined, thinking: "strip" }, eventsOf(whole, 3))
    expect(JSON.stringify(events)).not.toMatch(/reasoning_summary|rs_1|rs_2|so<|think/)
    expect(events.at(-1)).toMatchObject({ response: { output: [message("Hi")] } })
  })

  it("gives out what it held back where it breaks off", () => {
    const events = eventsOf(response([message("Hello <thi")]), 5)
    const until = events.findIndex(({ type }) => type === "response.output_text.done")
    const given = changed({ prefix: undefined, thinking: "strip" }, events.slice(0, until))
    expect([...textsOf(given).values()]).toEqual(["Hello <thi"])
  })

  it("is not changed where nothing is to be", () => {
    for (const thinking of ["passthrough", "reasoning", "think_tag"] as const) {
      expect(grammar.changed({ prefix: undefined, thinking }, false)).toBeUndefined()
    }
  })
})
