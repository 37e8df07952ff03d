/** Chats and completions as OpenAI's servers answer: a text, or a call of the first tool that is offered. */
import { args, hasReasoning, text, words } from "./Said.js"

const envelope = { id: "chatcmpl-1", created: 1_700_000_000 }

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }

const chunk = (model, delta, finish_reason = null) => ({
  ...envelope,
  object: "chat.completion.chunk",
  model,
  choices: [{ index: 0, delta, finish_reason }],
})

/** The name of the tool that is called; `undefined` where none is, or where it has been. */
const called = ({ messages, tools }) =>
  messages.at(-1)?.role === "tool" ? undefined : tools?.[0]?.function.name

const data = (value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`

const calling = (name) => [
  { tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name, arguments: "" } }] },
  ...args.map((part) => ({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
]

export const chat = {
  path: "chat/completions",

  plain: (asked, said = text) => {
    const { model, reasoning_effort } = asked
    const name = called(asked)
    const call = { id: "call_1", type: "function", function: { name, arguments: args.join("") } }
    const content = name === undefined ? { content: said } : { content: null, tool_calls: [call] }
    const finish_reason = name === undefined ? "stop" : "tool_calls"
    const reasons = hasReasoning(reasoning_effort)
    const thought = reasons ? { reasoning_content: "I greet." } : {}
    const message = { role: "assistant", refusal: null, annotations: [], ...thought, ...content }
    const details = reasons ? { completion_tokens_details: { reasoning_tokens: 2 } } : {}
    return {
      ...envelope,
      object: "chat.completion",
      model,
      choices: [{ index: 0, message, logprobs: null, finish_reason }],
      usage: { ...usage, ...details },
    }
  },

  /** What it is streamed in; `more` is the one that is said again and again by a stream that never ends. */
  stream: (asked) => {
    const { model, stream_options } = asked
    const name = called(asked)
    const parts = name === undefined ? words.map((content) => ({ content })) : calling(name)
    const counted = { ...chunk(model, {}), choices: [], usage }
    const begun = [{ role: "assistant", content: "" }, ...parts].map((delta) => data(chunk(model, delta)))
    return {
      begun,
      more: data(chunk(model, { content: "more" })),
      ended: [
        data(chunk(model, {}, name === undefined ? "stop" : "tool_calls")),
        ...(stream_options?.include_usage === true ? [data(counted)] : []),
        data("[DONE]"),
      ],
    }
  },

  faults: {
    error: ({ begun }) => [
      ...begun,
      data({ error: { message: "on fire", type: "server_error", code: null } }),
    ],
  },

  error: (type, message, more) => ({ error: { message, type, param: null, code: null, ...more } }),
}

export const completions = {
  path: "completions",

  plain: ({ model }) => ({
    ...envelope,
    object: "text_completion",
    model,
    choices: [{ index: 0, text, logprobs: null, finish_reason: "stop" }],
    usage,
  }),

  stream: ({ model }) => {
    const piece = (text, finish_reason = null) =>
      data({
        ...envelope,
        object: "text_completion",
        model,
        choices: [{ index: 0, text, logprobs: null, finish_reason }],
      })
    return {
      begun: words.map((one) => piece(one)),
      more: piece("more"),
      ended: [piece("", "stop"), data("[DONE]")],
    }
  },

  faults: chat.faults,

  error: chat.error,
}
