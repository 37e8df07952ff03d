/**
 * A plain response given out as the events of a stream, for a client that asked for one. Put together of the response's own text, so that no number loses
 * a digit.
 */
import type { JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import {
  elementTexts,
  memberText,
  memberTexts,
  objectText,
  onOneLine,
  replaceMembers,
} from "../../wire/JsonText.ts"
import { itemsOf } from "./PlainResponse.ts"

type Texts = ReadonlyArray<readonly [name: string, text: string]>

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Events by their types, without the numbers that they have in their order. */
type Draft = readonly [type: string, members: Texts]

const emptied = (member: string, members: ReadonlyMap<string, string>): Texts => [
  ...(members.has("status") ? [["status", '"in_progress"'] as const] : []),
  [member, member === "arguments" || member === "input" ? '""' : "[]"],
]

/** The events of one part of a message: its beginning, its text in one delta, and its end. */
const ofPart = (part: string, place: Texts): ReadonlyArray<Draft> => {
  const type = memberText(part, "type")
  const isRefusal = type === '"refusal"'
  const member = isRefusal ? "refusal" : "text"
  const text = memberText(part, member)
  if (text === undefined || (!isRefusal && type !== '"output_text"')) {
    return [
      ["response.content_part.added", [...place, ["part", part]]],
      ["response.content_part.done", [...place, ["part", part]]],
    ]
  }
  const kind = isRefusal ? "response.refusal" : "response.output_text"
  const logprobs: Texts = isRefusal ? [] : [["logprobs", memberText(part, "logprobs") ?? "[]"]]
  const begun = replaceMembers(part, [[member, '""']])
  return [
    ["response.content_part.added", [...place, ["part", begun]]],
    [`${kind}.delta`, [...place, ["delta", text], ...logprobs]],
    [`${kind}.done`, [...place, [member, text], ...logprobs]],
    ["response.content_part.done", [...place, ["part", part]]],
  ]
}

const ofSummary = (part: string, place: Texts): ReadonlyArray<Draft> => {
  const text = memberText(part, "text") ?? '""'
  return [
    ["response.reasoning_summary_part.added", [...place, ["part", replaceMembers(part, [["text", '""']])]]],
    ["response.reasoning_summary_text.delta", [...place, ["delta", text]]],
    ["response.reasoning_summary_text.done", [...place, ["text", text]]],
    ["response.reasoning_summary_part.done", [...place, ["part", part]]],
  ]
}

/** What is said of an item beside its beginning and its end, and the member that is empty until then. */
const filling = (
  { type }: JsonObject,
  members: ReadonlyMap<string, string>,
  place: Texts,
): readonly [member: string | undefined, events: ReadonlyArray<Draft>] => {
  const parts = (member: string, index: string, of: typeof ofPart): ReadonlyArray<Draft> =>
    elementTexts(members.get(member) ?? "[]").flatMap((part, at) =>
      part.startsWith("{") ? of(part, [...place, [index, String(at)]]) : [],
    )
  const argued = (member: string, kind: string): ReadonlyArray<Draft> => {
    const text = members.get(member) ?? '""'
    return [
      [`${kind}.delta`, [...place, ["delta", text]]],
      [`${kind}.done`, [...place, [member, text]]],
    ]
  }
  switch (type) {
    case "message":
      return ["content", parts("content", "content_index", ofPart)]
    case "reasoning":
      return ["summary", parts("summary", "summary_index", ofSummary)]
    case "function_call":
      return ["arguments", argued("arguments", "response.function_call_arguments")]
    case "custom_tool_call":
      return ["input", argued("input", "response.custom_tool_call_input")]
    default:
      return [undefined, []]
  }
}

const ofItem = (item: JsonObject, text: string, at: number): ReadonlyArray<Draft> => {
  const members = memberTexts(text)
  const index: Texts = [["output_index", String(at)]]
  const place: Texts = [["item_id", members.get("id") ?? '""'], ...index]
  const [member, events] = filling(item, members, place)
  const begun = member === undefined ? text : replaceMembers(text, emptied(member, members))
  return [
    ["response.output_item.added", [...index, ["item", begun]]],
    ...events,
    ["response.output_item.done", [...index, ["item", text]]],
  ]
}

/** The data of the events that give a response out; `undefined` where it is none, or they take more bytes than they may. */
export const responseInEvents = (
  bytes: Uint8Array,
  limitBytes: number,
): ReadonlyArray<Uint8Array> | undefined => {
  const response = parseObject(bytes)
  if (response === undefined) return undefined
  const whole = onOneLine(decoder.decode(bytes))
  const texts = elementTexts(memberText(whole, "output") ?? "[]").filter((text) => text.startsWith("{"))
  const begun = replaceMembers(whole, [
    ["status", '"in_progress"'],
    ["output", "[]"],
    ["usage", "null"],
    ["incomplete_details", "null"],
    ["completed_at", undefined],
  ])
  const drafts: ReadonlyArray<Draft> = [
    ["response.created", [["response", begun]]],
    ["response.in_progress", [["response", begun]]],
    ...itemsOf(response).flatMap((item, at) => ofItem(item, texts[at] ?? "{}", at)),
    [
      response["status"] === "incomplete" ? "response.incomplete" : "response.completed",
      [["response", whole]],
    ],
  ]
  let left = limitBytes
  const datas: Array<Uint8Array> = []
  for (const [sequence, [type, members]] of drafts.entries()) {
    const numbered: Texts = [
      ["type", JSON.stringify(type)],
      ["sequence_number", String(sequence)],
      ...members,
    ]
    const data = encoder.encode(objectText(numbered))
    left -= data.length
    if (left < 0) return undefined
    datas.push(data)
  }
  return datas
}
