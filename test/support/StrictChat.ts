/** A strict provider that speaks chat. */
import {
  counted,
  first,
  halves,
  isSame,
  type Members,
  object,
  objects,
  openAiError,
  openAiProblem,
  picture,
  type Speech,
  schema,
} from "./StrictSpeech.ts"
import { toolProblem } from "./StrictTools.ts"
import { chunk, finishChunk } from "./Wire.ts"

export const chat: Speech = {
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
