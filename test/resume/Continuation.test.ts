/** Going on with an answer: when it is refused and why, what the body becomes, and that two streams make one answer. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { thinking } from "../../src/answer/Thinking.ts"
import { chatCompletions, completions, type Endpoint } from "../../src/operations/Endpoint.ts"
import {
  bodyGoingOn,
  goingOn,
  readSoFar,
  refusalOfRequest,
  type SaidSoFar,
  type Unresumable,
} from "../../src/resume/Continuation.ts"
import type { ResumePolicy } from "../../src/routing/Upstream.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { run } from "../../src/wire/Machine.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"
import { answerArb, bytesOf, chunksOf, cuttingArb, textArb } from "../support/answers.ts"
import { chunk, finishChunk, textChunk, textCompletionChunk, usageChunk } from "../support/Wire.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const decode = (bytes: Uint8Array): unknown => JSON.parse(textOf(bytes))

const right = <A>(result: Either.Either<A, Unresumable>): A =>
  Either.getOrThrowWith(result, (why) => new Error(`refused: ${why}`))

const soFar = (chunks: ReadonlyArray<unknown>, endpoint: Endpoint = chatCompletions, prefix = "") =>
  readSoFar(endpoint, prefix, chunks.map(bytesOf))

/** The text to go on from, or why there is none. */
const textSoFar = (chunks: ReadonlyArray<unknown>, endpoint: Endpoint = chatCompletions, prefix = "") =>
  Either.match(soFar(chunks, endpoint, prefix), {
    onLeft: (why) => ({ refused: why }),
    onRight: ({ text }) => text,
  })

const role = chunk({ role: "assistant", content: "" })

describe("what an answer said", () => {
  it("is the joined text of its chunks", () => {
    expect(textSoFar([role, textChunk("Hel"), textChunk("lo ")])).toBe("Hello ")
    expect(textSoFar([textCompletionChunk("Hel"), textCompletionChunk("lo")], completions)).toBe("Hello")
  })

  it("is nothing where only a role, empty text or no choice has come: it is to be begun anew", () => {
    for (const chunks of [
      [],
      [role],
      [{ ...role, choices: [] }, chunk({ content: null, tool_calls: [], function_call: null })],
    ]) {
      expect(textSoFar(chunks)).toBe("")
    }
  })

  it("stands beside log probabilities", () => {
    const withLogprobs = { ...textChunk("a"), choices: [{ index: 0, delta: { content: "a" }, logprobs: {} }] }
    expect(textSoFar([withLogprobs])).toBe("a")
  })

  it("leaves out thinking that was closed, and the white space behind it", () => {
    expect(textSoFar([textChunk("<think>hm"), textChunk("</think>\n\nSo")])).toBe("So")
    expect(textSoFar([chunk({ reasoning_content: "hm" }), textChunk("So")])).toBe("So")
    expect(textSoFar([textChunk("a\n<think>b</think>c")])).toBe("a\nc")
  })

  it("takes a tag in the middle of a line, and half a tag, for text", () => {
    expect(textSoFar([textChunk("the <think> tag")])).toBe("the <think> tag")
    expect(textSoFar([textChunk("a\n<thi")])).toBe("a\n<thi")
  })

  it("counts as thinking what the upstream's prefix opened", () => {
    expect(textSoFar([textChunk("hm</think>So")], chatCompletions, "<think>\n")).toBe("So")
    expect(textSoFar([textChunk("hm")], chatCompletions, "<think>\n")).toEqual({ refused: "thinking" })
    expect(textSoFar([role], chatCompletions, "<think>\n")).toBe("")
  })

  it("is no thinking of the prefix's where the reasoning came apart", () => {
    expect(textSoFar([chunk({ reasoning: "hm" }), textChunk("So")], chatCompletions, "<think>\n")).toBe("So")
  })

  it("holds nothing of a prefix that is text", () => {
    expect(textSoFar([textChunk("So")], chatCompletions, "\n\nNote: <")).toBe("So")
  })

  it("is all of a legacy completion, thinking too, since it is no turn of a chat", () => {
    expect(textSoFar([textCompletionChunk("<think>hm")], completions)).toBe("<think>hm")
  })

  it("law: is the answer's text as a client that wants no thinking gets it", () => {
    fc.assert(
      fc.property(fc.array(textArb), (parts) => {
        const said = soFar(parts.map((part) => textChunk(part)))
        const pieces = run(
          thinking("strip"),
          parts.map((text) => ({ field: "content" as const, text })),
        )
        if (Either.isRight(said)) expect(said.right.text).toBe(pieces.map(({ text }) => text).join(""))
        else expect(parts.join("")).toContain("<think>")
      }),
    )
  })

  it("law: never is the text of an answer with more to it than one choice's text", () => {
    fc.assert(
      fc.property(answerArb, cuttingArb, fc.nat({ max: 40 }), (answer, cutting, cut) => {
        const chunks = chunksOf(answer, cutting).slice(0, cut)
        const choices = chunks.flatMap((one) => (Array.isArray(one["choices"]) ? one["choices"] : []))
        const isPlainText = choices.every(
          (one) => one.index === 0 && one.finish_reason === null && !("tool_calls" in (one.delta ?? {})),
        )
        if (!isPlainText) expect(Either.isLeft(soFar(chunks, answer.endpoint))).toBe(true)
      }),
    )
  })
})

