/** Responses as OpenAI's servers answer: a text, or a call of the first tool that is offered. */
import { eventsOf, functionCall, message, reasoning, response, wireOf } from "../../support/ResponseEvents.ts"
import { args, hasReasoning, text } from "./Said.js"

const isAnswered = ({ input }) =>
  Array.isArray(input) && input.some(({ type }) => type === "function_call_output")

const called = (asked) => (isAnswered(asked) ? undefined : asked.tools?.[0]?.name)

const echoes = ({
  model,
  previous_response_id = null,
  reasoning: asked,
  text: format,
  tool_choice = "auto",
  tools = [],
}) => ({
  model,
  completed_at: 1_764_000_001,
  tools: tools.map((tool) => ({ description: null, strict: null, ...tool })),
  tool_choice,
  previous_response_id,
  truncation: "disabled",
  text: format ?? { format: { type: "text" } },
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  top_logprobs: 0,
  temperature: 1,
  reasoning: { effort: null, summary: null, ...asked },
  max_output_tokens: null,
  max_tool_calls: null,
  background: false,
  metadata: {},
  safety_identifier: null,
  prompt_cache_key: null,
})

const responseOf = (asked, said) => {
  const name = called(asked)
  const thought = hasReasoning(asked.reasoning?.effort) ? [reasoning("I greet.")] : []
  const answered = name === undefined ? message(said) : { ...functionCall(args.join("")), name }
  return response([...thought, answered], echoes(asked))
}

/** Numbered anew. */
const wired = (events) =>
  wireOf(events.map((event, at) => ({ ...event, sequence_number: at }))).split(/(?<=\n\n)/)

const without = (events, ending) => wired(events.filter(({ type }) => !type.endsWith(ending)))

export const responses = {
  path: "responses",

  plain: (asked, said = text) => responseOf(asked, said),

  stream: (asked) => {
    const events = eventsOf(responseOf(asked, text))
    const frames = wired(events)
    const deltas = events.filter(({ type }) => type.endsWith(".delta"))
    const ends = events.indexOf(deltas.at(-1)) + 1
    return {
      events,
      begun: frames.slice(0, ends),
      more: wireOf([deltas.at(-1)]),
      ended: frames.slice(ends),
    }
  },

  faults: {
    error: ({ begun, events }) => {
      const error = { type: "error", sequence_number: events.length, code: "server_error", param: null }
      return [...begun, wireOf([{ ...error, message: "on fire" }])]
    },
    // No line that names the event.
    "bare-error": ({ begun }) => [
      ...begun,
      `data: ${JSON.stringify({ type: "error", sequence_number: 99, code: "server_error", message: "on fire", param: null })}\n\n`,
    ],
    failed: ({ begun, events }) => {
      const error = { code: "server_error", message: "on fire" }
      const failed = { ...events.at(-1).response, status: "failed", error, output: [], usage: null }
      return [...begun, wireOf([{ type: "response.failed", sequence_number: 99, response: failed }])]
    },
    "no-item": ({ events }) => without(events, "output_item.added"),
    "no-part": ({ events }) => without(events, "content_part.added"),
    "no-item-done": ({ events }) => without(events, "output_item.done"),
    "no-output": ({ events }) => {
      const last = events.at(-1)
      return wired([
        ...events.slice(0, -1).filter(({ type }) => !type.endsWith("output_item.done")),
        { ...last, response: { ...last.response, output: [] } },
      ])
    },
    "late-arguments": ({ events }) => without(events, "function_call_arguments.delta"),
  },

  error: (type, message, more) => ({ error: { message, type, param: null, code: null, ...more } }),
}

/** What is answered of a response that is kept, by method and by what stands behind its id. */
export const stored = {
  "GET ": (id) => ({ ...responseOf({ model: "fake" }, text), id }),
  "DELETE ": (id) => ({ id, object: "response", deleted: true }),
  "POST cancel": (id) => ({ ...responseOf({ model: "fake" }, text), id, status: "cancelled" }),
  "GET input_items": () => ({
    object: "list",
    data: [
      { ...message("Hello?", "msg_0"), role: "user", content: [{ type: "input_text", text: "Hello?" }] },
    ],
    first_id: "msg_0",
    last_id: "msg_0",
    has_more: false,
  }),
}
