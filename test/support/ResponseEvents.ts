/** Responses as OpenAI's servers stream them: all events of one, from its items. */

type Members = Readonly<Record<string, unknown>>

export const message = (text: string, id = "msg_1"): Members => ({
  id,
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", annotations: [], logprobs: [], text }],
})

export const reasoning = (summary: string, id = "rs_1"): Members => ({
  id,
  type: "reasoning",
  summary: [{ type: "summary_text", text: summary }],
  encrypted_content: "gAAAA",
})

export const functionCall = (args: string, id = "fc_1"): Members => ({
  id,
  type: "function_call",
  status: "completed",
  call_id: "call_1",
  name: "look_up",
  arguments: args,
})

export const usage = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens: 4 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 6 },
  total_tokens: 30,
}

export const response = (output: ReadonlyArray<Members>, more: Members = {}): Members => ({
  id: "resp_abc",
  object: "response",
  created_at: 1_764_000_000,
  status: "completed",
  error: null,
  incomplete_details: null,
  instructions: null,
  model: "gpt-5.4-2026-03-05",
  output,
  parallel_tool_calls: true,
  previous_response_id: null,
  service_tier: "default",
  store: true,
  usage,
  ...more,
})

/** A text in pieces of so many characters. */
const pieces = (text: string, size: number): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))

type Draft = readonly [type: string, members: Members]

const ofParts = (
  item: Members,
  place: Members,
  member: "content" | "summary",
  size: number,
): ReadonlyArray<Draft> => {
  const parts = item[member]
  const isSummary = member === "summary"
  const [index, part, text] = isSummary
    ? ["summary_index", "reasoning_summary_part", "reasoning_summary_text"]
    : ["content_index", "content_part", "output_text"]
  const logprobs = isSummary ? {} : { logprobs: [] }
  return (Array.isArray(parts) ? parts : []).flatMap((one: Members, at): ReadonlyArray<Draft> => {
    const here = { ...place, [index]: at }
    const whole = String(one["text"])
    return [
      [`response.${part}.added`, { ...here, part: { ...one, text: "" } }],
      ...pieces(whole, size).map(
        (delta) => [`response.${text}.delta`, { ...here, delta, ...logprobs }] as const,
      ),
      [`response.${text}.done`, { ...here, text: whole, ...logprobs }],
      [`response.${part}.done`, { ...here, part: one }],
    ]
  })
}

const ofItem = (item: Members, at: number, size: number): ReadonlyArray<Draft> => {
  const place = { item_id: item["id"], output_index: at }
  const args = item["arguments"]
  const begun =
    item["type"] === "message"
      ? { ...item, status: "in_progress", content: [] }
      : item["type"] === "reasoning"
        ? { ...item, summary: [] }
        : { ...item, status: "in_progress", arguments: "" }
  return [
    ["response.output_item.added", { output_index: at, item: begun }],
    ...ofParts(item, place, item["type"] === "reasoning" ? "summary" : "content", size),
    ...(typeof args === "string"
      ? [
          ...pieces(args, size).map(
            (delta) => ["response.function_call_arguments.delta", { ...place, delta }] as const,
          ),
          ["response.function_call_arguments.done", { ...place, arguments: args }] as const,
        ]
      : []),
    ["response.output_item.done", { output_index: at, item }],
  ]
}

/** The events of a response, as values. */
export const eventsOf = (whole: Members, size = 4): ReadonlyArray<Members> => {
  const { output, status } = whole
  const begun = { ...whole, status: "in_progress", output: [], usage: null, incomplete_details: null }
  const drafts: ReadonlyArray<Draft> = [
    ["response.created", { response: begun }],
    ["response.in_progress", { response: begun }],
    ...(Array.isArray(output) ? output : []).flatMap((item: Members, at) => ofItem(item, at, size)),
    [`response.${String(status)}`, { response: whole }],
  ]
  return drafts.map(([type, members], at) => ({ type, sequence_number: at, ...members }))
}

/** Events as they are written. */
export const wireOf = (events: ReadonlyArray<Members>): string =>
  events.map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`).join("")
