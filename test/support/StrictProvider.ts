/**
 * Providers of one dialect each that are as strict as the real ones: they refuse members that they do not know, results without their calls, reasoning
 * that comes back without its seal, and pictures that cannot be read. What they say is the same in each: a few steps with tools, then a text.
 */
import type { Dialect } from "../../src/routing/Dialect.ts"
import { isJsonObject, type JsonObject } from "../../src/wire/Json.ts"
import * as Anthropic from "./Messages.ts"
import * as OpenAi from "./ResponseEvents.ts"
import { toolProblem } from "./StrictTools.ts"
import { chunk, finishChunk } from "./Wire.ts"

type Members = Readonly<Record<string, unknown>>

interface Call {
  readonly id: string
  readonly name: string
  readonly args: string
  /** Instead of them, of a tool that takes any text; where none is known, `args` hold it. */
  readonly text?: string
}

/** One answer of a provider. */
export interface Step {
  readonly reasoning: string
  readonly text: string
  readonly calls: ReadonlyArray<Call>
}

/** The first of them. */
export const firstStep: Step = {
  reasoning: "Two places.",
  text: "I look.",
  calls: [
    { id: "call_a", name: "weather", args: '{"city":"Zürich"}' },
    { id: "call_b", name: "weather", args: '{"city":"Bern","days":2}' },
  ],
}

/** What is said, by how many results of tools the conversation holds. */
export type Steps = ReadonlyMap<number, Step>

export const steps: Steps = new Map([
  [0, firstStep],
  [2, { reasoning: "And now?", text: "", calls: [{ id: "call_c", name: "time", args: "{}" }] }],
  [3, { reasoning: "All is known.", text: "It rains.", calls: [] }],
])

/** What is said where a form is asked for. */
const formed: Step = { reasoning: "", text: '{"answer":42}', calls: [] }

/** A PNG of one pixel. */
export const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/** The schema that a form is asked for by. */
export const schema = {
  type: "object",
  properties: { answer: { type: "integer" } },
  required: ["answer"],
  additionalProperties: false,
} as const

/** What each answer is counted as, inclusively. */
export const counted = { input: 30, cached: 8, output: 12 }

const objects = (value: unknown): ReadonlyArray<JsonObject> =>
  Array.isArray(value) ? value.filter(isJsonObject) : []

const object = (value: unknown): JsonObject => (isJsonObject(value) ? value : {})

/** A request as its provider understands it, or why it does not. */
interface Understood {
  readonly problem: string | undefined
  /** The seals of its reasoning that came back, and those that were given out. */
  readonly seals: ReadonlyArray<unknown>
  readonly given: ReadonlyArray<unknown>
  readonly results: number
  readonly reasons: boolean
  readonly isFormed: boolean
}

/** What providers of a dialect know and say. */
interface Speech {
  readonly path: string
  readonly known: ReadonlyArray<string>
  readonly understood: (body: JsonObject, steps: Steps) => Understood
  readonly whole: (step: Step, place: number, model: string) => Members
  /** Each in a frame of its own. */
  readonly frames: (whole: Members) => ReadonlyArray<string>
  readonly error: (type: string, message: string) => Members
}

const first = (problems: ReadonlyArray<string | false | undefined>): string | undefined =>
  problems.find((problem) => typeof problem === "string") || undefined

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** OpenAI's: nothing is said of tools that are not there, whom it is for is short, and stop words are few. */
const openAiProblem = (body: JsonObject): string | undefined =>
  first([
    body["tools"] === undefined && body["tool_choice"] !== undefined && "'tool_choice' needs 'tools'",
    body["tools"] === undefined &&
      body["parallel_tool_calls"] !== undefined &&
      "'parallel_tool_calls' is only allowed when 'tools' are specified",
    String(body["user"] ?? body["safety_identifier"] ?? "").length > 64 && "the user is too long",
    Array.isArray(body["stop"]) && body["stop"].length > 4 && "there are too many stop words",
  ])

/** Where a message of the system may not stand. */
const misplaced = (turns: ReadonlyArray<JsonObject>): string | undefined => {
  const at = turns.findIndex(
    ({ role }, place) =>
      role === "system" &&
      (turns[place - 1]?.["role"] !== "user" || (turns[place + 1]?.["role"] ?? "assistant") !== "assistant"),
  )
  return at === -1
    ? undefined
    : `messages.${at}: role 'system' must follow a 'user' message, and precede an 'assistant' message or end the array`
}

