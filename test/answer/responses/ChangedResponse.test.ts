/** Streamed responses whose texts are changed: the same as the plain response changed, however the text was cut. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { ChoiceTransform } from "../../../src/answer/ChoiceTransform.ts"
import { transformResponse } from "../../../src/answer/responses/PlainResponse.ts"
import { responsesGrammar as grammar } from "../../../src/answer/responses/ResponsesGrammar.ts"
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

/** The texts of a response, by where they stand. */
const textsIn = (whole: unknown): ReadonlyMap<string, string> => {
  const texts = new Map<string, string>()
  for (const [item, { content }] of outputOf(whole).entries()) {
    if (!Array.isArray(content)) continue
    for (const [part, { text }] of content.entries()) texts.set(`${item}:${part}`, String(text))
  }
  return texts
}

const outputOf = (whole: unknown): ReadonlyArray<JsonObject> => JSON.parse(JSON.stringify(whole)).output ?? []

/** The events with those of each item in their order, but in turns with those of others; numbered as they come. */
const inTurns = (
  events: ReadonlyArray<Readonly<Record<string, unknown>>>,
  turns: ReadonlyArray<number>,
): ReadonlyArray<unknown> => {
  const isOfItem = ({ output_index: at }: Readonly<Record<string, unknown>>) => at !== undefined
  const queues = new Map<unknown, Array<Readonly<Record<string, unknown>>>>()
  for (const event of events.filter(isOfItem)) {
    const { output_index: at } = event
    queues.set(at, [...(queues.get(at) ?? []), event])
  }
  // Items begin in their order.
  const begun = [...queues.values()].flatMap((queue) => queue.splice(0, 1))
  const mixed: Array<unknown> = []
  for (let turn = 0; [...queues.values()].some((queue) => queue.length > 0); turn++) {
    const open = [...queues.values()].filter((queue) => queue.length > 0)
    mixed.push(...(open[(turns[turn % turns.length] ?? 0) % open.length]?.splice(0, 1) ?? []))
  }
  const [first, last] = [events.slice(0, 2), events.slice(-1)]
  return [...first, ...begun, ...mixed, ...last].map((event, at) => ({
    ...Object(event),
    sequence_number: at,
  }))
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

  it("law: its texts may come in turns, and no piece of one is lost, said twice or taken for another's", () => {
    const turnsArb = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(transformArb, responseArb, fc.integer({ min: 1, max: 9 }), turnsArb, (...given) => {
        const [transform, whole, size, turns] = given
        const events = changed(transform, inTurns(eventsOf(whole, size), turns))
        expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, at) => at))
        const texts = textsOf(events)
        const bare = plainOf({ ...transform, prefix: undefined }, whole)
        const bareTexts = textsIn(bare)
        const last = events.at(-1)?.["response"]
        for (const [place, text] of textsIn(last)) expect(texts.get(place) ?? "").toBe(text)
        const done = events.filter(({ type }) => type === "response.output_item.done")
        const byPlace = done.toSorted((a, b) => Number(a["output_index"]) - Number(b["output_index"]))
        expect(last).toMatchObject({ output: byPlace.map(({ item }) => item) })
        if (transform.prefix === "P: ") {
          const begun = [...textsIn(last)].filter(([place, text]) => text !== bareTexts.get(place))
          expect(begun.length).toBeLessThanOrEqual(1)
          for (const [place, text] of begun) expect(text).toBe(`P: ${bareTexts.get(place)}`)
        }
      }),
      { numRuns: runs(300) },
    )
  })

  it("has no prefix within its text where it is read on from there", () => {
    const whole = response([reasoning("Hm."), message("Hello there", "msg_1"), message("you", "msg_2")])
    const events = eventsOf(whole, 5)
    const within = events.findIndex(({ delta }) => delta === "Hello") + 1
    for (const thinking of ["passthrough", "strip"] as const) {
      const later = changed({ prefix: "P: ", thinking }, events.slice(within))
      expect([...textsOf(later).values()]).toEqual([" there", "you"])
      expect(later.find(({ type }) => type === "response.output_text.done")?.["text"]).toBe("P: Hello there")
      expect(later.at(-1)?.["response"]).toMatchObject({
        output: expect.arrayContaining([message("P: Hello there", "msg_1"), message("you", "msg_2")]),
      })
    }
    const before = changed({ prefix: "P: ", thinking: "passthrough" }, events.slice(3))
    expect([...textsOf(before).values()]).toEqual(["P: Hello there", "you"])
  })

  it("numbers what it held back behind all that came, where it breaks off", () => {
    const all = eventsOf(response([message("Hello <thi", "msg_1"), message("<thi", "msg_2")]), 5)
    const cut = all.filter(({ type }) => !String(type).endsWith(".done")).slice(0, -1)
    const numbered = cut.map((event, at) => ({ ...event, sequence_number: at }))
    const events = changed({ prefix: "P: ", thinking: "strip" }, numbered)
    expect([...textsOf(events).values()]).toEqual(["P: Hello <thi", "<thi"])
    expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, at) => at))
  })

  it("gives out what it held back without what else a delta held", () => {
    const where = { type: "response.output_text.delta", item_id: "msg_0", output_index: 0, content_index: 0 }
    const held = {
      ...where,
      sequence_number: 0,
      delta: "a\n<think>b",
      logprobs: [{ token: "b" }],
      more: [[]],
    }
    expect(changed({ prefix: undefined, thinking: "strip" }, [held]).at(-1)).toEqual({
      ...where,
      sequence_number: 1,
      delta: "<think>b",
      logprobs: [],
    })
  })

  it("is changed too where it fails, and shows no reasoning with that", () => {
    const partial = response([reasoning("Hm."), message("Hi")], { status: "failed" })
    const events = changed({ prefix: "P: ", thinking: "strip" }, eventsOf(partial, 9))
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      sequence_number: events.length - 1,
      response: { output: [message("P: Hi")] },
    })
  })

  it("ends in an error where more texts are open than any response has", () => {
    const deltas = Array.from({ length: 100 }, (_, at) => ({
      type: "response.output_text.delta",
      output_index: at,
      content_index: 0,
      delta: "Hi",
    }))
    const events = changed({ prefix: undefined, thinking: "strip" }, deltas)
    expect(events.find(({ error }) => error !== undefined)?.["error"]).toMatchObject({
      type: "upstream_error",
    })
    expect(changed({ prefix: "P: ", thinking: "passthrough" }, deltas).length).toBe(100)
  })

  it("leaves the bytes of deltas alone once there is a prefix, and nothing else is wanted", () => {
    const run = grammar.changed({ prefix: "P: ", thinking: "passthrough" }, false)
    const given = eventsOf(response([message("Hello", "msg_1"), message("you", "msg_2")]), 1).map(
      (event) => ({
        data: bytesOf(event),
        event: String(event["type"]),
      }),
    )
    const taken = run?.take(given) ?? []
    const isDelta = ({ event }: { readonly event: string | undefined }) =>
      event === "response.output_text.delta"
    const same = taken.filter((event) => isDelta(event) && given.includes(event as (typeof given)[number]))
    expect(same.length).toBe(given.filter(isDelta).length - 1)
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