describe("an answer is not gone on with", () => {
  const said = textChunk("a")
  const cases: ReadonlyArray<readonly [name: string, chunks: ReadonlyArray<unknown>, why: Unresumable]> = [
    ["that calls a tool", [said, chunk({ tool_calls: [{ index: 0 }] })], "tool_call"],
    ["that calls a function", [said, chunk({ function_call: { name: "f" } })], "tool_call"],
    ["with another choice", [said, textChunk("b", { index: 1 })], "other_choice"],
    [
      "with two choices in a chunk",
      [{ choices: [...said.choices, ...textChunk("b", { index: 1 }).choices] }],
      "other_choice",
    ],
    ["whose content is a list of parts", [chunk({ content: [{ type: "text", text: "a" }] })], "not_text"],
    ["that refuses", [said, chunk({ refusal: "No" })], "not_text"],
    ["that speaks", [said, chunk({ audio: { data: "" } })], "not_text"],
    ["that shows", [said, chunk({ images: [{ type: "image_url" }] })], "not_text"],
    ["that said why it ends", [said, finishChunk()], "finished"],
    ["that has only reasoned", [role, chunk({ reasoning: "hm" })], "thinking"],
    [
      "that has reasoned and then sent white space",
      [chunk({ reasoning_content: "hm" }), textChunk("\n\n")],
      "thinking",
    ],
    ["that has reasoned in parts", [chunk({ reasoning_details: [{ text: "hm" }] })], "thinking"],
    ["inside a block that opens it", [textChunk(" <think>hm")], "thinking"],
    ["inside a block that opens a line", [textChunk("a\n<think>hm")], "thinking"],
    ["right behind its thinking", [textChunk("<think>hm</think>\n")], "thinking"],
    ["in the middle of a character", [textChunk("a\ud83d")], "half_character"],
    ["of an unknown shape", [{ type: "content_block_delta", delta: { text: "a" } }], "unreadable"],
    ["with text in an unknown place", [{ choices: [{ index: 0, message: { content: "a" } }] }], "unreadable"],
    ["with choices that are none", [{ choices: ["a"] }], "unreadable"],
    ["named at great length", [textChunk("a", { id: "x".repeat(2_000) })], "unreadable"],
  ]
  for (const [name, chunks, why] of cases) {
    it(name, () => {
      expect(textSoFar(chunks)).toEqual({ refused: why })
    })
  }

  it("with an event that is no JSON object", () => {
    for (const data of ["hello", '"a"', '{"choices":', "[]"]) {
      expect(readSoFar(chatCompletions, "", [encode(data)])).toEqual(Either.left("unreadable"))
    }
  })

  it("of a legacy completion whose text is none", () => {
    expect(textSoFar([{ choices: [{ index: 0, text: ["a"] }] }], completions)).toEqual({
      refused: "not_text",
    })
    expect(textSoFar([textCompletionChunk("a", "length")], completions)).toEqual({ refused: "finished" })
  })
})

describe("the answer to a request is never gone on with", () => {
  const refusals: ReadonlyArray<readonly [body: JsonObject, why: Unresumable | undefined]> = [
    [{ n: 2, messages: [] }, "several_choices"],
    [{ n: 1, messages: [] }, undefined],
    [{ n: null, echo: false, messages: [] }, undefined],
    [{ echo: true, messages: [] }, "echo"],
  ]
  for (const [body, why] of refusals) {
    it(`${JSON.stringify(body)}: ${why ?? "it is"}`, () => {
      expect(refusalOfRequest(chatCompletions, body)).toBe(why)
    })
  }

  it("where a legacy prompt is no text", () => {
    for (const prompt of [["a"], [1, 2], [[1], [2]], null]) {
      expect(refusalOfRequest(completions, { prompt })).toBe("prompt_not_text")
    }
    expect(refusalOfRequest(completions, {})).toBe("prompt_not_text")
    expect(refusalOfRequest(completions, { prompt: "a" })).toBeUndefined()
  })
})

const plain: ResumePolicy = { body: {}, message: {} }

const goOn = (
  body: string,
  text: string,
  policy = plain,
  endpoint: Endpoint = chatCompletions,
): Either.Either<string, Unresumable> => Either.map(bodyGoingOn(endpoint, encode(body), text, policy), textOf)

