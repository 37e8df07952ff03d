/** What a caller is given of an answer in another dialect. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { maxMadeBytes } from "../../../src/answer/AnswerInChunks.ts"
import { noUsage } from "../../../src/answer/Usage.ts"
import type { NeutralAnswer } from "../../../src/dialects/Answer.ts"
import { forms } from "../../../src/dialects/Forms.ts"
import { conversations } from "../../../src/operations/translation/Conversations.ts"
import {
  translatedAnswer,
  translatedEvents,
  unsaidBy,
} from "../../../src/operations/translation/TranslatedAnswer.ts"
import type { Translation } from "../../../src/operations/translation/Translation.ts"
import { type Dialect, dialects } from "../../../src/routing/Dialect.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { encodeJson } from "../../../src/wire/JsonBytes.ts"
import { askedFor } from "../../dialects/Abilities.ts"

const between = dialects.flatMap((from) =>
  dialects.filter((to) => to !== from).map((to) => [from, to] as const),
)

const translation = (from: Dialect, to: Dialect): Translation => ({
  from,
  to,
  upstream: "up",
  tags: [],
  renamed: [],
  repeated: {},
})

const unsaid = unsaidBy("0193-request", 5_000)

const calling = (...inputs: ReadonlyArray<string>): NeutralAnswer => ({
  id: "1",
  model: "m",
  createdAt: 5,
  serviceTier: undefined,
  parts: [
    { kind: "text", text: "12345678901234567890" },
    ...inputs.map((input, at) => ({
      kind: "tool_call" as const,
      id: `call_${at}`,
      name: "look",
      input,
      isFreeForm: false,
    })),
  ],
  finish: { kind: "tool_calls" },
  counts: noUsage,
})

/** An answer in a dialect whose calls have these very inputs. */
const bodyOf = (dialect: Dialect, ...inputs: ReadonlyArray<string>): Uint8Array => {
  const places = inputs.map((_, at) => `{"place":${at}}`)
  const text = Buffer.from(
    encodeJson(forms[dialect].writeAnswer(calling(...places), askedFor)) ?? [],
  ).toString()
  const printed = (input: string): string =>
    dialect === "messages" ? input : JSON.stringify(input).slice(1, -1)
  return Buffer.from(
    places.reduce((all, place, at) => all.replace(printed(place), () => printed(inputs[at] ?? "")), text),
  )
}

const inputsIn = (dialect: Dialect, body: Uint8Array) =>
  forms[dialect]
    .readAnswer(JSON.parse(Buffer.from(body).toString()), body)
    ?.parts.flatMap((part) => (part.kind === "tool_call" ? [part.input] : []))

/** What ids begin with. */
const beginnings: Readonly<Record<Dialect, string>> = {
  chat: "chatcmpl-",
  messages: "msg_",
  responses: "resp_",
}

const nameless: NeutralAnswer = {
  ...calling("{}"),
  id: "",
  parts: [
    { kind: "text", text: "yes" },
    { kind: "tool_call", id: "", name: "look", input: "{}", isFreeForm: false },
  ],
}

/** All ids of a text of JSON, those of calls among them. */
const idsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/"(?:id|call_id|item_id)":"([^"]*)"/g)].flatMap(([, id]) => id ?? [])

const wholeArb = fc.bigInt({ min: 0n, max: 2n ** 64n }).map((id) => `{"id":${id},"in":[{"id":-${id}}]}`)

describe("A whole answer of chat", () => {
  it.each<[string, JsonObject]>([
    [
      "calls without ids",
      { tool_calls: [1, 2].map(() => ({ function: { name: "look", arguments: "{}" } })) },
    ],
    ["a call of a function", { function_call: { name: "look", arguments: "{}" } }],
  ])("names %s after itself, as its stream does", (_, called) => {
    const answer = { id: "chatcmpl-1", choices: [{ message: { content: null, ...called } }] }
    const told = translatedAnswer(
      translation("chat", "messages"),
      unsaid,
      encodeJson(answer) ?? new Uint8Array(),
    )
    const ids = idsIn(Buffer.from(told?.body ?? []).toString())
    expect(ids).toEqual(["msg_1", "call_1_0", "call_1_1"].slice(0, ids.length))
    expect(ids.length).toBeGreaterThan(1)
  })
})

describe.each(between)("A whole answer from %s to %s", (from, to) => {
  it("goes by the request's id where its upstream tells none, whole and as a stream", () => {
    const body = encodeJson(forms[from].writeAnswer(nameless, askedFor)) ?? new Uint8Array()
    const whole = Buffer.from(translatedAnswer(translation(from, to), unsaid, body)?.body ?? []).toString()
    const datas = conversations[from].stream?.givenOut(body, maxMadeBytes) ?? []
    const stream = translatedEvents(translation(from, to), unsaid)
    const events = [...stream.take(datas.map((data) => ({ data, event: undefined }))), ...stream.rest()]
    const streamed = events.map(({ data }) => Buffer.from(data).toString()).join("\n")
    for (const ids of [idsIn(whole), idsIn(streamed)]) {
      expect(ids).toContain(`${beginnings[to]}0193-request`)
      expect(ids).toContain("call_0193-request_0")
      expect(ids.filter((id) => !id.includes("0193-request"))).toEqual([])
    }
  })

  it.skipIf(from === "messages")("keeps its text, and what it called a tool with that is no JSON", () => {
    const wrong = '{"code":"print("{")"}'
    const told =
      translatedAnswer(translation(from, to), unsaid, bodyOf(from, wrong))?.body ?? new Uint8Array()
    expect(Buffer.from(told).toString()).toContain(
      '"text":"12345678901234567890"'.slice(to === "chat" ? 7 : 0),
    )
    expect(inputsIn(to, told)).toEqual([to === "messages" ? JSON.stringify({ INVALID_JSON: wrong }) : wrong])
  })

  it("gives tools whole numbers of 64 bits to the last digit, given out as a stream too", () => {
    fc.assert(
      fc.property(fc.array(wholeArb, { minLength: 1, maxLength: 3 }), (inputs) => {
        const given = translatedAnswer(translation(from, to), unsaid, bodyOf(from, ...inputs))
        if (given === undefined) throw new Error("it was not translated")
        expect(inputsIn(to, given.body)).toEqual(inputs)
        const { stream } = conversations[to]
        const datas = stream?.givenOut(given.body, maxMadeBytes) ?? []
        const reading = forms[to].readEvents()
        const events = datas.map((data) => ({ data, event: undefined }))
        const told = [...reading.take(events), ...reading.rest()]
        expect(
          told
            .flatMap((event) => (event.kind === "more" ? [event.text] : []))
            .slice(1)
            .join(""),
        ).toBe(inputs.join(""))
      }),
      { numRuns: 30 },
    )
  })
})
