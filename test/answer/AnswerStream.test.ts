import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { AnswerEnd } from "../../src/answer/AnswerRun.ts"
import { answerStream, summary } from "../../src/answer/AnswerStream.ts"
import type { ChoiceTransform } from "../../src/answer/ChoiceTransform.ts"
import { textOfPart, thoughtsOfPart } from "../../src/answer/ContentParts.ts"
import { transformAnswer } from "../../src/answer/PlainAnswer.ts"
import { assemble } from "../../src/answer/transcript/Transcript.ts"
import { noUsage } from "../../src/answer/Usage.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import type { ThinkingFormat } from "../../src/routing/Upstream.ts"
import { noSecrets } from "../../src/secrets/Secrets.ts"
import { isJsonObject, type Json, type JsonObject } from "../../src/wire/Json.ts"
import { run } from "../../src/wire/Machine.ts"
import { decoder, isOverflow, type SseEvent, type SseOutput } from "../../src/wire/Sse.ts"
import { answerArb, bytesOf, chunksOf, cuttingArb, plainOf, textArb, wireOf } from "../support/answers.ts"
import { runs } from "../support/Runs.ts"
import { type StreamedSettings, streamed } from "../support/StreamedAnswers.ts"
import { chunk, finishChunk, textChunk, textCompletionChunk, usageChunk } from "../support/Wire.ts"

const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const event = (value: unknown, name?: string): SseEvent => ({
  data: typeof value === "string" ? new TextEncoder().encode(value) : bytesOf(value),
  event: name,
})

const isEvent = (output: SseOutput): output is SseEvent => !isOverflow(output)

const done = event("[DONE]")

const untouched: ChoiceTransform = { prefix: undefined, thinking: "passthrough" }

const settings = (given: Partial<StreamedSettings> = {}): StreamedSettings => ({
  shape: chatShape,
  transform: untouched,
  includeUsage: false,
  choices: 1,
  secrets: noSecrets,
  ...given,
})

const sent = (
  given: StreamedSettings,
  chunks: ReadonlyArray<unknown>,
  end: AnswerEnd = { kind: "ended" },
): ReadonlyArray<unknown> =>
  streamed(
    given,
    chunks.map((one) => event(one)),
    end,
  ).data.map((data) => (textOf(data) === "[DONE]" ? "[DONE]" : decode(data)))

const { transform: _, ...relayed } = settings()

const formats: ReadonlyArray<ThinkingFormat> = [
  "passthrough",
  "strip",
  "think_tag",
  "reasoning",
  "reasoning_content",
]

const transformArb: fc.Arbitrary<ChoiceTransform> = fc.record({
  prefix: fc.constantFrom(undefined, "Prefix: ", "\n", "<think>", "<thi"),
  thinking: fc.constantFrom(...formats),
})

describe("law: the joined stream equals the plain transformation of the joined text", () => {
  it("for every cutting into deltas and bytes, choices interleaved, prefix and thinking format", () => {
    fc.assert(
      fc.property(answerArb, transformArb, cuttingArb, (generated, transform, cutting) => {
        const { shape } = generated
        const plain = transformAnswer(shape, transform, bytesOf(plainOf(generated)))
        const wire = wireOf(chunksOf(generated, cutting), cutting)
        const events = run(decoder({ maxEventBytes: 1_000_000 }), wire).filter(isEvent)
        const { data } = streamed(settings({ shape, transform, includeUsage: true }), events)
        expect(textOf(data.at(-1) ?? new Uint8Array())).toBe("[DONE]")
        expect(assemble(shape, data)).toEqual(decode(plain))
      }),
      { numRuns: runs(300) },
    )
  })
})

