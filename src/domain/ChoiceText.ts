/**
 * Where the text of a choice stands: a plain answer's `message`, a chunk's `delta`, or, in a legacy completion, the choice itself.
 * All three are read into pieces and written back the same way, so plain and streamed answers cannot drift apart.
 */
import type { Endpoint } from "./Endpoint.ts"
import { isJsonObject, type Json, type JsonObject } from "./Json.ts"
import type { Piece } from "./Piece.ts"
import type { ThinkingFormat } from "./Upstream.ts"

/** The object of a choice that holds its text, and the names it has there. */
export interface TextPlace {
  /** The member of a choice that holds the text, or `undefined` where the choice itself does. */
  readonly holder: "message" | "delta" | undefined
  readonly content: "content" | "text"
}

/** The place in the plain answers of an endpoint. */
export const placeInAnswer = (endpoint: Endpoint): TextPlace =>
  endpoint.name === "chat.completions"
    ? { holder: "message", content: "content" }
    : { holder: undefined, content: "text" }

/** The place in the chunks of an endpoint. */
export const placeInChunk = (endpoint: Endpoint): TextPlace =>
  endpoint.name === "chat.completions"
    ? { holder: "delta", content: "content" }
    : { holder: undefined, content: "text" }

/** The two names under which upstreams send reasoning. */
export const reasoningMembers = ["reasoning", "reasoning_content"] as const

/** The object that holds a choice's text; an empty one where the choice has none. */
export const holderOf = (choice: JsonObject, place: TextPlace): JsonObject => {
  if (place.holder === undefined) return choice
  const holder = choice[place.holder]
  return isJsonObject(holder) ? holder : {}
}

/** The choice with its text's holder replaced; the same choice where it is the same holder. */
export const withHolder = (choice: JsonObject, place: TextPlace, holder: JsonObject): JsonObject => {
  if (place.holder === undefined) return holder
  return choice[place.holder] === holder ? choice : { ...choice, [place.holder]: holder }
}

/** Whether the content is something other than text, such as a list of parts: then the holder is left alone. */
const isOpaque = (content: Json | undefined): boolean =>
  content !== undefined && content !== null && typeof content !== "string"

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "")

/** The reasoning of a holder under either name; some upstreams send it under both, which is one text and not two. */
export const reasoningOf = (holder: JsonObject): string =>
  textOf(holder["reasoning"]) || textOf(holder["reasoning_content"])

/** The content of a holder, "" where there is none. */
export const contentOf = (holder: JsonObject, place: TextPlace): string => textOf(holder[place.content])

/** The text of a holder, reasoning before content as a model produces it. */
export const readPieces = (holder: JsonObject, place: TextPlace): ReadonlyArray<Piece> => {
  if (isOpaque(holder[place.content])) return []
  const pieces: Array<Piece> = []
  const reasoning = reasoningOf(holder)
  if (reasoning !== "") pieces.push({ field: "reasoning", text: reasoning })
  const content = contentOf(holder, place)
  if (content !== "") pieces.push({ field: "content", text: content })
  return pieces
}

const joined = (pieces: ReadonlyArray<Piece>, field: Piece["field"]): string => {
  let text = ""
  for (const piece of pieces) if (piece.field === field) text += piece.text
  return text
}

/** Whether a format leaves the reasoning members of an upstream as they are. */
export const leavesReasoning = (format: ThinkingFormat): boolean =>
  format === "passthrough" || format === "strip"

/**
 * The holder with its text replaced by pieces: content in its member, reasoning in the one the format names. Formats that
 * do not convert leave the reasoning members alone, whatever the pieces say. The same holder where nothing changes.
 */
export const writePieces = (
  holder: JsonObject,
  place: TextPlace,
  format: ThinkingFormat,
  pieces: ReadonlyArray<Piece>,
): JsonObject => {
  const before = holder[place.content]
  if (isOpaque(before)) return holder
  const edited: Record<string, Json> = { ...holder }
  let changed = false

  const content = joined(pieces, "content")
  if (content !== textOf(before)) {
    edited[place.content] = content
    changed = true
  }
  if (!leavesReasoning(format)) {
    const reasoning = joined(pieces, "reasoning")
    for (const member of reasoningMembers) {
      const wanted = member === format && reasoning !== "" ? reasoning : undefined
      if (textOf(holder[member]) === (wanted ?? "") && (member === format || !(member in holder))) continue
      if (wanted === undefined) delete edited[member]
      else edited[member] = wanted
      changed = true
    }
  }
  return changed ? edited : holder
}

/** Why a choice ended; some upstreams say `""` on every chunk, which is not an end. */
export const finishReasonOf = (choice: JsonObject): string | undefined => {
  const reason = choice["finish_reason"]
  return typeof reason === "string" && reason !== "" ? reason : undefined
}

/** Whether a message or delta calls a tool, in today's way or the older one. */
export const callsTool = (holder: JsonObject): boolean => {
  const calls = holder["tool_calls"]
  return (Array.isArray(calls) && calls.length > 0) || isJsonObject(holder["function_call"])
}
