/** Decoding of request bodies: what is refused and how, what is read, and that hostile bodies neither crash nor corrupt. */
import * as Either from "effect/Either"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { InvalidRequest } from "../../../src/errors/RequestErrors.ts"
import { messagesInput } from "../../../src/operations/chat/MessagesInput.ts"
import { promptInput } from "../../../src/operations/completions/PromptInput.ts"
import type { TextInput } from "../../../src/operations/text/TextInput.ts"
import { decode, type TextRequest } from "../../../src/operations/text/TextRequest.ts"
import type { Json, JsonObject } from "../../../src/wire/Json.ts"
import { runs } from "../../support/Runs.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const decodeText = (text: string, input: TextInput = messagesInput) => decode(input, bytesOf(text))

const decodeBody = (body: unknown, input: TextInput = messagesInput) =>
  decodeText(JSON.stringify(body), input)

const accepted = (result: Either.Either<TextRequest, InvalidRequest>): TextRequest =>
  Either.getOrThrowWith(result, (error) => new Error(`refused: ${error.message}`))

const refused = (result: Either.Either<TextRequest, InvalidRequest>): InvalidRequest =>
  Either.getOrThrowWith(Either.flip(result), () => new Error("accepted"))

const affinity = ({ body, input, messages }: TextRequest): string => input.affinity(body, messages)

const hello = [{ role: "user", content: "hello" }]

describe("what is refused", () => {
  it("names the member at fault", () => {
    const cases: ReadonlyArray<readonly [body: unknown, param: string | null]> = [
      [[], null],
      [null, null],
      ["text", null],
      [5, null],
      [{ messages: hello }, "model"],
      [{ model: null, messages: hello }, "model"],
      [{ model: 5, messages: hello }, "model"],
      [{ model: ["m"], messages: hello }, "model"],
      [{ model: "", messages: hello }, "model"],
      [{ model: "m".repeat(1025), messages: hello }, "model"],
      [{ model: "m" }, "messages"],
      [{ model: "m", messages: null }, "messages"],
      [{ model: "m", messages: "hello" }, "messages"],
      [{ model: "m", messages: { 0: hello[0], length: 1 } }, "messages"],
      [{ model: "m", messages: [] }, "messages"],
      [{ model: "m", messages: [...hello, null] }, "messages[1]"],
      [{ model: "m", messages: ["hello"] }, "messages[0]"],
      [{ model: "m", messages: [[]] }, "messages[0]"],
      [{ model: "m", messages: hello, stream: "true" }, "stream"],
      [{ model: "m", messages: hello, stream: 1 }, "stream"],
      [{ model: "m", messages: hello, stream_options: true }, "stream_options"],
      [{ model: "m", messages: hello, stream_options: [] }, "stream_options"],
      [
        { model: "m", messages: hello, stream_options: { include_usage: "yes" } },
        "stream_options.include_usage",
      ],
    ]
    for (const [body, param] of cases) {
      const error = refused(decodeBody(body))
      expect([body, error._tag, error.param]).toEqual([body, "InvalidRequest", param])
      expect(error.message).not.toBe("")
    }
  })

  it("says of a body that is no JSON text what it is", () => {
    expect(refused(decodeText("")).message).toBe("The request body is empty; a JSON object is expected.")
    expect(refused(decode(messagesInput, Uint8Array.of(0xef, 0xbb, 0xbf))).message).toContain("empty")
    expect(refused(decode(messagesInput, Uint8Array.of(0x7b, 0xff, 0x7d))).message).toBe(
      "The request body is not UTF-8 text.",
    )
    expect(refused(decodeText('{\n  "model": tru\n}')).message).toBe(
      "The request body is not JSON: line 2, column 12 is where it goes wrong.",
    )
    expect(refused(decodeText('{"model":"m"')).message).toBe(
      "The request body is not JSON: it ends before it is complete.",
    )
  })

  it("quotes nothing of a broken body, however long it is", () => {
    for (const secret of ["sk-secret", "sk-secret".repeat(200_000)]) {
      const { message } = refused(decodeText(`{"model": ${secret}}`))
      expect(message).not.toContain("secret")
      expect(message.length).toBeLessThan(100)
    }
  })

  it("does not mistake inherited members for the client's", () => {
    expect(refused(decodeText('{"__proto__":{"model":"m","messages":[{}]}}')).param).toBe("model")
  })
})