describe("a whole answer sent as one event", () => {
  it("law: is given out as the plain answer is, whatever is transformed, each choice in one event or apart", () => {
    const chatArb = answerArb.filter(({ shape }) => shape === chatShape)
    fc.assert(
      fc.property(chatArb, transformArb, fc.boolean(), (generated, transform, apart) => {
        const { shape } = generated
        const whole = plainOf(generated)
        const { choices } = whole
        const events =
          apart && Array.isArray(choices) ? choices.map((one) => ({ ...whole, choices: [one] })) : [whole]
        const { data } = streamed(settings({ shape, transform, includeUsage: true }), [
          ...events.map((one) => event(one)),
          event("[DONE]"),
        ])
        expect(assemble(shape, data)).toEqual(decode(transformAnswer(shape, transform, bytesOf(whole))))
        const sentChoices = data.slice(0, -1).flatMap((one) => Object(decode(one)).choices)
        expect(sentChoices.filter((choice) => "message" in choice)).toEqual([])
      }),
    )
  })

  const whole = {
    id: "x",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
    usage: { total_tokens: 3 },
  }

  it("hides its usage from who did not ask for it, and reads it", () => {
    const { data, state } = streamed(settings({}), [event(whole), event("[DONE]")])
    expect(data.map(textOf).join()).not.toContain("usage")
    expect(summary(state)).toMatchObject({
      outcome: "ok",
      finishReason: "stop",
      usage: { totalTokens: 3 },
    })
  })

  it("is not said again where deltas said it before", () => {
    const chunks = [textChunk("hi"), whole]
    expect(sent(settings({ includeUsage: true }), chunks).slice(0, 2)).toEqual(chunks)
  })
})

