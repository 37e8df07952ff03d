/** Messages as Anthropic's servers answer: a text, or a call of the first tool that is offered. */
import { args, text, words } from "./Said.js"

const usage = {
  input_tokens: 3,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  cache_creation: null,
  inference_geo: null,
  output_tokens: 4,
  output_tokens_details: { thinking_tokens: 0 },
  server_tool_use: null,
  service_tier: "standard",
}

const isAnswered = ({ content }) =>
  Array.isArray(content) && content.some(({ type }) => type === "tool_result")

const called = ({ messages, tools }) => (isAnswered(messages.at(-1)) ? undefined : tools?.[0]?.name)

const thinks = ({ thinking }) => thinking !== undefined && thinking.type !== "disabled"

const messageOf = (asked, said) => {
  const name = called(asked)
  const thought = { type: "thinking", thinking: "I greet.", signature: "c2ln" }
  const use = {
    type: "tool_use",
    id: "toolu_1",
    name,
    input: JSON.parse(args.join("")),
    caller: { type: "direct" },
  }
  return {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: asked.model,
    content: [
      ...(thinks(asked) ? [thought] : []),
      name === undefined ? { type: "text", text: said, citations: null } : use,
    ],
    stop_reason: name === undefined ? "end_turn" : "tool_use",
    stop_sequence: null,
    stop_details: null,
    container: null,
    usage: thinks(asked) ? { ...usage, output_tokens_details: { thinking_tokens: 2 } } : usage,
  }
}

/** How a block begins, and the deltas it is told in. */
const blocks = {
  text: (block) => [{ ...block, text: "" }, words.map((one) => ({ type: "text_delta", text: one }))],
  thinking: ({ thinking, signature, ...block }) => [
    { ...block, thinking: "", signature: "" },
    [
      { type: "thinking_delta", thinking },
      { type: "signature_delta", signature },
    ],
  ],
  tool_use: (block) => [
    { ...block, input: {} },
    args.map((one) => ({ type: "input_json_delta", partial_json: one })),
  ],
}

const eventsOfBlock = (block, index) => {
  const [content_block, deltas] = blocks[block.type](block)
  return [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ]
}

const frame = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

const error = (type, message) => ({ type: "error", error: { type, message }, request_id: "req_1" })

/** The same events, each changed or left out. */
const changed = (events, change) => events.flatMap((event) => change(event) ?? [])

export const messages = {
  path: "messages",

  plain: (asked, said = text) => messageOf(asked, said),

  stream: (asked) => {
    const { content, stop_reason, ...rest } = messageOf(asked, text)
    const start = { ...rest, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } }
    const events = [
      { type: "message_start", message: start },
      { type: "ping" },
      ...content.flatMap(eventsOfBlock),
    ]
    const ended = [
      { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage },
      { type: "message_stop" },
    ]
    const delta = { type: "text_delta", text: "more" }
    return {
      events: [...events, ...ended],
      // The last block is still open.
      begun: events.slice(0, -1).map(frame),
      more: frame({ type: "content_block_delta", index: content.length - 1, delta }),
      ended: [events.at(-1), ...ended].map(frame),
    }
  },

  faults: {
    error: ({ begun }) => [...begun, frame(error("overloaded_error", "on fire"))],
    "no-usage": ({ events }) =>
      changed(events, (event) =>
        event.type === "message_delta" ? { ...event, usage: undefined } : event,
      ).map(frame),
    "index-1": ({ events }) =>
      changed(events, (event) => ("index" in event ? { ...event, index: event.index + 1 } : event)).map(
        frame,
      ),
    "half-tool": ({ events }) =>
      changed(events, (event) => (event.delta?.partial_json === args.at(-1) ? undefined : event)).map(frame),
    "whole-tool": ({ events }) =>
      changed(events, (event) => {
        if (event.delta?.partial_json !== undefined) return undefined
        const block = event.content_block
        return block?.type === "tool_use"
          ? { ...event, content_block: { ...block, input: JSON.parse(args.join("")) } }
          : event
      }).map(frame),
  },

  error,
}