describe("what is read", () => {
  it("keeps bytes, text and parsed body", () => {
    const bytes = bytesOf(`{ "model":"m","messages":[{"role":"user","content":"é"}],"seed":1.0 }`)
    const request = accepted(decode(messagesInput, bytes))
    expect(request.bytes).toBe(bytes)
    expect(request.text).toBe(new TextDecoder().decode(bytes))
    expect(request).toMatchObject({
      input: messagesInput,
      model: "m",
      stream: false,
      includeUsage: false,
      tools: false,
      multimodal: false,
      messages: [{ role: "user", content: "é" }],
      body: { seed: 1 },
    })
  })

  it("tolerates a byte order mark and does not pass it on", () => {
    const text = JSON.stringify({ model: "m", messages: hello })
    const request = accepted(decode(messagesInput, bytesOf(`\ufeff${text}`)))
    expect(request.text).toBe(text)
    expect(request.bytes).toEqual(bytesOf(text))
  })

  it("refuses a second byte order mark, which is no white space of JSON's and would go on to the upstream", () => {
    const twice = decode(messagesInput, bytesOf('\ufeff\ufeff{"model":"m","messages":[]}'))
    expect(Either.isLeft(twice) ? twice.left.message : "").toContain("line 1, column 1")
  })

  it("takes null for absent where OpenAI's SDKs send it", () => {
    const request = accepted(decodeBody({ model: "m", messages: hello, stream: null, stream_options: null }))
    expect([request.stream, request.includeUsage]).toEqual([false, false])
    expect(
      accepted(decodeBody({ model: "m", messages: hello, stream_options: { include_usage: null } }))
        .includeUsage,
    ).toBe(false)
  })

  it("tells a stream, and whether its client asked for usage", () => {
    const request = accepted(
      decodeBody({ model: "m", messages: hello, stream: true, stream_options: { include_usage: true } }),
    )
    expect([request.stream, request.includeUsage]).toEqual([true, true])
  })

  it("tells offered tools and parts that are not text", () => {
    const facts = (members: JsonObject) => {
      const { tools, multimodal } = accepted(decodeBody({ model: "m", messages: hello, ...members }))
      return [tools, multimodal]
    }
    expect(facts({ tools: [{ type: "function" }] })).toEqual([true, false])
    expect(facts({ functions: [{ name: "f" }] })).toEqual([true, false])
    expect(facts({ tools: [], functions: null })).toEqual([false, false])
    expect(facts({ messages: [{ role: "user", content: [{ type: "image_url" }] }] })).toEqual([false, true])
  })

  it("leaves the prompt of completions to the upstream", () => {
    const request = accepted(decodeBody({ model: "m", messages: "whatever" }, promptInput))
    expect(request.messages).toEqual([])
  })
})