describe("law: the answer ends with exactly one assurance", () => {
  it("whatever comes, and however it ends, the last data is [DONE] or an error, and no other is", () => {
    const eventArb = fc.oneof(
      fc.constantFrom(
        event("[DONE]"),
        event("nonsense {"),
        event("[1,2]"),
        event({ error: { message: "overloaded" } }),
        event({ error: null }),
        event("plain words", "error"),
        event(chunk({ role: "assistant", content: "" })),
        event(textChunk("<thi")),
        event(textChunk("nk>hm</think>\n\nyes")),
        event(finishChunk("stop")),
        event(finishChunk("stop", { index: 1 })),
        event(usageChunk()),
        event({ choices: [{ index: -1, delta: null }, 7, null] }),
      ),
      fc.json().map((json) => event(json)),
    )
    const endArb = fc.constantFrom<AnswerEnd>({ kind: "ended" }, { kind: "broken", reason: "reset" })
    fc.assert(
      fc.property(
        fc.array(eventArb, { maxLength: 12 }),
        transformArb,
        fc.boolean(),
        endArb,
        (events, transform, includeUsage, end) => {
          const { data, state } = streamed(settings({ transform, includeUsage }), events, end)
          const isError = (one: Uint8Array): boolean => /^\{"error":\{.*"message":"[^"]+/.test(textOf(one))
          const isEnd = (one: Uint8Array): boolean => textOf(one) === "[DONE]" || isError(one)
          expect(data.filter(isEnd).length).toBe(1)
          const last = data.at(-1) ?? new Uint8Array()
          expect(isEnd(last)).toBe(true)
          expect(summary(state).outcome).toBe(isError(last) ? "stream_broken" : "ok")
          expect(summary(state).error === undefined).toBe(!isError(last))
        },
      ),
      { numRuns: runs(300) },
    )
  })
})

describe("where nothing is transformed", () => {
  it("gives out the very bytes that came, in whatever spelling they came", () => {
    const events = [
      event(
        ' { "choices" : [ {"index":0,"delta":{"content":"\\u0061"},"finish_reason":null} ], "usage":null }',
      ),
      event(
        '{"choices":[{"index":0,"delta":{"content":"about \\"usage\\":{} and \\"error\\""}}],"big":12345678901234567890}',
      ),
      event(finishChunk()),
    ]
    const { data } = streamed(settings(), [...events, done])
    expect(data.length).toBe(4)
    for (const [at, one] of events.entries()) expect(data[at]).toBe(one.data)
  })

  it("counts what it read and is no JSON object, and does not pass it on", () => {
    const chunks = [event(textChunk("a")), event('{"choices" "b"}'), event(textChunk("c"))]
    const { data, state } = streamed(settings(), [...chunks, done])
    expect(data.slice(0, -1).map(textOf)).toEqual(
      [textChunk("a"), textChunk("c")].map((one) => JSON.stringify(one)),
    )
    expect(summary(state)).toMatchObject({ passedOver: 1 })
  })

  it("does not read what it does not have to: data that is no JSON passes in mid-stream", () => {
    const broken = event('{"choices":[{"index":0,"delta":{"content":"cut')
    expect(streamed(settings(), [event(textChunk("a")), broken, done]).data[1]).toBe(broken.data)
  })

  it("leaves the empty usage members that come only because usage was asked for", () => {
    const one = event({ ...textChunk("a"), usage: null })
    expect(streamed(settings(), [event(textChunk("b")), one, done]).data[1]).toBe(one.data)
  })
})

describe("usage", () => {
  const chunks = [textChunk("a"), finishChunk(), usageChunk({ prompt: 5, completion: 6 }), "[DONE]"]
  const read = { ...noUsage, inputTokens: 5, outputTokens: 6, totalTokens: 11 }

  for (const thinking of formats) {
    it(`is read and the usage chunk withheld from a client that did not ask (${thinking})`, () => {
      const { data, state } = streamed(
        settings({ transform: { prefix: undefined, thinking } }),
        chunks.map((one) => event(one)),
      )
      expect(summary(state).usage).toEqual(read)
      expect(data.length).toBe(3)
      expect(data.some((one) => textOf(one).includes("usage"))).toBe(false)
    })

    it(`is passed on to a client that asked (${thinking})`, () => {
      const { data, state } = streamed(
        settings({ transform: { prefix: undefined, thinking }, includeUsage: true }),
        chunks.map((one) => event(one)),
      )
      expect(summary(state).usage).toEqual(read)
      expect(data.map((one) => textOf(one)).slice(2)).toEqual([JSON.stringify(chunks[2]), "[DONE]"])
    })
  }

  it("that rides on a chunk of text is taken off it", () => {
    const riding = { ...finishChunk(), usage: { prompt_tokens: 1 } }
    expect(sent(settings(), [textChunk("a"), riding, "[DONE]"])).toEqual([
      textChunk("a"),
      finishChunk(),
      "[DONE]",
    ])
  })

  it("reported again and again counts as it was reported last", () => {
    const at = (n: number) => event({ ...textChunk("a"), usage: { completion_tokens: n } })
    const { state } = streamed(settings(), [at(1), at(2), at(3), event(finishChunk()), done])
    expect(summary(state).usage).toEqual({ ...noUsage, outputTokens: 3 })
  })
})

describe("errors in mid-stream", () => {
  const broken = (message: string, more: object = {}) => ({
    error: { message, type: "upstream_error", param: null, code: null, ...more },
  })

  it("become the last event, and nothing follows it", () => {
    const chunks = [textChunk("a"), { error: { message: "overloaded", code: 529 } }, textChunk("b"), "[DONE]"]
    expect(sent(settings(), chunks)).toEqual([textChunk("a"), broken("overloaded", { code: "529" })])
  })

  it("are known by the event's name too, whatever its data", () => {
    const { data } = streamed(settings(), [event(textChunk("a")), event("out of memory", "error"), done])
    expect(decode(data[1] ?? new Uint8Array())).toEqual(broken("out of memory"))
    expect(data.length).toBe(2)
  })

  it("come after the text that was held back", () => {
    const transform: ChoiceTransform = { prefix: undefined, thinking: "strip" }
    const chunks = [textChunk("a\n<thi"), { error: "boom" }]
    const said = sent(settings({ transform }), chunks)
    expect(said).toMatchObject([
      textChunk("a\n"),
      { choices: [{ index: 0, delta: { content: "<thi" } }] },
      broken("boom"),
    ])
  })

  it("are told in the summary", () => {
    const { state } = streamed(settings(), [event(textChunk("a")), event({ error: { message: "boom" } })])
    expect(summary(state)).toMatchObject({ outcome: "stream_broken", error: "boom" })
  })
})

describe("the end", () => {
  const cut = { error: { type: "upstream_error", param: null, code: "upstream_stream_broken" } }

  it("with neither [DONE] nor a finish reason is a break", () => {
    expect(sent(settings(), [textChunk("a")])).toMatchObject([textChunk("a"), cut])
  })

  it("of a connection that broke says why", () => {
    const said = sent(settings(), [textChunk("a")], { kind: "broken", reason: "ECONNRESET" })
    expect(said[1]).toMatchObject(cut)
    expect(JSON.stringify(said[1])).toContain("ECONNRESET")
  })

  it("after every choice said why it ended is a whole answer, with the [DONE] the upstream left out", () => {
    expect(sent(settings(), [textChunk("a"), finishChunk()])).toEqual([
      textChunk("a"),
      finishChunk(),
      "[DONE]",
    ])
    expect(
      sent(settings(), [textChunk("a"), finishChunk()], { kind: "broken", reason: "timeout" }).at(-1),
    ).toBe("[DONE]")
  })

  for (const thinking of formats) {
    it(`while another choice goes on is a break (${thinking})`, () => {
      const given = settings({ transform: { prefix: undefined, thinking } })
      const chunks = [textChunk("a"), textChunk("b"), textChunk("c", { index: 1 }), finishChunk()]
      expect(sent(given, chunks).at(-1)).toMatchObject(cut)
      const later = [
        textChunk("a", { index: 1 }),
        textChunk("b"),
        textChunk("c"),
        finishChunk("stop", { index: 1 }),
      ]
      expect(sent(given, later).at(-1)).toMatchObject(cut)
    })
  }

  it("of fewer choices than were asked for is whole where the upstream ended it, and a break where it broke", () => {
    const both = settings({ choices: 2 })
    expect(sent(both, [finishChunk()]).at(-1)).toBe("[DONE]")
    expect(sent(both, [finishChunk()], { kind: "broken", reason: "it broke off" }).at(-1)).toMatchObject({
      error: { code: "upstream_stream_broken" },
    })
    expect(
      sent(both, [finishChunk(), finishChunk("stop", { index: 1 })], { kind: "broken", reason: "" }).at(-1),
    ).toBe("[DONE]")
  })

  it('is not said by a finish reason of ""', () => {
    expect(sent(settings(), [textChunk("a"), finishChunk("")]).at(-1)).toMatchObject(cut)
  })

  it("by [DONE] is the end: what comes after it is ignored", () => {
    const stream = answerStream(relayed)
    const [state] = stream.step(stream.initial, done, 0)
    expect(state.phase).toBe("complete")
    expect(stream.step(state, event(textChunk("late")), 0)).toEqual([state, []])
    expect(stream.end(state, { kind: "broken", reason: "late" }, 0)).toEqual([state, []])
  })

  it("gives out what is held back, in the name of the last chunk", () => {
    const transform: ChoiceTransform = { prefix: undefined, thinking: "strip" }
    const { choices: _, ...envelope } = textChunk("")
    expect(sent(settings({ transform }), [textChunk("a\n<think>open"), "[DONE]"])).toEqual([
      textChunk("a\n"),
      {
        ...envelope,
        choices: [{ index: 0, delta: { content: "<think>open" }, logprobs: null, finish_reason: null }],
      },
      "[DONE]",
    ])
  })

  it("gives out what is held back of a legacy completion as text", () => {
    const transform: ChoiceTransform = { prefix: undefined, thinking: "strip" }
    const said = sent(settings({ shape: completionShape, transform }), [
      textCompletionChunk("a\n<th"),
      "[DONE]",
    ])
    expect(said).toMatchObject([
      textCompletionChunk("a\n"),
      { choices: [{ index: 0, text: "<th" }] },
      "[DONE]",
    ])
  })

  it("that nobody waited for is the client's leaving", () => {
    const stream = answerStream(relayed)
    const [state] = stream.step(stream.initial, event(textChunk("a")), 0)
    expect(summary(state)).toMatchObject({ outcome: "client_closed", error: undefined })
  })
})

describe("where the text is transformed", () => {
  const strip: ChoiceTransform = { prefix: undefined, thinking: "strip" }

  it("keeps the chunk with the role first, and sends nothing for chunks that are wholly held back", () => {
    const role = chunk({ role: "assistant", content: "" })
    const chunks = [role, textChunk("<th"), textChunk("ink>a"), textChunk("b</think>\n"), textChunk("yes")]
    expect(sent(settings({ transform: strip }), [...chunks, finishChunk(), "[DONE]"])).toEqual([
      role,
      textChunk("yes"),
      finishChunk(),
      "[DONE]",
    ])
  })

  it("keeps the role of a first chunk whose text is held back", () => {
    const said = sent(settings({ transform: strip }), [
      chunk({ role: "assistant", content: "<th" }),
      "[DONE]",
    ])
    expect(said[0]).toEqual(chunk({ role: "assistant", content: "" }))
  })

  it("drops a held-back chunk whose role was said before", () => {
    const chunks = ["a\n", "<think>", "b", "</think>", "c"].map((text) =>
      chunk({ role: "assistant", content: text }),
    )
    expect(sent(settings({ transform: strip }), [...chunks, finishChunk(), "[DONE]"])).toEqual([
      chunk({ role: "assistant", content: "a\n" }),
      chunk({ role: "assistant", content: "c" }),
      finishChunk(),
      "[DONE]",
    ])
  })

  for (const [what, said] of [
    ["tool calls", { tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "f" } }] }],
    ["a refusal", { refusal: "no" }],
    ["reasoning that is not converted", { reasoning_content: "hm" }],
    ["something unknown", { annotations: [1] }],
  ] as const) {
    it(`sends a chunk that says ${what} though its text is held back`, () => {
      const chunks = [textChunk("a\n"), chunk({ content: "<thi", ...said })]
      expect(sent(settings({ transform: strip }), [...chunks, "[DONE]"])[1]).toEqual(
        chunk({ content: "", ...said }),
      )
    })
  }

  it("flushes a choice in the chunk that ends it", () => {
    const chunks = [textChunk("a\n<thi"), finishChunk(), "[DONE]"]
    expect(sent(settings({ transform: strip }), chunks)).toEqual([
      textChunk("a\n"),
      chunk({ content: "<thi" }, { finishReason: "stop" }),
      "[DONE]",
    ])
  })

  it("lets text and tool calls after the end of their choice pass", () => {
    const late = [textChunk("<think>late</think>"), chunk({ tool_calls: [{ index: 0 }] })]
    const chunks = [textChunk("a"), finishChunk(), ...late, "[DONE]"]
    expect(sent(settings({ transform: strip }), chunks)).toEqual(chunks)
  })

  it("moves reasoning to the member the format names", () => {
    const transform: ChoiceTransform = { prefix: "P: ", thinking: "reasoning" }
    const chunks = [
      chunk({ role: "assistant", content: null, reasoning_content: "h" }),
      chunk({ content: null, reasoning_content: "m" }),
      chunk({ content: "yes", reasoning_content: null }),
      finishChunk(),
      "[DONE]",
    ]
    expect(sent(settings({ transform }), chunks)).toEqual([
      chunk({ role: "assistant", content: null, reasoning: "h" }),
      chunk({ content: null, reasoning: "m" }),
      chunk({ content: "P: yes" }),
      finishChunk(),
      "[DONE]",
    ])
  })

  it("gives a prefix to no choice that only calls tools", () => {
    const transform: ChoiceTransform = { prefix: "P: ", thinking: "passthrough" }
    const chunks = [
      chunk({ role: "assistant", content: null }),
      chunk({
        tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      }),
      finishChunk("tool_calls"),
      "[DONE]",
    ]
    expect(sent(settings({ transform }), chunks)).toEqual(chunks)
  })

  it("passes objects that are no chunk, and choices that are none; of what is no object, nothing", () => {
    const odd = [{ choices: 7 }, { choices: [7, null] }, { type: "status" }]
    const events = ["[1]", "{", ...odd, "7", "not even JSON", "[DONE]"].map((one) => event(one))
    for (const transform of [strip, untouched]) {
      const said = streamed(settings({ transform }), events).data.map(textOf)
      expect(said).toEqual([...odd.map((one) => JSON.stringify(one)), "[DONE]"])
    }
  })

  it("follows at most 128 choices, and lets further ones pass as they are", () => {
    const transform: ChoiceTransform = { prefix: "P", thinking: "passthrough" }
    const chunks = Array.from({ length: 200 }, (_, index) => textChunk("a", { index }))
    const { data, state } = streamed(
      settings({ transform }),
      chunks.map((one) => event(one)),
    )
    expect(state.progress.length).toBe(128)
    expect(data.filter((one) => textOf(one).includes('"Pa"')).length).toBe(128)
    expect(data.filter((one) => textOf(one).includes('"a"')).length).toBe(72)
  })

  it("edits a chunk nested too deep to be printed: what it does not touch is not printed", () => {
    const depth = 200_000
    const deep = `{"choices":[{"index":0,"delta":{"content":"x"}}],"deep":${"[".repeat(depth)}${"]".repeat(depth)}}`
    const transform: ChoiceTransform = { prefix: "P", thinking: "passthrough" }
    const one = event(deep)
    expect(textOf(streamed(settings({ transform }), [one, done]).data[0] ?? one.data)).toBe(
      deep.replace('"x"', '"Px"'),
    )
  })

  it("keeps the spelling of all that it does not change, to the last chunk", () => {
    const rest =
      '"created":1.70e9 , "n":12345678901234567890,"z":-0,"big":1e400,"twice":1,"twice":2,"s":"\\ud800"'
    const line = (text: string) =>
      `{ ${rest}, "choices":[ {"index":0,"logprobs":[0.10],"delta":{"content":${text}, "x":1.0}} ]}`
    const transform: ChoiceTransform = { prefix: "P", thinking: "strip" }
    const { data } = streamed(settings({ transform }), [event(line('"a"')), event(line('"b<thi"')), done])
    expect(data.map(textOf)).toEqual([line('"Pa"'), line('"b<thi"'), "[DONE]"])
    const held = streamed(settings({ transform }), [event(line('"a\\n"')), event(line('"<thi"')), done])
    expect(held.data.map(textOf)).toEqual([
      line('"Pa\\n"'),
      line('""'),
      '{ "created":1.70e9, "choices":[ {"index":0,"logprobs":null,"delta":{"content":"<thi"},"finish_reason":null} ]}',
      "[DONE]",
    ])
  })
})

