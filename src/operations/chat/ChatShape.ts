/** How the answers of chats are shaped: a choice is a message, told in deltas. */
import type { AnswerShape } from "../../answer/AnswerShape.ts"
import { joinMembers, objectOf } from "../../answer/transcript/Transcript.ts"
import { isJsonObject, type JsonObject } from "../../wire/Json.ts"
import { elementTexts, memberTexts, objectText, replaceMembers } from "../../wire/JsonText.ts"

/** The texts of an object's values by their names. */
type Members = ReadonlyMap<string, string>

type Texts = ReadonlyArray<readonly [name: string, text: string]>

const isBlank = (text: string): boolean => text === "null" || text === '""' || /^\[\s*\]$/.test(text)

const isString = (text: string): boolean => text.startsWith('"')

const isObject = (text: string): boolean => text.startsWith("{")

/** Tool calls of a message as those of a delta: there each says which one it is. */
const numberedCalls = (text: string): string =>
  text.startsWith("[")
    ? `[${elementTexts(text)
        .map((call, at) => (isObject(call) ? replaceMembers(call, [["index", String(at)]]) : call))
        .join(",")}]`
    : text

const callMembers = ["tool_calls", "function_call"]

/**
 * The deltas of a message: its role and what says nothing, then reasoning and all else, then its text, then its calls. Apart, since some clients
 * look for one of them in a delta and pass over the others.
 */
const deltasOf = (message: Members): ReadonlyArray<Texts> => {
  const content = message.get("content")
  const text = content !== undefined && isString(content) ? content : undefined
  const first: Array<readonly [string, string]> = [["role", message.get("role") ?? '"assistant"']]
  if (text !== undefined) first.push(["content", '""'])
  const others: Array<readonly [string, string]> = []
  const calls: Array<readonly [string, string]> = []
  for (const [name, value] of message) {
    if (name === "role" || (name === "content" && text !== undefined)) continue
    if (isBlank(value)) first.push([name, value])
    else if (callMembers.includes(name)) calls.push([name, numberedCalls(value)])
    else others.push([name, value])
  }
  const said: Texts = text === undefined || isBlank(text) ? [] : [["content", text]]
  return [first, ...[others, said, calls].filter((members) => members.length > 0)]
}

const saysText = (delta: Texts): boolean => delta.some(([name]) => name === "content")

/** What a choice says, then its end and all that is said of it. */
const choicesOfDeltas = (index: string, deltas: ReadonlyArray<Texts>, rest: Texts): ReadonlyArray<string> => {
  const logprobs = rest.filter(([name]) => name === "logprobs")
  // They belong to the text, where there is any.
  const withText = deltas.findIndex((delta, at) => at > 0 && saysText(delta))
  const last = rest.filter(([name]) => name !== "finish_reason" && (withText === -1 || name !== "logprobs"))
  const finish = rest.filter(([name]) => name === "finish_reason")
  return [
    ...deltas.map((delta, at) =>
      objectText([
        ["index", index],
        ["delta", objectText(delta)],
        ...(at === withText ? logprobs : []),
        ["finish_reason", "null"],
      ]),
    ),
    objectText([["index", index], ["delta", "{}"], ...last, ...finish]),
  ]
}

const cutChoice: AnswerShape["cutChoice"] = (index, members) => {
  const message = members.get("message")
  if (message === undefined || !isObject(message)) return undefined
  const rest = [...members].filter(([name]) => name !== "index" && name !== "message")
  return choicesOfDeltas(index, deltasOf(memberTexts(message)), rest)
}

const saidApart: ReadonlySet<string> = new Set(["delta", "message"])

/** The deltas of a choice; of one that has none the message as it stood last, since some send a whole answer as an event. */
const deltasIn = (chunks: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const deltas = chunks.map((chunk) => chunk["delta"] ?? null).filter(isJsonObject)
  if (deltas.length > 0) return deltas
  return chunks
    .map((chunk) => chunk["message"] ?? null)
    .filter(isJsonObject)
    .slice(-1)
}

const joinChoice: AnswerShape["joinChoice"] = (chunks) => {
  const message = joinMembers(deltasIn(chunks))
  const whole = objectOf([["role", "assistant"], ["content", null], ...Object.entries(message)])
  return objectOf([...Object.entries(joinMembers(chunks, saidApart)), ["message", whole]])
}

export const chatShape: AnswerShape = {
  inAnswer: { holder: "message", content: "content" },
  inChunk: { holder: "delta", content: "content" },
  isTurn: true,
  answerObject: "chat.completion",
  chunkObject: "chat.completion.chunk",
  cutChoice,
  joinChoice,
}
