/**
 * What the gateway reads of chat messages, and the three cleanings of a conversation: blocks of thinking are removed from
 * earlier assistant turns, messages with nothing in them are left out, consecutive user messages become one. They run in this
 * order because each makes room for the next: a turn of nothing but thinking is empty without it, and user messages on both
 * sides of an empty one are consecutive without it.
 *
 * Decisions where nothing else decides:
 * - White space is something: only absent, `null`, `""`, `[]` and parts of empty text are nothing.
 * - Thinking is what the format `strip` would have removed from the text as an answer, by the same grammar (answer/ThinkTag.ts): white
 *   space around a block that opened the turn goes with it, and such a block that never closes, as in a turn that was cut off, is thinking to its end.
 * - Earlier turns are those before the last user message that says something. What follows it is one turn that still goes on, tool calls and
 *   their results included: its thinking stays, as does that of an assistant message the model is to go on from.
 * - User messages whose other members (`name`, …) differ are not merged: one message could not say both. An object or
 *   array as other member counts as different.
 */
import { withoutThinking } from "../../answer/Thinking.ts"
import type { RequestCleaning } from "../../routing/Upstream.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { elementTexts, memberText, replaceMembers } from "../../wire/JsonText.ts"

/** Messages after cleaning. */
export interface CleanMessages {
  /** The very array that came in where nothing had to change; unchanged messages and parts are the very objects. */
  readonly messages: ReadonlyArray<JsonObject>
  /** What each changed message or part was made from, so that the rest of it can be written as it came. */
  readonly sources: ReadonlyMap<JsonObject, JsonObject>
}

type Sources = Map<JsonObject, JsonObject>

/** The names of the tags thinking stands between. */
type Tags = ReadonlyArray<string>

const change = (source: JsonObject, changed: JsonObject, sources: Sources): JsonObject => {
  const result = { ...source, ...changed }
  sources.set(result, source)
  return result
}

const isNothing = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === "" || (isJsonArray(value) && value.length === 0)

// ---- Reading

/** The text of a content: a string, or its text parts one a line; `""` where there is none. */
export const textOf = (content: Json | undefined): string => {
  if (typeof content === "string") return content
  if (!isJsonArray(content)) return ""
  return content
    .flatMap((part) => (isJsonObject(part) && typeof part["text"] === "string" ? [part["text"]] : []))
    .join("\n")
}

const textualParts: ReadonlySet<Json | undefined> = new Set(["text", "refusal", undefined])

/** Whether a content holds a part that is not text: an image, audio, a file. */
export const isMultimodal = (content: Json | undefined): boolean =>
  isJsonArray(content) && content.some((part) => isJsonObject(part) && !textualParts.has(part["type"]))

// ---- Thinking in earlier turns

const partWithoutThinking = (part: Json, tags: Tags, sources: Sources): Json => {
  if (!isJsonObject(part) || part["type"] !== "text" || typeof part["text"] !== "string") return part
  const text = withoutThinking(part["text"], tags)
  return text === part["text"] ? part : change(part, { text }, sources)
}

/** Parts emptied by the removal are left out, unless nothing else is left to stand for the content. */
const partsWithoutThinking = (
  parts: ReadonlyArray<Json>,
  tags: Tags,
  sources: Sources,
): ReadonlyArray<Json> => {
  const stripped = parts.map((part) => partWithoutThinking(part, tags, sources))
  if (stripped.every((part, index) => part === parts[index])) return parts
  const filled = stripped.filter((part, index) => part === parts[index] || !isEmptyPart(part))
  return filled.length === 0 ? stripped : filled
}

const turnWithoutThinking = (message: JsonObject, tags: Tags, sources: Sources): JsonObject => {
  const before = message["content"]
  if (message["role"] !== "assistant") return message
  if (typeof before === "string") {
    const content = withoutThinking(before, tags)
    return content === before ? message : change(message, { content }, sources)
  }
  if (!isJsonArray(before)) return message
  const content = partsWithoutThinking(before, tags, sources)
  return content === before ? message : change(message, { content }, sources)
}

const stripHistory = (
  messages: ReadonlyArray<JsonObject>,
  tags: Tags,
  sources: Sources,
): ReadonlyArray<JsonObject> => {
  const lastQuestion = messages.findLastIndex((message) => message["role"] === "user" && !isEmpty(message))
  const stripped = messages.map((message, index) =>
    index < lastQuestion ? turnWithoutThinking(message, tags, sources) : message,
  )
  return stripped.every((message, index) => message === messages[index]) ? messages : stripped
}

// ---- Empty messages

const answersOfTools: ReadonlySet<Json | undefined> = new Set(["tool", "function"])

/** Members that are something to say beside the content. */
const carriers = [
  "tool_calls",
  "function_call",
  "reasoning",
  "reasoning_content",
  "reasoning_details",
  "refusal",
  "audio",
]