describe("content in parts", () => {
  const text = (value: string) => ({ type: "text", text: value })
  const thoughts = (value: string) => ({ type: "thinking", thinking: [text(value)] })
  const image = { type: "image_url", image_url: { url: "data:" } }
  const mistral = [
    chunk({ role: "assistant", content: "" }),
    chunk({ content: [thoughts("h")] }),
    chunk({ content: [thoughts("m")] }),
    chunk({ content: [text("Hel")] }),
    chunk({ content: "lo" }),
    finishChunk(),
    "[DONE]",
  ]
  const said = (transform: ChoiceTransform) => {
    const { data } = streamed(
      settings({ transform }),
      mistral.map((one) => event(one)),
    )
    return assemble(chatShape, data)["choices"]
  }

  it.each<readonly [ChoiceTransform, unknown]>([
    [{ prefix: "P ", thinking: "passthrough" }, { content: [thoughts("hm"), text("P Hello")] }],
    [{ prefix: "P ", thinking: "strip" }, { content: "P Hello" }],
    [{ prefix: "P ", thinking: "think_tag" }, { content: "<think>hm</think>P Hello" }],
    [
      { prefix: undefined, thinking: "reasoning" },
      { content: "Hello", reasoning: "hm" },
    ],
    // The reasoning came apart: no tag was swallowed that the prefix could give back.
    [
      { prefix: "<think>\n", thinking: "reasoning_content" },
      { content: "Hello", reasoning_content: "hm" },
    ],
  ])("as Mistral sends it, under %j", (transform, message) => {
    expect(said(transform)).toMatchObject([{ message, finish_reason: "stop" }])
  })

  /** Content in one form, whichever way its texts were cut. */
  const normal = (content: unknown): unknown => {
    if (!Array.isArray(content)) return content ?? ""
    const parts = content.filter((part: unknown) => JSON.stringify(part) !== '{"type":"text","text":""}')
    const texts = parts.map((part: unknown) =>
      isJsonObject(part) && part["type"] === "text" ? part["text"] : undefined,
    )
    return texts.every((one) => typeof one === "string") ? texts.join("") : parts
  }

  it("law: the joined stream equals the plain transformation of the joined answer, parts included", () => {
    const partArb = fc.oneof(
      textArb.map(text),
      textArb.filter((one) => one !== "").map(thoughts),
      fc.constant(image),
    )
    const deltasOf = (part: JsonObject, size: number, asString: boolean): ReadonlyArray<Json> => {
      const whole = textOfPart(part) ?? thoughtsOfPart(part)
      if (whole === undefined) return [[part]]
      const pieces: Array<string> = []
      for (let at = 0; at < whole.length; at += size) pieces.push(whole.slice(at, at + size))
      if (part["type"] === "thinking") return pieces.map((one) => [thoughts(one)])
      return pieces.map((one) => (asString ? one : [text(one)]))
    }
    fc.assert(
      fc.property(
        fc.array(partArb, { minLength: 1, maxLength: 5 }),
        transformArb,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (parts, transform, size, asString) => {
          const plain: unknown = decode(
            transformAnswer(
              chatShape,
              transform,
              bytesOf({ choices: [{ index: 0, message: { role: "assistant", content: parts } }] }),
            ),
          )
          const events = [
            ...parts.flatMap((part) => deltasOf(part, size, asString)).map((content) => chunk({ content })),
            finishChunk(),
          ]
          const { data } = streamed(
            settings({ transform }),
            events.map((one) => event(one)),
          )
          // Joined as the deltas are, so that texts that stand beside each other are one.
          const message = Object(Object(plain).choices[0]).message
          const once = assemble(chatShape, [bytesOf(chunk(message))])
          const messageIn = (one: unknown): unknown => Object(Object(Object(one).choices)[0]).message
          const inForm = (one: unknown) => ({
            ...Object(one),
            role: null,
            content: normal(Object(one).content),
          })
          expect(inForm(messageIn(assemble(chatShape, data)))).toEqual(inForm(messageIn(once)))
        },
      ),
      { numRuns: runs(300) },
    )
  })
})

