/** A conversation that is too long for its model, in the words of each provider, and as callers of each family are told. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { anthropicFace } from "../../../src/errors/faces/AnthropicFace.ts"
import { inOpenAiTerms, openAiFace } from "../../../src/errors/faces/OpenAiFace.ts"
import { tooLongIn } from "../../../src/errors/faces/TooLong.ts"
import { named } from "../../../src/errors/SaidError.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"
import { encodeJson, parseObject } from "../../../src/wire/JsonBytes.ts"

const told = (message: string) => tooLongIn(named({ message }))

/** What they really say, and the tokens in it: of the conversation, for the answer, and the limit. */
const wordings: ReadonlyArray<
  readonly [string, input?: number | undefined, output?: number | undefined, limit?: number]
> = [
  ["prompt is too long: 213462 tokens > 200000 maximum", 213_462, undefined, 200_000],
  [
    "input length and `max_tokens` exceed context limit: 188059 + 20000 > 200000, decrease input length or `max_tokens` and try again",
    188_059,
    20_000,
    200_000,
  ],
  [
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens. Please reduce the length of the messages.",
    130_001,
    undefined,
    128_000,
  ],
  [
    "This model's maximum context length is 8191 tokens, however you requested 10346 tokens (10346 in your prompt; 5 for the completion). Please reduce your prompt; or completion length.",
    10_346,
    5,
    8_191,
  ],
  [
    "This model's maximum context length is 65536 tokens. However, you requested 66434 tokens (58242 in the messages, 8192 in the completion). Please reduce the length of the messages or completion.",
    58_242,
    8_192,
    65_536,
  ],
  [
    "'max_tokens' or 'max_completion_tokens' is too large: 8000. This model's maximum context length is 4096 tokens and your request has 123 input tokens (8000 > 4096 - 123). (parameter=max_tokens, value=8000)",
    123,
    8_000,
    4_096,
  ],
  [
    "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens.",
    5_000,
    100,
    4_096,
  ],
  [
    "This model's maximum context length is 4096 tokens. However, your request has 5000 input tokens. Please reduce the length of the input messages.",
    5_000,
    undefined,
    4_096,
  ],
  [
    "Requested token count exceeds the model's maximum context length of 262144 tokens. You requested a total of 262462 tokens: 230462 tokens from the input messages and 32000 tokens for the completion.",
    230_462,
    32_000,
    262_144,
  ],
  [
    "The input (233864 tokens) is longer than the model's context length (202752 tokens).",
    233_864,
    undefined,
    202_752,
  ],
  [
    "This endpoint's maximum context length is 200000 tokens. However, you requested about 250000 tokens (220000 of text input, 10000 of tool input, 20000 in the output). Please reduce the length of either one.",
    230_000,
    20_000,
    200_000,
  ],
  [
    "request (13392 tokens) exceeds the available context size (8192 tokens), try increasing it",
    13_392,
    undefined,
    8_192,
  ],
  [
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    1_196_265,
    undefined,
    1_048_575,
  ],
  [
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    537_812,
    undefined,
    131_072,
  ],
  ["prompt token count of 140000 exceeds the limit of 128000", 140_000, undefined, 128_000],
  [
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)",
    300_000,
    undefined,
    262_144,
  ],
  [
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    40_000,
    undefined,
    32_768,
  ],
  [
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
    undefined,
    undefined,
    129_024,
  ],
  ["Your input exceeds the context window of this model. Please adjust your input and try again."],
  ["Input is too long for requested model."],
  ["Prompt exceeds maximum context length"],
  ["invalid params, context window exceeds limit (2013)"],
  [
    "Trying to keep the first 9000 tokens when context the overflows: tokens to keep from the initial prompt is greater than the context length.",
  ],
  ["Please reduce the length of the messages or completion."],
  ["the request exceeds the available context size. try increasing the context size or enable context shift"],
]

const others = [
  "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000.",
  "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size and try again.",
  "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
  "Invalid 'input': string too long. Expected a string with maximum length 10485760.",
  "`temperature` is out of range.",
  "Request exceeds the maximum size",
]

