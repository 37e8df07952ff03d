/** The streams of the mock, made beforehand: the events of each dialect as its own servers send them, each in a chunk of its own. */

/** The events of streams in one dialect. */
export interface MockStream {
  readonly first: Buffer
  /** The event of this number that brings a word, from 0. */
  readonly token: (at: number) => Buffer
  /** What follows so many of them, with the end of the body. */
  readonly end: (count: number) => Buffer
}

const piece = (text: string): Buffer => Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`)
const event = (data: string): Buffer => piece(`data: ${data}\n\n`)
const named = (type: string, members: object): Buffer =>
  piece(`event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`)
const bodyEnd = Buffer.from("0\r\n\r\n")

const chunkOf = (delta: object, finish: string | null): string =>
  JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1_795_305_600,
    model: "gpt-4o",
    system_fingerprint: "fp_bench",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })

const word = " token"

const chatToken = event(chunkOf({ content: word }, null))
const chatEnd = Buffer.concat([event(chunkOf({}, "stop")), event("[DONE]"), bodyEnd])

const chat: MockStream = {
  first: event(chunkOf({ role: "assistant", content: "" }, null)),
  token: () => chatToken,
  end: () => chatEnd,
}

const messageToken = named("content_block_delta", { index: 0, delta: { type: "text_delta", text: word } })
const messageEnd = Buffer.concat([
  named("content_block_stop", { index: 0 }),
  named("message_delta", {
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 60 },
  }),
  named("message_stop", {}),
  bodyEnd,
])

const messages: MockStream = {
  first: Buffer.concat([
    named("message_start", {
      message: {
        id: "msg_bench",
        type: "message",
        role: "assistant",
        model: "gpt-4o",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 90, output_tokens: 1 },
      },
    }),
    named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  ]),
  token: () => messageToken,
  end: () => messageEnd,
}

const item = "msg_0b1c2d3e4f5061728394a5b6c7d8e9f00b1c2d3e4f506172"
const place = { item_id: item, output_index: 0, content_index: 0 }

/** The response, of so many words where it is whole. */
const responseOf = (count: number | undefined): object => ({
  id: "resp_bench",
  object: "response",
  created_at: 1_795_305_600,
  status: count === undefined ? "in_progress" : "completed",
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  model: "gpt-4o",
  output: count === undefined ? [] : [messageOf(count)],
  parallel_tool_calls: true,
  previous_response_id: null,
  store: false,
  temperature: 0.7,
  tools: [],
  usage: count === undefined ? null : { input_tokens: 90, output_tokens: 60, total_tokens: 150 },
})

const partOf = (count: number): object => ({
  type: "output_text",
  annotations: [],
  logprobs: [],
  text: word.repeat(count),
})

const messageOf = (count: number): object => ({
  id: item,
  type: "message",
  status: "completed",
  content: [partOf(count)],
  role: "assistant",
})

/** The number of the first word. */
const firstNumber = 4

/** Their numbers make each of them another; all streams have the same. */
const responseTokens: Array<Buffer> = []

const responseToken = (at: number): Buffer => {
  responseTokens[at] ??= named("response.output_text.delta", {
    sequence_number: firstNumber + at,
    ...place,
    delta: word,
    logprobs: [],
  })
  return responseTokens[at]
}

const responseEnd = (count: number): Buffer => {
  const number = firstNumber + count
  return Buffer.concat([
    named("response.output_text.done", {
      sequence_number: number,
      ...place,
      text: word.repeat(count),
      logprobs: [],
    }),
    named("response.content_part.done", { sequence_number: number + 1, ...place, part: partOf(count) }),
    named("response.output_item.done", {
      sequence_number: number + 2,
      output_index: 0,
      item: messageOf(count),
    }),
    named("response.completed", { sequence_number: number + 3, response: responseOf(count) }),
    bodyEnd,
  ])
}

const responseEnds = new Map<number, Buffer>()

const responses: MockStream = {
  first: Buffer.concat([
    named("response.created", { sequence_number: 0, response: responseOf(undefined) }),
    named("response.in_progress", { sequence_number: 1, response: responseOf(undefined) }),
    named("response.output_item.added", {
      sequence_number: 2,
      output_index: 0,
      item: { id: item, type: "message", status: "in_progress", content: [], role: "assistant" },
    }),
    named("response.content_part.added", { sequence_number: 3, ...place, part: partOf(0) }),
  ]),
  token: responseToken,
  end: (count) => {
    const known = responseEnds.get(count) ?? responseEnd(count)
    responseEnds.set(count, known)
    return known
  },
}

/** The streams that are asked for at this path. */
export const streamAt = (path: string): MockStream =>
  path.endsWith("/messages") ? messages : path.endsWith("/responses") ? responses : chat