describe("the chunk of usage that nobody but the gateway asked for", () => {
  const timings = { predicted_per_second: 1.5 }

  it("is sent without usage where it says more than the chunks before, with a choice that says nothing", () => {
    const chunks = [
      textChunk("a"),
      finishChunk(),
      { ...usageChunk(), timings, system_fingerprint: "fp" },
      "[DONE]",
    ]
    for (const transform of [untouched, { ...untouched, prefix: "P" }]) {
      const { usage: _, ...rest } = usageChunk()
      expect(sent(settings({ transform }), chunks).slice(-2)).toEqual([
        {
          ...rest,
          choices: [{ index: 0, delta: {}, finish_reason: null }],
          timings,
          system_fingerprint: "fp",
        },
        "[DONE]",
      ])
    }
    const given = settings({ shape: completionShape })
    expect(
      sent(given, [textCompletionChunk("a", "stop"), { choices: [], usage: {}, timings }, "[DONE]"])[1],
    ).toEqual({ choices: [{ index: 0, text: "", finish_reason: null }], timings })
  })

  it("is withheld where it only repeats what was said, or says nothing", () => {
    const more = { system_fingerprint: "fp", service_tier: "default" }
    const chunks = [
      { ...finishChunk(), ...more },
      { ...usageChunk(), ...more, obfuscation: "x", x: null },
    ]
    expect(sent(settings(), [...chunks, "[DONE]"])).toEqual([chunks[0], "[DONE]"])
  })

  it("is sent as it came to who asked", () => {
    const chunks = [finishChunk(), { ...usageChunk(), timings }, "[DONE]"]
    expect(sent(settings({ includeUsage: true }), chunks)).toEqual(chunks)
  })

  it("may come in pieces, of which none is lost", () => {
    const pieces = [
      { ...textChunk("a"), usage: { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 } },
      { ...textChunk("b"), usage: { prompt_tokens_details: { cached_tokens: 4 } } },
      { ...finishChunk(), usage: { prompt_tokens: 0, completion_tokens: 5 } },
    ]
    const { data, state } = streamed(
      settings({ includeUsage: true }),
      [...pieces, "[DONE]"].map((one) => event(one)),
    )
    expect(summary(state).usage).toEqual({
      inputTokens: 9,
      outputTokens: 5,
      totalTokens: 14,
      cachedTokens: 4,
      reasoningTokens: undefined,
    })
    expect(assemble(chatShape, data)["usage"]).toMatchObject({ prompt_tokens: 9, completion_tokens: 5 })
  })
})