describe("hostile bodies", () => {
  it("survives depth, duplicates, lone surrogates, huge numbers and __proto__", () => {
    const deep = `${"[".repeat(10_000)}${"]".repeat(10_000)}`
    const text = `{"model":"m","__proto__":{"polluted":1},"seed":1e999,"n":${"9".repeat(5_000)},"deep":${deep},"u":"\\ud800","messages":[{"content":${deep},"__proto__":1}]}`
    const request = accepted(decodeText(text))
    expect(request.model).toBe("m")
    expect(request.text).toBe(text)
    expect(affinity(request)).toBe("\n")
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false)
  })

  it("law: random bytes are refused, never thrown at", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.constantFrom(messagesInput, promptInput),
        (bytes, input) => {
          expect([null, "model"]).toContain(refused(decode(input, bytes)).param)
        },
      ),
    )
  })

  it("law: any JSON in any member is either accepted or refused by a member that stands there", () => {
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>("m", true, null, hello, [], {}, { include_usage: true }),
    )
    const bodyArb = fc.record(
      {
        model: fc.oneof(fc.constant<unknown>("m"), anything),
        messages: fc.oneof(
          fc.constant<unknown>(hello),
          fc.array(fc.record({ role: anything, content: anything })),
          anything,
        ),
        prompt: anything,
        stream: anything,
        stream_options: anything,
        tools: anything,
        functions: anything,
      },
      { requiredKeys: [] },
    )
    const params = ["model", "messages", "stream", "stream_options"]
    fc.assert(
      fc.property(bodyArb, fc.constantFrom(messagesInput, promptInput), (body, input) => {
        const result = decodeBody(body, input)
        if (Either.isLeft(result)) {
          expect(params).toContain(result.left.param?.replace(/[[.].*/, ""))
        } else {
          expect(result.right.model).toBe(body.model)
          expect(typeof affinity(result.right)).toBe("string")
        }
      }),
      { numRuns: runs(1_000) },
    )
  })
})

describe("affinity", () => {
  const chat = (messages: ReadonlyArray<Json>) => affinity(accepted(decodeBody({ model: "m", messages })))
  const prompt = (value: Json) => affinity(accepted(decodeBody({ model: "m", prompt: value }, promptInput)))
  const system = (content: Json) => ({ role: "system", content })
  const user = (content: Json) => ({ role: "user", content })

  it("is the instructions and the first user message", () => {
    expect(chat([system("s"), { role: "developer", content: "d" }, user("u"), user("later")])).toBe("s\nd\nu")
    expect(
      chat([user([{ type: "text", text: "a" }, { type: "image_url" }, { type: "text", text: "b" }])]),
    ).toBe("\na\nb")
  })

  it("reaches over a greeting of the assistant to the first user message", () => {
    const greeting = { role: "assistant", content: "Hello!" }
    expect(chat([system("s"), greeting, user("a")])).toBe("s\nHello!\na")
  })

  it("tells users apart behind a long prompt they share", () => {
    const shared = system("x".repeat(100_000))
    expect(chat([shared, user("a")])).not.toBe(chat([shared, user("b")]))
  })

  it("is bounded", () => {
    const long = "x".repeat(100_000)
    expect(chat([system(long), system(long), user(long)]).length).toBe(8_193)
    expect(prompt(long).length).toBe(1_024)
  })

  it("goes by the first turn where there is no user", () => {
    const lead = [system("s"), { role: "assistant", content: "a" }]
    expect(chat([...lead, { role: "tool", content: "t" }])).toBe(chat(lead))
  })

  it("is the lead of a prompt, of the first of several, or of its tokens", () => {
    expect(prompt("abc")).toBe("abc")
    expect(prompt(["abc", "def"])).toBe("abc")
    expect(prompt([1, 2, 3])).toBe("1 2 3")
    expect(prompt([[1, 2], [3]])).toBe("1 2")
    for (const value of [null, {}, 5, [], [[[[[1]]]]], [null]] satisfies Array<Json>)
      expect(prompt(value)).toBe("")
  })

  it("law: later turns do not change it", () => {
    const contentArb = fc.oneof(
      fc.string(),
      fc.array(fc.string().map((text) => ({ type: "text", text }))),
      fc.constant(null),
    )
    const turnArb = fc.record({
      role: fc.constantFrom("system", "user", "assistant", "tool"),
      content: contentArb,
    })
    fc.assert(
      fc.property(fc.array(turnArb), contentArb, fc.array(turnArb), (lead, content, later) => {
        const conversation = [...lead, user(content)]
        expect(chat([...conversation, ...later])).toBe(chat(conversation))
      }),
    )
  })

  it("law: conversations that begin with other words differ", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(one !== other)
        expect(chat([system("s"), user(one)])).not.toBe(chat([system("s"), user(other)]))
      }),
    )
  })
})
