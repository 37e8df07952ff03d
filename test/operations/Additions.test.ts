/** What is taken back of what the gateway adds: refusals as servers word them, and that asking with less comes to an end. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Additions,
  capName,
  nothingAdded,
  nothingOmitted,
  type Omissions,
  takenBack,
} from "../../src/operations/Additions.ts"
import { tokenLimits } from "../../src/routing/Upstream.ts"

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))

const all: Additions = { usage: true, cap: "max_tokens" }

const members = (status: number | undefined, body: unknown, added: Additions = all) => {
  const back = takenBack({ status, body: bytes(body) }, added, nothingOmitted)
  return back === undefined ? undefined : `${back.members.join(",")}${back.lasting ? "" : " (this time)"}`
}

const echoed = { model: "m", messages: [], stream_options: { include_usage: true }, max_tokens: 5 }

const error = (message: string, more: object = {}) => ({ error: { message, ...more } })

/** Server, status, body, what it refuses. */
const refusals: ReadonlyArray<readonly [server: string, status: number, body: unknown, refused: string]> = [
  [
    "FastAPI (pydantic 2)",
    422,
    {
      detail: [
        {
          type: "extra_forbidden",
          loc: ["body", "stream_options"],
          msg: "Extra inputs are not permitted",
          input: { include_usage: true },
        },
      ],
    },
    "stream_options",
  ],
  [
    "FastAPI (pydantic 1), of two members",
    422,
    {
      detail: [
        { loc: ["body", "stream_options"], msg: "extra fields not permitted", type: "value_error.extra" },
        { loc: ["body", "max_tokens"], msg: "extra fields not permitted", type: "value_error.extra" },
      ],
    },
    "stream_options,max_tokens",
  ],
  [
    "Mistral",
    422,
    {
      object: "error",
      message: {
        detail: [
          { type: "extra_forbidden", loc: ["body", "stream_options"], msg: "Extra inputs are not permitted" },
        ],
      },
      type: "invalid_request_error",
    },
    "stream_options",
  ],
  [
    "OpenAI, older Azure",
    400,
    error("Unrecognized request argument supplied: stream_options"),
    "stream_options",
  ],
  ["Azure", 400, error("Unknown parameter: 'stream_options.include_usage'."), "stream_options"],
  ["by its param", 400, error("Unsupported.", { param: "stream_options" }), "stream_options"],
  [
    "OpenAI's models that reason",
    400,
    error(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      {
        type: "invalid_request_error",
        param: "max_tokens",
        code: "unsupported_parameter",
      },
    ),
    "max_tokens",
  ],
  ["Groq", 400, error("property 'stream_options' is unsupported"), "stream_options"],
  [
    "Gemini, in a list",
    400,
    [
      {
        error: {
          code: 400,
          message: 'Invalid JSON payload received. Unknown name "stream_options": Cannot find field.',
        },
      },
    ],
    "stream_options",
  ],
  ["serde", 422, "unknown field `include_usage`, expected `x` at line 1 column 80", "stream_options"],
  [
    "a Python server that fails",
    500,
    "create() got an unexpected keyword argument 'stream_options'",
    "stream_options",
  ],
  ["Jackson", 400, error('Unrecognized field "stream_options" (class Request)'), "stream_options"],
  ["a string for an error", 400, { error: "stream_options is not supported" }, "stream_options"],
  [
    "OpenAI, of a value",
    400,
    error("max_tokens is too large: 4096. This model supports at most 2048 completion tokens."),
    "max_tokens (this time)",
  ],
  [
    "vLLM, of a value",
    400,
    error(
      "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 4096 tokens and your request has 10 input tokens.",
    ),
    "max_tokens (this time)",
  ],
  [
    "vLLM, older",
    400,
    error(
      "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens (1000 in the messages, 4000 in the completion).",
    ),
    "max_tokens (this time)",
  ],
]

