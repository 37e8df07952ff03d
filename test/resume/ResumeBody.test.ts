/** The body that asks another upstream to resume an answer, and the requests for which there is none. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { messagesInput } from "../../src/operations/chat/MessagesInput.ts"
import { promptInput } from "../../src/operations/completions/PromptInput.ts"
import type { ResumableInput } from "../../src/resume/ResumeBody.ts"
import { bodyToResume, unresumableRequest } from "../../src/resume/ResumeBody.ts"
import type { Unresumable } from "../../src/resume/Unresumable.ts"
import type { ResumePolicy } from "../../src/routing/Upstream.ts"
import type { JsonObject } from "../../src/wire/Json.ts"

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const right = <A>(result: Either.Either<A, Unresumable>): A =>
  Either.getOrThrowWith(result, (why) => new Error(`refused: ${why}`))

describe("the answer to a request is never resumed", () => {
  const refusals: ReadonlyArray<readonly [body: JsonObject, why: Unresumable | undefined]> = [
    [{ n: 2, messages: [] }, "several_choices"],
    [{ n: 1, messages: [] }, undefined],
    [{ n: null, echo: false, messages: [] }, undefined],
    [{ echo: true, messages: [] }, "echo"],
  ]
  for (const [body, why] of refusals) {
    it(`${JSON.stringify(body)}: ${why ?? "it is"}`, () => {
      expect(unresumableRequest(messagesInput, body)).toBe(why)
    })
  }

  it("where a legacy prompt is no text", () => {
    for (const prompt of [["a"], [1, 2], [[1], [2]], null]) {
      expect(unresumableRequest(promptInput, { prompt })).toBe("prompt_not_text")
    }
    expect(unresumableRequest(promptInput, {})).toBe("prompt_not_text")
    expect(unresumableRequest(promptInput, { prompt: "a" })).toBeUndefined()
  })
})

const plain: ResumePolicy = { body: {}, message: {} }

const bodyWith = (
  body: string,
  text: string,
  policy = plain,
  input: ResumableInput = messagesInput,
): Either.Either<string, Unresumable> => Either.map(bodyToResume(input, encode(body), text, policy), textOf)

const user = '{"role":"user","content":"Hi"}'

describe("the body that asks to resume", () => {
  it("has the text as its last assistant message, and leaves all else byte for byte", () => {
    const body = `{ "model":"m", "seed":12345678901234567890, "messages": [ ${user} ], "temperature":1.0 }`
    expect(right(bodyWith(body, 'a "b"\n'))).toBe(
      `{ "model":"m", "seed":12345678901234567890, "messages": [ ${user} ,{"role":"assistant","content":"a \\"b\\"\\n"}], "temperature":1.0 }`,
    )
  })

  it("has the members of the policy in the message and in the body, in place of what they were", () => {
    const policy: ResumePolicy = {
      body: { add_generation_prompt: false, continue_final_message: true },
      message: { prefix: true },
    }
    expect(right(bodyWith(`{"messages":[${user}],"add_generation_prompt":true}`, "a", policy))).toBe(
      `{"messages":[${user},{"role":"assistant","content":"a","prefix":true}],"add_generation_prompt":false,"continue_final_message":true}`,
    )
  })

  it("has the text behind the prompt of a legacy completion", () => {
    expect(right(bodyWith('{"prompt":"\\u0048i","max_tokens":7}', '"a', plain, promptInput))).toBe(
      '{"prompt":"\\u0048i\\"a","max_tokens":7}',
    )
  })

  it("is the prepared one itself where nothing was said, whatever it asks for", () => {
    const prepared = encode(`{"messages":[${user}],"response_format":{"type":"json_object"}}`)
    const policy: ResumePolicy = { body: { a: 1 }, message: {} }
    expect(right(bodyToResume(messagesInput, prepared, "", policy))).toBe(prepared)
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
      expect(bodyWith(`{${members}}`, "a")).toEqual(Either.left(why))
    })
  }

  it("asks for text in a format that is text", () => {
    expect(Either.isRight(bodyWith(`{"messages":[${user}],"response_format":{"type":"text"}}`, "a"))).toBe(
      true,
    )
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
          const edited = right(bodyWith(JSON.stringify(prepared, null, indent), text, { body, message }))
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