describe("A conversation that is too long", () => {
  it.each(wordings.map(([message, ...tokens]) => ({ message, tokens })))(
    "is known by its words: $message",
    ({ message, tokens: [input, output, limit] }) => {
      expect(told(message)).toEqual({ input, output, limit })
    },
  )

  it("is known by its code or its type alone, and has llama.cpp's numbers", () => {
    const { error } = {
      error: { message: "no", type: "exceed_context_size_error", n_prompt_tokens: 9000, n_ctx: 8192 },
    }
    expect(tooLongIn(named(error), error)).toEqual({ input: 9000, output: undefined, limit: 8192 })
    expect(tooLongIn(named({ message: "no", code: "context_length_exceeded" }))).toBeDefined()
  })

  it.each(others)("is nothing else: %s", (message) => {
    expect(told(message)).toBeUndefined()
  })

  it("is told to Anthropic's callers in the words by which they make it shorter", () => {
    const messageOf = (message: string) =>
      parseObject(anthropicFace.errorData(named({ message }), undefined))?.["error"]
    const type = "invalid_request_error"
    expect(messageOf("request (9000 tokens) exceeds the available context size (8192 tokens)")).toEqual({
      type,
      message:
        "prompt is too long: 9000 tokens > 8192 maximum (request (9000 tokens) exceeds the available context size (8192 tokens))",
    })
    expect(
      messageOf(
        "This model's maximum context length is 100 tokens. However, you requested 110 tokens (90 in the messages, 20 in the completion).",
      ),
    ).toEqual({
      type,
      message: expect.stringMatching(
        /^input length and `max_tokens` exceed context limit: 90 \+ 20 > 100, decrease input length or `max_tokens` and try again \(This model's /,
      ),
    })
    expect(messageOf("Input is too long for requested model.")).toEqual({
      type,
      message: "prompt is too long (Input is too long for requested model.)",
    })
    expect(messageOf("prompt is too long: 9 tokens > 8 maximum")).toEqual({
      type,
      message: "prompt is too long: 9 tokens > 8 maximum",
    })
  })

  it("is told to OpenAI's callers with the code by which they make it shorter", () => {
    const terms = (message: string) => inOpenAiTerms(named({ type: "invalid_request_error", message }))
    const code = "context_length_exceeded"
    const type = "invalid_request_error"
    expect(terms("prompt is too long: 9 tokens > 8 maximum")).toEqual({
      type,
      code,
      param: null,
      message:
        "This model's maximum context length is 8 tokens. However, your messages resulted in 9 tokens. Please reduce the length of the messages. (prompt is too long: 9 tokens > 8 maximum)",
    })
    expect(terms("input length and `max_tokens` exceed context limit: 6 + 3 > 8, and so on")).toMatchObject({
      code,
      message: expect.stringMatching(/you requested 9 tokens \(6 in the messages, 3 in the completion\)/),
    })
    expect(terms("Input is too long for requested model.")).toMatchObject({
      code,
      message: expect.stringMatching(/exceeds the context window of this model\..* \(Input is too long/),
    })
  })

  it("keeps the bytes of the caller's own family", () => {
    const own: JsonObject = {
      error: { message: "Prompt exceeds maximum context length", type: "t", param: null, code: null },
    }
    const bytes = encodeJson(own) ?? new Uint8Array()
    expect(openAiFace.shapedBody(bytes, 400, undefined)).toBe(bytes)
  })

  it("law: in the words of either family it is known again, with the same numbers", () => {
    const tokens = fc.integer({ min: 1, max: 99_999_999 })
    fc.assert(
      fc.property(tokens, tokens, fc.option(tokens), (limit, input, output) => {
        const asked = output === null ? "" : ` + ${output}`
        const error = named({
          message:
            output === null
              ? `request (${input} tokens) exceeds the available context size (${limit} tokens)`
              : `input length and \`max_tokens\` exceed context limit: ${input}${asked} > ${limit}`,
        })
        const toOpenAi = inOpenAiTerms(error)
        const toAnthropic = anthropicFace.errorData(toOpenAi, undefined)
        const again = parseObject(toAnthropic)?.["error"] ?? null
        const kept = output !== null && input <= limit ? { input, output, limit } : { input, limit }
        expect(tooLongIn(toOpenAi)).toMatchObject(kept)
        expect(tooLongIn(named(again))).toMatchObject(kept)
      }),
    )
  })
})
