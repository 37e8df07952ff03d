/**
 * A plain message given out as the events of a stream, for a client that asked for one. Put together of the message's own text, so that no number loses a
 * digit and no depth of nesting matters.
 */
import { isJsonObject } from "../../wire/Json.ts"
import { answerLimits, outlineOf } from "../../wire/JsonOutline.ts"
import { elementTexts, memberTexts, objectText, onOneLine, replaceMembers } from "../../wire/JsonText.ts"

type Texts = ReadonlyArray<readonly [name: string, text: string]>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const eventText = (type: string, members: Texts): string =>
  objectText([["type", JSON.stringify(type)], ...members])

/** The members of blocks that come as deltas: how each is called there, and what the block has of it when it begins. */
const deltas: ReadonlyMap<string, { readonly type: string; readonly name: string; readonly empty: string }> =
  new Map([
    ["text", { type: "text_delta", name: "text", empty: '""' }],
    ["thinking", { type: "thinking_delta", name: "thinking", empty: '""' }],
    ["signature", { type: "signature_delta", name: "signature", empty: '""' }],
    ["citations", { type: "citations_delta", name: "citation", empty: "[]" }],
    ["input", { type: "input_json_delta", name: "partial_json", empty: "{}" }],
  ])

/** The types of blocks of which something comes as deltas; all others are whole when they begin. */
const coming: ReadonlySet<string> = new Set(
  ["text", "thinking", "tool_use", "server_tool_use", "mcp_tool_use"].map((type) => JSON.stringify(type)),
)

/** What of a member comes in deltas. */
const piecesOf = (name: string, text: string): ReadonlyArray<string> => {
  if (name === "citations") return text.startsWith("[") ? elementTexts(text) : []
  if (name === "input") return text.startsWith("{") ? [JSON.stringify(text)] : []
  return text.startsWith('"') ? [text] : []
}

/** Texts before what is said of them, and the signature of a thought last, as a model's own stream has them. */
const inOrder = ["text", "thinking", "input", "citations", "signature"]

/** The events of one block. */
const blockEvents = (index: number, text: string): ReadonlyArray<string> => {
  const at: Texts = [["index", String(index)]]
  const members = memberTexts(text)
  const names = coming.has(members.get("type") ?? "") ? inOrder : []
  const empties: Array<readonly [string, string]> = []
  const events: Array<string> = []
  for (const name of names) {
    const delta = deltas.get(name)
    const value = members.get(name)
    const pieces = delta === undefined || value === undefined ? [] : piecesOf(name, value)
    if (delta === undefined || pieces.length === 0) continue
    empties.push([name, delta.empty])
    for (const piece of pieces) {
      const body = objectText([
        ["type", JSON.stringify(delta.type)],
        [delta.name, piece],
      ])
      events.push(eventText("content_block_delta", [...at, ["delta", body]]))
    }
  }
  const start = empties.length === 0 ? text : replaceMembers(text, empties)
  return [
    eventText("content_block_start", [...at, ["content_block", start]]),
    ...events,
    eventText("content_block_stop", at),
  ]
}

const noUsage = '{"input_tokens":0,"output_tokens":0}'
const noOutput = '{"output_tokens":0}'

/**
 * The data of the events that make this message; `undefined` where it is none, or they take more bytes than they may.
 *
 * Law: put together again, they are the message.
 */
export const messageInEvents = (
  bytes: Uint8Array,
  limitBytes: number,
): ReadonlyArray<Uint8Array> | undefined => {
  const message = outlineOf(bytes, answerLimits)
  if (message === undefined || !Array.isArray(message["content"])) return undefined
  const text = onOneLine(decoder.decode(bytes))
  const members = memberTexts(text)
  const blocks = elementTexts(members.get("content") ?? "[]").filter((block) => block.startsWith("{"))
  // SDKs read the counts of the first event and of the last without looking whether they are there.
  const usage = isJsonObject(message["usage"]) ? members.get("usage") : undefined
  const start = replaceMembers(text, [
    ["content", "[]"],
    ["stop_reason", "null"],
    ["stop_sequence", "null"],
    // Nothing is said yet: several clients add up what both events count.
    ["usage", usage === undefined ? noUsage : replaceMembers(usage, [["output_tokens", "0"]])],
  ])
  const ending = objectText([
    ["stop_reason", members.get("stop_reason") ?? "null"],
    ["stop_sequence", members.get("stop_sequence") ?? "null"],
  ])
  const events = [
    eventText("message_start", [["message", start]]),
    ...blocks.flatMap((block, index) => blockEvents(index, block)),
    eventText("message_delta", [
      ["delta", ending],
      ["usage", usage ?? noOutput],
    ]),
    eventText("message_stop", []),
  ].map((event) => encoder.encode(event))
  return events.reduce((sum, { length }) => sum + length, 0) > limitBytes ? undefined : events
}
