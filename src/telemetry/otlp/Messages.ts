/** Prompts and answers as the GenAI conventions write them down: messages of parts, bounded, without the data of pictures and sound. */
import type { NeutralAnswer } from "../../dialects/Answer.ts"
import type { Conversation, Tool, Turn } from "../../dialects/Conversation.ts"
import type { Part, Source } from "../../dialects/Part.ts"
import type { Attributes } from "./SpanData.ts"

/** Of one text; what is behind is cut. */
const longestText = 8 * 1024

/** Of all messages together; the oldest ones give way. */
const longestMessages = 64 * 1024

interface Message {
  readonly role: string
  readonly parts: ReadonlyArray<Readonly<Record<string, unknown>>>
}

const clipped = (text: string): string =>
  text.length > longestText ? `${text.slice(0, longestText)}…` : text

/** Where a thing is, never the thing itself. */
const placed = (modality: string, source: Source): Readonly<Record<string, unknown>> => {
  switch (source.kind) {
    case "url":
      return { type: "uri", modality, uri: clipped(source.url) }
    case "file":
      return { type: "file", modality, file_id: clipped(source.id) }
    case "data":
      return { type: "blob", modality, mime_type: source.mediaType, content: "" }
  }
}

const partOf = (part: Part): Readonly<Record<string, unknown>> => {
  switch (part.kind) {
    case "text":
    case "refusal":
      return { type: "text", content: clipped(part.text) }
    case "reasoning":
      return { type: "reasoning", content: clipped(part.texts.join("\n")) }
    case "tool_call":
      return { type: "tool_call", id: part.id, name: part.name, arguments: clipped(part.input) }
    case "tool_result":
      return {
        type: "tool_call_response",
        id: part.id,
        response: clipped(
          part.parts.map((one) => (one.kind === "text" ? one.text : `[${one.kind}]`)).join("\n"),
        ),
      }
    case "image":
      return placed("image", part.source)
    case "file":
      return part.source.kind === "text"
        ? { type: "text", content: clipped(part.source.text) }
        : placed("document", part.source)
    case "audio":
      return { type: "blob", modality: "audio", mime_type: `audio/${part.format}`, content: "" }
    case "foreign":
      return { type: part.as }
  }
}

const messageOf = (turn: Turn): Message => {
  const parts = turn.parts.map(partOf)
  const isOfTools = turn.parts.every(({ kind }) => kind === "tool_result")
  if (turn.role === "instructions") return { role: turn.voice, parts }
  return { role: turn.role === "user" && isOfTools ? "tool" : turn.role, parts }
}

/** The newest that fit. */
const newest = (messages: ReadonlyArray<Message>): { readonly text: string; readonly isCut: boolean } => {
  const kept: Array<string> = []
  let length = 2
  for (const message of messages.toReversed()) {
    const text = JSON.stringify(message)
    length += text.length + 1
    if (length > longestMessages) break
    kept.unshift(text)
  }
  return { text: `[${kept.join(",")}]`, isCut: kept.length < messages.length }
}

const definitionOf = (tool: Tool): Readonly<Record<string, unknown>> =>
  tool.kind === "foreign"
    ? { type: tool.as }
    : {
        type: "function",
        name: tool.name,
        description: tool.description === undefined ? undefined : clipped(tool.description),
        parameters: tool.kind === "function" ? tool.schema : undefined,
      }

const bounded = (value: unknown): string | undefined => {
  const text = JSON.stringify(value)
  return text.length > longestMessages ? undefined : text
}

/** What was asked, in words. */
export const promptAttributes = ({ tools, turns }: Conversation): Attributes => {
  const firstSaid = turns.findIndex(({ role }) => role !== "instructions")
  const end = firstSaid === -1 ? turns.length : firstSaid
  const instructions = turns.slice(0, end).flatMap((turn) => turn.parts.map(partOf))
  const { isCut, text } = newest(turns.slice(end).map(messageOf))
  return {
    "gen_ai.system_instructions": instructions.length === 0 ? undefined : bounded(instructions),
    "gen_ai.input.messages": text,
    "gen_ai.tool.definitions": tools.length === 0 ? undefined : bounded(tools.map(definitionOf)),
    "sluice.content.cut": isCut ? true : undefined,
  }
}

/** What was answered, in words. */
export const answerAttributes = ({ finish, parts }: NeutralAnswer): Attributes => {
  const message = {
    role: "assistant",
    parts: parts.map(partOf),
    finish_reason: finish.kind === "stop_word" ? "stop" : finish.kind,
  }
  return { "gen_ai.output.messages": bounded([message]) }
}

/** How the answer was to be. */
export const settingAttributes = ({ settings }: Conversation): Attributes => ({
  "gen_ai.request.max_tokens": settings.maxTokens?.value,
  "gen_ai.request.temperature": settings.temperature?.value,
  "gen_ai.request.top_p": settings.topP?.value,
  "gen_ai.request.top_k": settings.topK?.value,
  "gen_ai.request.stop_sequences": settings.stop?.value.map(clipped).slice(0, 16),
  "gen_ai.request.seed": settings.seed?.value,
  "gen_ai.request.presence_penalty": settings.presencePenalty?.value,
  "gen_ai.request.frequency_penalty": settings.frequencyPenalty?.value,
  "gen_ai.request.reasoning.level": settings.reasoning?.value.effort,
  "gen_ai.output.type": settings.format === undefined ? undefined : "json",
})