describe("what is taken back", () => {
  it.each(refusals)("%s", (_, status, body, refused) => {
    expect(members(status, body)).toBe(refused)
  })

  it("an error in an answer of a good status counts too", () => {
    expect(members(undefined, error("stream_options is not supported"))).toBe("stream_options")
  })

  it("is nothing where the refusal only repeats the request, or speaks of other members", () => {
    expect(
      members(422, {
        detail: [{ type: "missing", loc: ["body", "prompt"], msg: "Field required", input: echoed }],
      }),
    ).toBeUndefined()
    expect(members(400, error("max_tokens_per_turn and my_stream_options are unknown"))).toBeUndefined()
    expect(members(400, error("Invalid value: 'temperature'"))).toBeUndefined()
    expect(members(400, "")).toBeUndefined()
  })

  it("is no cap of the caller's own but for its name", () => {
    const callers: Additions = { usage: false, cap: "max_tokens", isCallersCap: true }
    const unknown = error(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    )
    expect(members(400, unknown, callers)).toBe("max_tokens")
    const tooMuch = error(
      "max_tokens is too large: 100000. This model supports at most 4096 completion tokens",
    )
    expect(members(400, tooMuch, callers)).toBeUndefined()
    expect(members(400, tooMuch, { usage: false, cap: "max_tokens" })).toBe("max_tokens (this time)")
  })

  it.each([
    [400, error("Unrecognized request argument supplied: reasoning_effort"), "reasoning_effort"],
    [
      422,
      { detail: [{ loc: ["body", "reasoning_effort"], msg: "Extra inputs are not permitted" }] },
      "reasoning_effort",
    ],
    [
      400,
      error("Unsupported parameter: 'reasoning.effort' is not supported with this model."),
      "reasoning_effort",
    ],
    [
      400,
      error("[{'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low', 'medium' or 'high'\"}]"),
      "reasoning_effort (this time)",
    ],
    [
      400,
      error("Unsupported value: 'reasoning_effort' does not support 'minimal' with this model."),
      "reasoning_effort (this time)",
    ],
    [400, error("thinking: adaptive thinking is not supported on this model"), "reasoning_effort"],
    [
      400,
      error(
        "Function tools with reasoning_effort are not supported for gpt-5.4 in /v1/chat/completions. Please use /v1/responses instead.",
      ),
      "reasoning_effort (this time)",
    ],
    [
      400,
      error(
        "Function tools are not supported with this reasoning effort. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
      ),
      "reasoning_effort (this time)",
    ],
    [400, error("reasoning_effort is not supported when tools are used"), "reasoning_effort (this time)"],
    [400, error("Unknown parameter: 'reasoning_effort'. Known: 'model', 'tools'"), "reasoning_effort"],
    [400, error("messages: at least one is required"), undefined],
    [429, error("Too much reasoning_effort"), undefined],
  ])("is how much is to be thought, where another dialect said so: %s %j", (status, body, refused) => {
    expect(members(status, body, { ...nothingAdded, reasoning: "reasoning_effort" })).toBe(refused)
    expect(members(status, body, nothingAdded)).toBe(undefined)
  })

  it("is the effort none that a model wants beside tools, once, and not learned", () => {
    const refusal = error(
      "Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/completions. Please use /v1/responses instead, or set reasoning_effort to 'none'.",
    )
    const offering: Additions = { ...nothingAdded, toolsInChat: true }
    const again = (added: Additions, before: Omissions = nothingOmitted) =>
      takenBack({ status: 400, body: bytes(refusal) }, added, before)
    for (const added of [offering, { ...offering, reasoning: "reasoning_effort" }]) {
      expect(again(added)).toMatchObject({ omissions: { reasoning: "none" }, lasting: false })
      expect(again(added, { ...nothingOmitted, reasoning: "always" })?.omissions.reasoning).toBe("none")
      expect(again(added, { ...nothingOmitted, reasoning: "none" })).toBe(undefined)
    }
    expect(again(nothingAdded)).toBe(undefined)
  })

  it.each([
    ["messages.0.content.0.text.cache_control: Extra inputs are not permitted", "cache_control"],
    ["messages.1.content.0.thinking.cache_control: Extra inputs are not permitted", "cache_control"],
    ["tools.0.cache_control: Extra inputs are not permitted", "cache_control"],
    ["Unknown field: cacheControl", "cache_control"],
    ["This model does not support prompt caching.", "cache_control"],
    [
      "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
      "cache_control (this time)",
    ],
    ["messages: at least one is required", undefined],
    ["my_cache_control_x is unknown", undefined],
  ])("is what is to be cached, where the gateway marked it: %s", (message, refused) => {
    const marks: Additions = { ...nothingAdded, marks: true, reasoning: "thinking" }
    expect(members(400, error(message), marks)).toBe(refused)
    expect(members(400, error(message), { ...nothingAdded, thoughts: true })).toBe(undefined)
    const before: Omissions = { ...nothingOmitted, marks: true, reasoning: "always" }
    expect(takenBack({ status: 400, body: bytes(error(message)) }, marks, before)).toBe(undefined)
  })

  describe("thoughts of earlier turns", () => {
    const held: Additions = { ...nothingAdded, thoughts: true }
    const asked = (message: string, added = held, before: Omissions = nothingOmitted, status = 400) =>
      takenBack({ status, body: bytes(error(message)) }, added, before)?.omissions.thoughts

    it.each([
      ["Anthropic", "messages.1.content.0: Invalid `signature` in `thinking` block"],
      ["Anthropic, of redacted ones", "messages.3.content.0: Invalid `data` in `redacted_thinking` block"],
      ["Anthropic, without a signature", "messages.1.content.0.thinking.signature: Field required"],
      [
        "Anthropic, of the last turn",
        "messages.5.content.1: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.",
      ],
      ["Vertex", "Thought signature is not valid."],
      [
        "Bedrock",
        "The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block",
      ],
      [
        "a server that knows no thoughts",
        "1 validation error: messages.1.content.list.0 Input tag 'thinking' found using 'type' does not match any of the expected tags: 'text', 'image'",
      ],
      [
        "OpenAI",
        "The encrypted content for item rs_68 could not be verified. Reason: Encrypted content organization_id did not match the target organization.",
      ],
    ])("are taken back where %s refuses their seal, and not twice", (_, message) => {
      expect(asked(message)).toBe(true)
      expect(asked(message, held, { ...nothingOmitted, thoughts: true })).toBeUndefined()
      expect(asked(message, all)).toBeUndefined()
      expect(asked(message, held, nothingOmitted, 429)).toBeUndefined()
    })

    it.each([
      "prompt is too long: 208310 tokens > 200000 maximum",
      "thinking.budget_tokens: Input should be greater than or equal to 1024",
      "adaptive thinking is not supported on this model",
      "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
      "temperature may only be set to 1 when thinking is enabled",
      "messages: text content blocks must be non-empty",
    ])("are not what %j is about", (message) => {
      expect(asked(message)).toBeUndefined()
    })

    it("are remembered of no target", () => {
      const body = bytes(error("Invalid `signature` in `thinking` block"))
      expect(takenBack({ status: 400, body }, held, nothingOmitted)).toEqual({
        omissions: { ...nothingOmitted, thoughts: true },
        lasting: false,
        members: [],
        thoughts: true,
      })
    })
  })

  it("is nothing of what the gateway did not add, nor of statuses that are about something else", () => {
    const refusal = error("stream_options and max_tokens are not supported")
    expect(members(400, refusal, nothingAdded)).toBeUndefined()
    expect(members(400, refusal, { usage: false, cap: "max_completion_tokens" })).toBeUndefined()
    for (const status of [401, 403, 408, 413, 429, 502, 503]) expect(members(status, refusal)).toBeUndefined()
  })

  it("is found in no time in a hostile body", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
    const wide = JSON.stringify(Array.from({ length: 200_000 }, () => ({ a: "x" })))
    for (const body of [deep, wide, `{"message":${JSON.stringify("max".repeat(300_000))}}`]) {
      expect(members(400, body)).toBeUndefined()
    }
  })

  it("law: asking with less comes to an end, whatever is refused", () => {
    const words = fc.constantFrom("stream_options", "max_tokens", "max_completion_tokens", "too large", "x")
    const message = fc.array(words, { maxLength: 5 }).map((said) => bytes(error(said.join(" "))))
    fc.assert(
      fc.property(fc.array(message, { minLength: 10, maxLength: 10 }), (bodies) => {
        let omissions: Omissions = nothingOmitted
        let asked = 1
        for (const body of bodies) {
          const added = { usage: !omissions.usage, cap: capName("auto", omissions) }
          const back = takenBack({ status: 400, body }, added, omissions)
          if (back === undefined) continue
          asked += 1
          omissions = back.omissions
        }
        expect(asked).toBeLessThanOrEqual(4)
      }),
    )
  })

  it("law: it comes to an end even where an operation leaves nothing out", () => {
    const words = fc.constantFrom("stream_options", "max_tokens", "max_completion_tokens", "too large", "x")
    const message = fc.array(words, { maxLength: 5 }).map((said) => bytes(error(said.join(" "))))
    const cap = fc.constantFrom(undefined, ...tokenLimits)
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 10, maxLength: 10 }),
        fc.boolean(),
        cap,
        (bodies, usage, cap) => {
          let omissions: Omissions = nothingOmitted
          let asked = 1
          for (const body of bodies) {
            const back = takenBack({ status: 400, body }, { usage, cap }, omissions)
            if (back === undefined) continue
            asked += 1
            omissions = back.omissions
          }
          expect(asked).toBeLessThanOrEqual(3)
        },
      ),
    )
  })
})

describe("the name of the cap", () => {
  it("is the configured one, then the other, then none", () => {
    const names = (configured: Parameters<typeof capName>[0]) => [
      capName(configured, nothingOmitted),
      capName(configured, { usage: false, caps: [capName(configured, nothingOmitted) ?? "max_tokens"] }),
      capName(configured, { usage: false, caps: tokenLimits }),
    ]
    expect(names("auto")).toEqual(["max_tokens", "max_completion_tokens", undefined])
    expect(names("max_tokens")).toEqual(["max_tokens", "max_completion_tokens", undefined])
    expect(names("max_completion_tokens")).toEqual(["max_completion_tokens", "max_tokens", undefined])
  })
})