describe("what is learned", () => {
  for (const thinking of formats) {
    it(`is the first choice's finish reason and whether tools were called (${thinking})`, () => {
      const transform: ChoiceTransform = { prefix: undefined, thinking }
      const chunks = [
        chunk({ role: "assistant" }),
        textChunk("b", { index: 1 }),
        chunk({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "" } }] }),
        finishChunk("length", { index: 1 }),
        finishChunk("tool_calls"),
        "[DONE]",
      ]
      const { state } = streamed(
        settings({ transform }),
        chunks.map((one) => event(one)),
      )
      expect(summary(state)).toEqual({
        usage: noUsage,
        finishReason: "tool_calls",
        toolCalls: true,
        outcome: "ok",
        error: undefined,
        passedOver: 0,
      })
    })

    it(`is no tool call where the list is empty or null (${thinking})`, () => {
      const transform: ChoiceTransform = { prefix: undefined, thinking }
      const chunks = [
        textChunk("a"),
        chunk({ tool_calls: [] }),
        chunk({ tool_calls: null, function_call: null }),
      ]
      const { state } = streamed(
        settings({ transform }),
        [...chunks, finishChunk()].map((one) => event(one)),
      )
      expect(summary(state)).toMatchObject({ toolCalls: false, finishReason: "stop" })
    })
  }
})