const isEmptyPart = (part: Json): boolean =>
  isJsonObject(part) && part["type"] === "text" && part["text"] === ""

const isEmptyContent = (content: Json | undefined): boolean =>
  isNothing(content) || (isJsonArray(content) && content.every(isEmptyPart))

const isEmpty = (message: JsonObject): boolean =>
  isEmptyContent(message["content"]) &&
  !answersOfTools.has(message["role"]) &&
  carriers.every((name) => isNothing(message[name]))

const dropEmpty = (messages: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> =>
  messages.some(isEmpty) ? messages.filter((message) => !isEmpty(message)) : messages

// ---- Consecutive user messages

const isMergeable = (message: JsonObject): boolean => {
  const content = message["content"]
  return (
    message["role"] === "user" && (typeof content === "string" || isNothing(content) || isJsonArray(content))
  )
}

const othersOf = (message: JsonObject): ReadonlyArray<string> =>
  Object.keys(message).filter((name) => name !== "content")

/** Two objects are never the same here, and a depth of theirs costs nothing. */
const saysTheSameBeside = (first: JsonObject, next: JsonObject): boolean => {
  const others = othersOf(first)
  return (
    others.length === othersOf(next).length &&
    others.every((name) => Object.hasOwn(next, name) && first[name] === next[name])
  )
}

const partsOf = (content: Json | undefined): ReadonlyArray<Json> => {
  if (typeof content === "string") return [{ type: "text", text: content }]
  return isJsonArray(content) ? content : []
}

/** All contents in order: strings joined by a blank line, or one list of parts where any is a list. */
const joinContents = (contents: ReadonlyArray<Json | undefined>): Json => {
  if (contents.some(isJsonArray)) return contents.flatMap(partsOf)
  const strings = contents.filter((content) => typeof content === "string")
  return strings.length === 0 ? null : strings.join("\n\n")
}

const mergeUsers = (messages: ReadonlyArray<JsonObject>, sources: Sources): ReadonlyArray<JsonObject> => {
  const merged: Array<JsonObject> = []
  for (let start = 0, end = 0; start < messages.length; start = end) {
    const first = messages[start]
    if (first === undefined) break
    end = start + 1
    if (isMergeable(first)) {
      for (let next = messages[end]; next !== undefined; next = messages[end]) {
        if (!isMergeable(next) || !saysTheSameBeside(first, next)) break
        end++
      }
    }
    if (end === start + 1) {
      merged.push(first)
    } else {
      const content = joinContents(messages.slice(start, end).map((message) => message["content"]))
      merged.push(change(first, { content }, sources))
    }
  }
  return merged.length === messages.length ? messages : merged
}

// ---- All of it

/** Cleans a conversation. Tool messages are never touched. May leave nothing. */
export const cleanMessages = (
  messages: ReadonlyArray<JsonObject>,
  cleaning: RequestCleaning,
): CleanMessages => {
  const sources: Sources = new Map()
  const stripped =
    cleaning.stripHistoryThink.length === 0
      ? messages
      : stripHistory(messages, cleaning.stripHistoryThink, sources)
  const filled = cleaning.dropEmptyMessages ? dropEmpty(stripped) : stripped
  return { messages: cleaning.mergeUserMessages ? mergeUsers(filled, sources) : filled, sources }
}

/**
 * Writes cleaned messages as JSON text. `text` is the array's text before the cleaning and `before` what it parsed to: messages,
 * parts and other members that were not changed are written as they came, so only strings are printed anew.
 */
export const printMessages = (
  text: string,
  before: ReadonlyArray<JsonObject>,
  cleaned: CleanMessages,
): string => {
  const texts = new Map<Json, string>()
  const messageTexts = elementTexts(text)
  before.forEach((message, index) => {
    const messageText = messageTexts[index]
    if (messageText === undefined) return
    texts.set(message, messageText)
    const content = message["content"]
    if (!isJsonArray(content)) return
    const partTexts = elementTexts(memberText(messageText, "content") ?? "[]")
    content.forEach((part, place) => {
      const partText = partTexts[place]
      if (partText !== undefined && (isJsonObject(part) || isJsonArray(part))) texts.set(part, partText)
    })
  })

  const print = (value: Json): string => {
    const asItCame = texts.get(value)
    if (asItCame !== undefined) return asItCame
    if (isJsonArray(value)) return `[${value.map(print).join(",")}]`
    if (!isJsonObject(value)) return JSON.stringify(value)
    const source = cleaned.sources.get(value)
    if (source === undefined) return JSON.stringify(value)
    const changes = Object.entries(value)
      .filter(([name, member]) => source[name] !== member)
      .map(([name, member]) => [name, print(member)] as const)
    return replaceMembers(print(source), changes)
  }
  return print(cleaned.messages)
}