const openAiError = (type: string, message: string): Members => ({
  error: { message, type, param: null, code: null },
})

const chat: Speech = {
  path: "/v1/chat/completions",
  known: [
    ...["model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls"],
    ...["max_completion_tokens", "max_tokens", "n", "reasoning_effort", "response_format", "seed"],
    ...["prompt_cache_key", "verbosity"],
  ],
  understood: (body) => {
    const messages = objects(body["messages"])
    let open: ReadonlyArray<string> = []
    const problems = messages.map((message) => {
      const { role, tool_call_id: id } = message
      if (role === "tool") {
        const isKnown = open.includes(String(id))
        open = open.filter((one) => one !== id)
        return !isKnown && `no call has the id ${String(id)}`
      }
      if (open.length > 0) return `the calls ${open.join()} have no results`
      open = objects(message["tool_calls"]).map((call) => String(call["id"]))
      return undefined
    })
    const images = messages.flatMap(({ content }) => objects(content)).filter((part) => "image_url" in part)
    return {
      problem: first([
        openAiProblem(body),
        ...problems,
        toolProblem(
          objects(body["tools"]).map(({ custom, function: named, type }) =>
            type === "custom"
              ? { name: object(custom)["name"] }
              : { name: object(named)["name"], schema: object(named)["parameters"] },
          ),
          64,
        ),
        images.some(({ image_url: image }) => object(image)["url"] !== `data:image/png;base64,${picture}`) &&
          "a picture cannot be read",
      ]),
      seals: [],
      given: [],
      results: messages.filter(({ role }) => role === "tool").length,
      reasons: body["reasoning_effort"] !== undefined && body["reasoning_effort"] !== "none",
      isFormed: isSame(object(object(body["response_format"])["json_schema"])["schema"], schema),
    }
  },
  whole: ({ calls, reasoning, text }, place, model) => ({
    id: `chatcmpl-${place}`,
    object: "chat.completion",
    created: 1_795_305_600,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" ? null : text,
          refusal: null,
          ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
          ...(calls.length === 0
            ? {}
            : {
                tool_calls: calls.map(({ args, id, name, text: input }) =>
                  input === undefined
                    ? { id, type: "function", function: { name, arguments: args } }
                    : { id, type: "custom", custom: { name, input } },
                ),
              }),
        },
        logprobs: null,
        finish_reason: calls.length === 0 ? "stop" : "tool_calls",
      },
    ],
    usage: {
      prompt_tokens: counted.input,
      completion_tokens: counted.output,
      total_tokens: counted.input + counted.output,
      prompt_tokens_details: { cached_tokens: counted.cached },
      completion_tokens_details: { reasoning_tokens: 4 },
    },
  }),
  frames: (whole) => {
    const [choice = {}] = objects(whole["choices"])
    const { content, reasoning_content: reasoning, tool_calls: calls } = object(choice["message"])
    const head = { id: String(whole["id"]), model: String(whole["model"]) }
    const deltas: ReadonlyArray<Members> = [
      { role: "assistant", content: "" },
      ...halves(reasoning).map((reasoning_content) => ({ reasoning_content })),
      ...halves(content).map((one) => ({ content: one })),
      ...objects(calls).flatMap((call, index): ReadonlyArray<Members> => {
        const { custom, id, type } = call
        if (type === "custom") {
          const { input, name } = object(custom)
          return [
            { tool_calls: [{ index, id, type, custom: { name, input: "" } }] },
            ...halves(input).map((one) => ({ tool_calls: [{ index, custom: { input: one } }] })),
          ]
        }
        const { arguments: args, name } = object(call["function"])
        return [
          { tool_calls: [{ index, ...call, function: { name, arguments: "" } }] },
          ...halves(args).map((one) => ({ tool_calls: [{ index, function: { arguments: one } }] })),
        ]
      }),
    ]
    const chunks = [
      ...deltas.map((delta) => chunk(delta, head)),
      finishChunk(String(choice["finish_reason"]), head),
      { ...chunk({}, head), choices: [], usage: whole["usage"] },
    ]
    return [...chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`), "data: [DONE]\n\n"]
  },
  error: openAiError,
}

const halves = (text: unknown): ReadonlyArray<string> =>
  typeof text !== "string" || text === ""
    ? []
    : [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))].filter(
        (one) => one !== "",
      )

/** The steps with reasoning that a conversation of so many results has behind it. */
const placesBefore = (steps: Steps, results: number): ReadonlyArray<number> =>
  [...steps].flatMap(([place, { reasoning }]) => (place < results && reasoning !== "" ? [place] : []))

const responses: Speech = {
  path: "/v1/responses",
  known: [
    ...["model", "input", "instructions", "stream", "tools", "tool_choice", "parallel_tool_calls"],
    ...["max_output_tokens", "reasoning", "text", "include", "store"],
  ],
  understood: (body, said) => {
    const input = objects(body["input"])
    const calls = input.filter(({ type }) => type === "function_call")
    const results = input.filter(({ type }) => type === "function_call_output")
    const seals = input.flatMap(({ encrypted_content: seal, id, type }) =>
      type === "reasoning" ? [[id, seal]] : [],
    )
    const images = input
      .flatMap(({ content }) => objects(content))
      .filter(({ type }) => type === "input_image")
    const effort = object(body["reasoning"])["effort"]
    const reasons = effort !== undefined && effort !== "none"
    return {
      problem: first([
        openAiProblem(body),
        !isSame(
          calls.map((call) => call["call_id"]),
          results.map((result) => result["call_id"]),
        ) && "calls and results do not fit together",
        reasons && !JSON.stringify(body["include"] ?? []).includes("reasoning.encrypted_content")
          ? "reasoning cannot come back"
          : undefined,
        images.some(({ image_url: url }) => url !== `data:image/png;base64,${picture}`) &&
          "a picture cannot be read",
      ]),
      seals,
      given: reasons ? placesBefore(said, results.length).map((at) => [`rs_${at}`, `enc-${at}`]) : [],
      results: results.length,
      reasons,
      isFormed: isSame(object(object(body["text"])["format"])["schema"], schema),
    }
  },
  whole: ({ calls, reasoning, text }, place, model) =>
    OpenAi.response(
      [
        ...(reasoning === ""
          ? []
          : [{ ...OpenAi.reasoning(reasoning, `rs_${place}`), encrypted_content: `enc-${place}` }]),
        ...(text === "" ? [] : [OpenAi.message(text, `msg_${place}`)]),
        ...calls.map(({ args, id, name }) => ({
          ...OpenAi.functionCall(args, `fc_${id}`),
          call_id: id,
          name,
        })),
      ],
      {
        id: `resp_${place}`,
        model,
        usage: {
          input_tokens: counted.input,
          input_tokens_details: { cached_tokens: counted.cached },
          output_tokens: counted.output,
          output_tokens_details: { reasoning_tokens: 4 },
          total_tokens: counted.input + counted.output,
        },
      },
    ),
  frames: (whole) => OpenAi.eventsOf(whole).map((event) => OpenAi.wireOf([event])),
  error: openAiError,
}

const messages: Speech = {
  path: "/v1/messages",
  known: [
    ...["model", "messages", "system", "stream", "tools", "tool_choice", "max_tokens"],
    ...["thinking", "output_config"],
  ],
  understood: (body, said) => {
    const turns = objects(body["messages"])
    const blocks = turns.flatMap(({ content }) => objects(content))
    const ofType = (turn: JsonObject | undefined, type: string) =>
      objects(turn?.["content"]).filter((block) => block["type"] === type)
    const results = turns.flatMap((turn) => ofType(turn, "tool_result"))
    const thinking = object(body["thinking"])
    const reasons = thinking["type"] === "enabled"
    const seals = turns.flatMap((turn) => ofType(turn, "thinking")).map(({ signature }) => signature)
    return {
      problem: first([
        toolProblem(
          objects(body["tools"]).map(({ input_schema: schema, name }) => ({ name, schema })),
          128,
        ),
        misplaced(turns),
        typeof body["max_tokens"] !== "number" && "max_tokens: Field required",
        turns[0]?.["role"] !== "user" && "the first message is not the user's",
        ...turns.map((turn, at) => {
          const calls = ofType(turn, "tool_use").map(({ id }) => id)
          const next = objects(turns[at + 1]?.["content"]).slice(0, calls.length)
          return (
            !isSame(
              calls,
              next.map((block) => block["tool_use_id"]),
            ) &&
            calls.length > 0 &&
            "tool_use ids were found without tool_result blocks immediately after"
          )
        }),
        blocks.some(({ text, type }) => type === "text" && text === "") && "text blocks must be non-empty",
        blocks.some(
          ({ source, type }) =>
            type === "image" && !isSame(source, { type: "base64", media_type: "image/png", data: picture }),
        ) && "a picture cannot be read",
      ]),
      seals,
      given: reasons ? placesBefore(said, results.length).map((at) => `sig-${at}`) : [],
      results: results.length,
      reasons,
      isFormed: isSame(object(object(body["output_config"])["format"])["schema"], schema),
    }
  },
  whole: ({ calls, reasoning, text }, place, model) =>
    Anthropic.messageOf(
      [
        ...(reasoning === "" ? [] : [{ type: "thinking", thinking: reasoning, signature: `sig-${place}` }]),
        ...(text === "" ? [] : [Anthropic.textBlock(text)]),
        ...calls.map(({ args, id, name }) => ({
          type: "tool_use",
          id,
          name,
          input: object(JSON.parse(args)),
        })),
      ],
      {
        id: `msg_${place}`,
        model,
        stop_reason: calls.length === 0 ? "end_turn" : "tool_use",
        usage: {
          input_tokens: counted.input - counted.cached,
          cache_read_input_tokens: counted.cached,
          cache_creation_input_tokens: 0,
          output_tokens: counted.output,
          output_tokens_details: { thinking_tokens: 4 },
        },
      },
    ),
  frames: (whole) =>
    Anthropic.cutUp(Anthropic.eventsOf(whole), [6]).map((event) => Anthropic.framesOf([event]).toString()),
  error: (type, message) => ({ type: "error", error: { type, message } }),
}

const speeches: { readonly [D in Dialect]: Speech } = { chat, responses, messages }

/** What a provider of a dialect has to say of a request at a path: a status, and a whole body or the frames of a stream. */
export interface Reply {
  readonly status: number
  readonly body: Members
  readonly frames: ReadonlyArray<string> | undefined
}

export interface Strictness {
  /** The program is one that does not send back what it does not know. */
  readonly mayForgetSeals?: boolean
  /** What is said instead of `steps`. */
  readonly said?: Steps
}

const replyIn = (
  speech: Speech,
  body: JsonObject,
  { mayForgetSeals = false, said = steps }: Strictness,
): Reply => {
  const refusal = (message: string): Reply => ({
    status: 400,
    body: speech.error("invalid_request_error", message),
    frames: undefined,
  })
  const unknown = Object.keys(body).find((name) => !speech.known.includes(name))
  if (unknown !== undefined) return refusal(`unknown parameter ${unknown}`)
  const { given, isFormed, problem, reasons, results, seals } = speech.understood(body, said)
  const step = isFormed ? formed : said.get(results)
  if (problem !== undefined) return refusal(problem)
  const areForgotten = mayForgetSeals && seals.length === 0
  if (!areForgotten && !isSame(seals, given))
    return refusal(`the seals are ${JSON.stringify(seals)}, not ${JSON.stringify(given)}`)
  if (step === undefined) return refusal(`nothing is to be said to ${results} results`)
  const whole = speech.whole(reasons ? step : { ...step, reasoning: "" }, results, String(body["model"]))
  return { status: 200, body: whole, frames: body["stream"] === true ? speech.frames(whole) : undefined }
}

/** The reply of a provider that speaks one dialect alone. */
export const strictReply = (
  dialect: Dialect,
  path: string,
  body: unknown,
  strictness: Strictness = {},
): Reply => {
  const speech = speeches[dialect]
  return path.split("?")[0] === speech.path
    ? replyIn(speech, object(body), strictness)
    : { status: 404, body: { detail: "Not Found" }, frames: undefined }
}

/** An error as a provider of a dialect tells it. */
export const strictError = (dialect: Dialect, type: string, message: string): Members =>
  speeches[dialect].error(type, message)

/** What a program is told of all steps, whoever speaks. */
export const toldOfAll = {
  reasoning: [...steps.values()].map(({ reasoning }) => reasoning),
  texts: [...steps.values()].flatMap(({ text }) => (text === "" ? [] : [text])),
  calls: [...steps.values()].flatMap(({ calls }) =>
    calls.map(({ args, name }): readonly [string, unknown] => [name, JSON.parse(args)]),
  ),
  counts: [...steps.values()].map(() => counted),
}

/** One of its steps as a provider of a dialect says it at once. */
export const strictWhole = (dialect: Dialect, step: Step): Members => speeches[dialect].whole(step, 0, "m")

/** The frames in which a provider of a dialect streams one of its steps. */
export const strictFrames = (dialect: Dialect, step: Step): ReadonlyArray<string> =>
  speeches[dialect].frames(strictWhole(dialect, step))