describe("an event of megabytes", () => {
  const strip: ChoiceTransform = { prefix: undefined, thinking: "strip" }
  const long = "abcd".repeat(1.25 * 1024 * 1024)
  const image = chunk({ content: "", images: [{ url: long }] })
  const withText = chunk({ content: "<think>hm</think>Here.", images: [{ url: long }] })

  it.each([
    ["an image", untouched, image],
    ["an image beside text", untouched, withText],
    ["an image in the text", untouched, textChunk(long)],
    ["an image, where texts are changed", strip, image],
  ])("goes on in its own bytes: %s", (_, transform, value) => {
    const given = event(value)
    const { data, state } = streamed(settings({ transform }), [given, event(finishChunk()), done])
    expect(data[0] === given.data).toBe(true)
    expect(state.phase).toBe("complete")
  })

  it("keeps its usage, though nobody asked for it", () => {
    const given = event({ ...image, usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } })
    const { data, state } = streamed(settings(), [given, event(finishChunk()), done])
    expect(data[0] === given.data).toBe(true)
    expect(state.usage.totalTokens).toBe(3)
  })

  it.each([
    ["text beside an image", withText],
    ["a long text", textChunk(`<think>hm</think>${long}`)],
  ])("breaks the answer off where it would have to be changed: %s", (_, value) => {
    const { data, state } = streamed(settings({ transform: strip }), [event(value)])
    expect(state.phase).toBe("broken")
    expect(data.map(textOf).join("")).toMatch(/too long to be changed/)
    expect(data.map(textOf).join("").length).toBeLessThan(1_000)
  })
})