const user = '{"role":"user","content":"Hi"}'

describe("the body that asks to go on", () => {
  it("has the text as its last assistant message, and leaves all else byte for byte", () => {
    const body = `{ "model":"m", "seed":12345678901234567890, "messages": [ ${user} ], "temperature":1.0 }`
    expect(right(goOn(body, 'a "b"\n'))).toBe(
      `{ "model":"m", "seed":12345678901234567890, "messages": [ ${user} ,{"role":"assistant","content":"a \\"b\\"\\n"}], "temperature":1.0 }`,
    )
  })

  it("has the members of the policy in the message and in the body, in place of what they were", () => {
    const policy: ResumePolicy = {
      body: { add_generation_prompt: false, continue_final_message: true },
      message: { prefix: true },
    }
    expect(right(goOn(`{"messages":[${user}],"add_generation_prompt":true}`, "a", policy))).toBe(
      `{"messages":[${user},{"role":"assistant","content":"a","prefix":true}],"add_generation_prompt":false,"continue_final_message":true}`,
    )
  })

  it("has the text behind the prompt of a legacy completion", () => {
    expect(right(goOn('{"prompt":"\\u0048i","max_tokens":7}', '"a', plain, completions))).toBe(
      '{"prompt":"\\u0048i\\"a","max_tokens":7}',
    )
  })

  it("is the prepared one itself where nothing was said, whatever it asks for", () => {
    const prepared = encode(`{"messages":[${user}],"response_format":{"type":"json_object"}}`)
    const policy: ResumePolicy = { body: { a: 1 }, message: {} }
    expect(right(bodyGoingOn(chatCompletions, prepared, "", policy))).toBe(prepared)
  })

  const refusals: ReadonlyArray<readonly [name: string, members: string, why: Unresumable]> = [
    ["the target's own members ask for several choices", `"messages":[${user}],"n":2`, "several_choices"],
    [
      "the text is to be JSON",
      `"messages":[${user}],"response_format":{"type":"json_schema","json_schema":{}}`,
      "grammar",
    ],
    ["the text is to match an expression", `"messages":[${user}],"guided_regex":"a*"`, "grammar"],
    [
      "the request ends in an assistant message",
      `"messages":[${user},{"content":"I","role":"assistant"}]`,
      "own_prefill",
    ],
    ["there are no messages", '"messages":[]', "unreadable"],
  ]
  for (const [name, members, why] of refusals) {
    it(`is none where ${name}`, () => {
      expect(goOn(`{${members}}`, "a")).toEqual(Either.left(why))
    })
  }

  it("asks for text in a format that is text", () => {
    expect(Either.isRight(goOn(`{"messages":[${user}],"response_format":{"type":"text"}}`, "a"))).toBe(true)
  })

  const memberArb = fc.dictionary(
    fc.constantFrom("stop", "temperature", "metadata", "x", 'quo"te', "é", "max_tokens", "prefix"),
    fc.jsonValue().filter((value) => JSON.stringify(value) !== "-0"),
    { noNullPrototype: true },
  )
  const jsonArb = memberArb.map((members): JsonObject => JSON.parse(JSON.stringify(members)))

  it("law: parses to the prepared one, the message appended and the policy's members over it", () => {
    fc.assert(
      fc.property(
        jsonArb,
        jsonArb,
        jsonArb,
        fc.array(jsonArb),
        fc.string({ minLength: 1, unit: "grapheme" }),
        fc.constantFrom(0, 2),
        (members, body, message, before, text, indent) => {
          const messages = [...before, { role: "user", content: "Hi" }]
          const prepared = { ...members, messages, seed: 1 }
          const edited = right(goOn(JSON.stringify(prepared, null, indent), text, { body, message }))
          expect(JSON.parse(edited)).toEqual({
            ...prepared,
            ...body,
            messages: [...messages, { role: "assistant", content: text, ...message }],
          })
        },
      ),
    )
  })
})

const event = (value: unknown): SseEvent => ({ data: bytesOf(value), event: undefined })

const joinedTo = (said: SaidSoFar, values: ReadonlyArray<unknown>, endpoint: Endpoint = chatCompletions) =>
  run(goingOn(endpoint, said), values.map(event)).map(({ data }) => decode(data))

describe("the events of the target that goes on", () => {
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
    const [out] = run(goingOn(chatCompletions, said), [{ data: encode(data), event: "message" }])
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
    const out = run(goingOn(chatCompletions, begun), events)
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
      fc.property(answerArb, cuttingArb, ({ choices, endpoint }, cutting) => {
        const chunks = chunksOf({ choices, endpoint }, cutting)
        const opening = endpoint === chatCompletions ? textChunk("a", first) : textCompletionChunk("a")
        const said = right(soFar([opening], endpoint))
        const out = run(goingOn(endpoint, { ...said, roleSaid: true }), chunks.map(event))
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
