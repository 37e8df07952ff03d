/** Errors as providers send them, and as clients are told. The bodies are what these servers really answer, shortened. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { errorData, shaped, shapedBody } from "../../../src/errors/faces/OpenAiFace.ts"
import { named, saidError } from "../../../src/errors/SaidError.ts"
import type { Json } from "../../../src/wire/Json.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const parse = (body: Uint8Array | undefined): unknown =>
  body === undefined ? undefined : JSON.parse(new TextDecoder().decode(body))

const shapedOf = (value: unknown): unknown => parse(shapedBody(bytes(JSON.stringify(value))))

/** Who sends it, what, and what the client gets. */
const table: ReadonlyArray<readonly [string, unknown, unknown]> = [
  [
    "llama.cpp: a numeric code, no param",
    {
      error: {
        code: 400,
        message: "the request exceeds the available context size",
        type: "exceed_context_size_error",
        n_prompt_tokens: 9000,
      },
    },
    {
      error: {
        code: "context_length_exceeded",
        message: "the request exceeds the available context size",
        type: "exceed_context_size_error",
        n_prompt_tokens: 9000,
        param: null,
      },
    },
  ],
  [
    "vLLM: a numeric code",
    { error: { message: "not an integer", type: "Bad Request", param: "body.max_tokens", code: 400 } },
    { error: { message: "not an integer", type: "Bad Request", param: "body.max_tokens", code: "400" } },
  ],
  [
    "vLLM, older: the body is the error",
    {
      object: "error",
      message: "The model `m` does not exist.",
      type: "NotFoundError",
      param: null,
      code: 404,
    },
    {
      error: {
        object: "error",
        message: "The model `m` does not exist.",
        type: "NotFoundError",
        param: null,
        code: "404",
      },
    },
  ],
  [
    "Groq: no param",
    {
      error: { message: "Rate limit reached for model `m`", type: "tokens", code: "rate_limit_exceeded" },
    },
    {
      error: {
        message: "Rate limit reached for model `m`",
        type: "tokens",
        code: "rate_limit_exceeded",
        param: null,
      },
    },
  ],
  [
    "OpenRouter: members beside, and beside the error",
    {
      error: { message: "Insufficient credits", code: 402, metadata: { provider_name: null } },
      user_id: "u",
    },
    {
      error: {
        message: "Insufficient credits",
        code: "402",
        metadata: { provider_name: null },
        type: "upstream_error",
        param: null,
      },
      user_id: "u",
    },
  ],
  [
    "Gemini: a list",
    [
      {
        error: {
          code: 429,
          message: "Resource has been exhausted (e.g. check quota).",
          status: "RESOURCE_EXHAUSTED",
        },
      },
    ],
    {
      error: {
        code: "429",
        message: "Resource has been exhausted (e.g. check quota).",
        status: "RESOURCE_EXHAUSTED",
        type: "upstream_error",
        param: null,
      },
    },
  ],
  [
    "Anthropic: a type beside the error, which is no member of OpenAI's",
    { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_1" },
    {
      error: { type: "server_error", message: "Overloaded", param: null, code: "overloaded" },
      request_id: "req_1",
    },
  ],
  ...(
    [
      ["authentication_error", "invalid_request_error", "invalid_api_key"],
      ["billing_error", "insufficient_quota", "insufficient_quota"],
      ["permission_error", "permission_error", null],
      ["not_found_error", "invalid_request_error", null],
      ["conflict_error", "invalid_request_error", "conflict"],
      ["request_too_large", "invalid_request_error", "request_too_large"],
      ["rate_limit_error", "rate_limit_exceeded", "rate_limit_exceeded"],
      ["timeout_error", "server_error", "timeout"],
      ["api_error", "server_error", null],
    ] as const
  ).map(
    ([theirs, type, code]) =>
      [
        `Anthropic: ${theirs}`,
        { type: "error", error: { type: theirs, message: "m" } },
        { error: { type, message: "m", param: null, code } },
      ] as const,
  ),
  [
    "Anthropic: a model that is not there",
    { type: "error", error: { type: "not_found_error", message: "model: claude-9" } },
    {
      error: {
        type: "invalid_request_error",
        message: "model: claude-9",
        param: null,
        code: "model_not_found",
      },
    },
  ],
  [
    "Azure: no type",
    { error: { code: "DeploymentNotFound", message: "The API deployment does not exist." } },
    {
      error: {
        code: "DeploymentNotFound",
        message: "The API deployment does not exist.",
        type: "upstream_error",
        param: null,
      },
    },
  ],
  [
    "Ollama and others: the error is a text",
    { error: "model 'm' not found" },
    { error: { message: "model 'm' not found", type: "upstream_error", param: null, code: null } },
  ],
  [
    "xAI: the error is a text, and the code stands beside it",
    { code: "permission-denied", error: "Content violates usage guidelines." },
    {
      error: {
        code: "permission-denied",
        message: "Content violates usage guidelines.",
        type: "upstream_error",
        param: null,
      },
    },
  ],
  [
    "text-generation-inference: a type of another name",
    { error: "Input validation error", error_type: "validation" },
    {
      error: {
        error_type: "validation",
        message: "Input validation error",
        type: "validation",
        param: null,
        code: null,
      },
    },
  ],
  [
    "FastAPI: detail in words",
    { detail: "Not Found" },
    { error: { detail: "Not Found", message: "Not Found", type: "upstream_error", param: null, code: null } },
  ],
  [
    "FastAPI: a list of faults",
    { detail: [{ loc: ["body", "max_tokens"], msg: "Input should be an integer", type: "int_type" }] },
    {
      error: {
        detail: [{ loc: ["body", "max_tokens"], msg: "Input should be an integer", type: "int_type" }],
        message: "body.max_tokens: Input should be an integer",
        type: "upstream_error",
        param: null,
        code: null,
      },
    },
  ],
  [
    "Mistral, AWS and others: a message alone",
    { message: "Unauthorized", request_id: "r" },
    {
      error: {
        message: "Unauthorized",
        request_id: "r",
        type: "upstream_error",
        param: null,
        code: null,
      },
    },
  ],
  [
    "MiniMax: base_resp",
    { base_resp: { status_code: 1008, status_msg: "insufficient balance" } },
    {
      error: {
        base_resp: { status_code: 1008, status_msg: "insufficient balance" },
        message: "insufficient balance",
        type: "upstream_error",
        param: null,
        code: "1008",
      },
    },
  ],
  [
    "relays: code and msg",
    { code: 40301, msg: "insufficient balance", success: false },
    {
      error: {
        code: "40301",
        msg: "insufficient balance",
        success: false,
        message: "insufficient balance",
        type: "upstream_error",
        param: null,
      },
    },
  ],
  [
    "Cloudflare: a list of errors",
    { success: false, errors: [{ code: 10000, message: "Authentication error" }], result: null },
    { error: { code: "10000", message: "Authentication error", type: "upstream_error", param: null } },
  ],
  [
    "a param and a code that are no texts",
    { error: { message: "no", type: "t", param: ["messages", 0], code: { deep: 1 } } },
    { error: { message: "no", type: "t", param: null, code: null } },
  ],
]

const members = '"type":"upstream_error","param":null,"code":null'

/** No double is, and no number is printed so. */
const digits = "[12345678901234567890, 1.0e-02]"

describe("A provider's error body", () => {
  it.each(table)("of %s is brought into OpenAI's shape", (_, sent, told) => {
    expect(shapedOf(sent)).toEqual(told)
  })

  it("goes on as it came, byte for byte, where it has the shape", () => {
    for (const text of [
      '{ "error": {"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"} }',
      '{"error":{"message":"a","type":"b","param":"c","code":null,"big":12345678901234567890}, "x": 1.0}',
    ]) {
      const body = bytes(text)
      expect(shapedBody(body)).toBe(body)
    }
  })

  it("is none where nothing is said in words", () => {
    for (const text of ["", "null", "42", '"text"', "[]", "[[]]", "{}", '{"error":{}}', "<p>", '{"error":']) {
      expect(shapedBody(bytes(text))).toBeUndefined()
    }
  })

  it("is shaped though members of it are nested too deep to be printed", () => {
    const depth = 200_000
    for (const member of ["deep", "detail", "base_resp"]) {
      const deep = `${`{"${member}":`.repeat(depth)}1${"}".repeat(depth)}`
      const shaped = shapedBody(bytes(`{"error":{"message":"boom","${member}":${deep}}}`))
      expect(
        new TextDecoder().decode(shaped) === `{"error":{"message":"boom","${member}":${deep},${members}}}`,
      ).toBe(true)
    }
  })

  it.each([
    {
      name: "members of an error",
      said: `{"error":{"message":"boom","n":${digits},"code":4}}`,
      told: `{"error":{"message":"boom","n":${digits},"code":"4","type":"upstream_error","param":null}}`,
    },
    {
      name: "members beside it",
      said: `{ "id": ${digits}, "error": { "message": "boom" } }`,
      told: `{ "id": ${digits}, "error": { "message": "boom",${members} } }`,
    },
    {
      name: "an error that is the body",
      said: `{"n":${digits},"message":"boom"}`,
      told: `{"error":{"n":${digits},"message":"boom",${members}}}`,
    },
    {
      name: "an error in a list",
      said: `[ {"error":{"n":${digits},"message":"boom"}} ]`,
      told: `{"error":{"n":${digits},"message":"boom",${members}}}`,
    },
  ])("keeps the digits and spellings of $name", ({ said, told }) => {
    expect(new TextDecoder().decode(shapedBody(bytes(said)))).toBe(told)
  })

  const words = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.jsonValue())
  const errorArb = fc.dictionary(
    fc.constantFrom("message", "msg", "type", "param", "code", "detail", "status", "base_resp", "error"),
    words,
  )
  const bodyArb = fc.oneof(
    fc.jsonValue(),
    errorArb,
    fc.record({ error: fc.oneof(errorArb, fc.jsonValue()) }),
    fc.array(fc.record({ error: errorArb })),
    fc.record({ errors: fc.array(errorArb) }),
  )

  it("law: whatever it is, what the client gets has the four members as the SDKs declare them", () => {
    fc.assert(
      fc.property(bodyArb, (value) => {
        const told = shapedOf(value)
        if (told === undefined) return
        const isTextOrNull = expect.toSatisfy((one) => one === null || typeof one === "string")
        expect(told).toMatchObject({
          error: {
            message: expect.any(String),
            type: expect.any(String),
            param: isTextOrNull,
            code: isTextOrNull,
          },
        })
      }),
    )
  })

  it("law: what was shaped has the shape, and its words are those that are told", () => {
    fc.assert(
      fc.property(bodyArb, (value) => {
        const sent = bytes(JSON.stringify(value))
        const once = shapedBody(sent)
        if (once === undefined) return
        expect(shapedBody(once)).toBe(once)
        expect(saidError(once)?.message).toBe(saidError(sent)?.message)
      }),
    )
  })
})

const shape = { type: "upstream_error", param: null, code: null }

describe("shaped", () => {
  it("is OpenAI's shape, whatever an upstream calls an error", () => {
    const rows: ReadonlyArray<readonly [Json, object]> = [
      [{ message: "boom" }, { ...shape, message: "boom" }],
      ["boom", { ...shape, message: "boom" }],
      [["boom", "bang"], { ...shape, message: "boom" }],
      [[{ message: "boom", code: 1 }], { ...shape, message: "boom", code: "1" }],
      [
        { message: "boom", type: "rate_limit", code: 429, param: "n" },
        { message: "boom", type: "rate_limit", code: "429", param: "n" },
      ],
      [{ error: { message: "boom", code: "full" } }, { ...shape, message: "boom", code: "full" }],
      [
        { code: "x", msg: "boom" },
        { ...shape, code: "x", message: "boom" },
      ],
    ]
    for (const [error, expected] of rows) expect(shaped(error)).toMatchObject(expected)
  })

  it("keeps what else the upstream said of the error", () => {
    const error = { message: "boom", metadata: { provider: "x" } }
    expect(shaped(error)).toMatchObject({ metadata: { provider: "x" } })
  })

  it("says something even where the upstream says nothing", () => {
    for (const error of [{}, [], true, { message: "" }, { message: { deep: 1 } }, [[]]]) {
      expect(shaped(error).message).toMatch(/upstream/)
    }
  })
})

describe("named", () => {
  it("finds message, code and type of an answer that is an error as a whole", () => {
    const rows: ReadonlyArray<readonly [Json, object]> = [
      [
        { id: "x", choices: null, base_resp: { status_code: 1002, status_msg: "rate limit" } },
        { ...shape, message: "rate limit", code: "1002" },
      ],
      [
        { code: "40301", msg: "insufficient balance", success: false },
        { ...shape, message: "insufficient balance", code: "40301" },
      ],
      [{ detail: "not loaded" }, { ...shape, message: "not loaded" }],
      [
        { detail: [{ loc: ["body", "model"], msg: "field required", type: "missing" }] },
        { ...shape, message: "body.model: field required" },
      ],
      [
        { errors: [{ code: 7003, message: "no route" }], success: false },
        { message: "no route", code: "7003" },
      ],
      [
        { error_code: 336003, error_msg: "too long" },
        { message: "too long", code: "336003" },
      ],
      [
        { type: "error", error: { type: "overloaded_error", message: "boom" } },
        { message: "boom", type: "overloaded_error" },
      ],
      [
        { type: "error", message: "boom", code: "full" },
        { ...shape, message: "boom", code: "full" },
      ],
    ]
    for (const [answer, expected] of rows) expect(named(answer)).toEqual(expect.objectContaining(expected))
  })

  it("law: whatever is said, what is told is four strings or nulls of bounded size", () => {
    const long = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.repeat(400))
    const error = fc.oneof(
      long,
      fc.record({ message: long, type: long, code: long, param: long }),
      fc.array(long, { maxLength: 20 }),
      fc.dictionary(fc.constantFrom("error", "detail", "errors", "message", "msg", "code"), fc.jsonValue()),
    )
    fc.assert(
      fc.property(error, (said) => {
        const { code, message, param, type } = named(JSON.parse(JSON.stringify(said)))
        expect(message.length).toBeGreaterThan(0)
        expect(message.length).toBeLessThanOrEqual(4_001)
        for (const name of [type, code ?? "", param ?? ""]) expect(name.length).toBeLessThanOrEqual(201)
        // Throws where there is half of a character.
        expect(() => encodeURIComponent(message)).not.toThrow()
      }),
    )
  })
})

describe("errorData", () => {
  it("is an OpenAI error body", () => {
    expect(new TextDecoder().decode(errorData({ ...shape, message: "boom" }))).toBe(
      '{"error":{"type":"upstream_error","param":null,"code":null,"message":"boom"}}',
    )
  })

  it("leaves out further members that are nested too deep to be printed, or too large", () => {
    const deep: Json = JSON.parse(`${"[".repeat(200_000)}${"]".repeat(200_000)}`)
    for (const further of [deep, "x".repeat(100_000)]) {
      expect(parse(errorData(shaped({ message: "boom", further })))).toEqual({
        error: { ...shape, message: "boom" },
      })
    }
  })
})
