/**
 * Where the text of a choice stands: a plain answer's `message`, a chunk's `delta`, or, in a legacy completion, the choice itself.
 * All three are read into pieces and written back the same way, so plain and streamed answers cannot drift apart.
 */
import type { ThinkingFormat } from "../routing/Upstream.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { PartsWriter, textOfPart, thoughtsOfPart } from "./ContentParts.ts"
import type { Piece } from "./Piece.ts"

/** The object of a choice that holds its text, and the names it has there. */
export interface TextPlace {
  /** The member of a choice that holds the text, or `undefined` where the choice itself does. */
  readonly holder: "message" | "delta" | undefined
  readonly content: "content" | "text"
}

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

/** Whether the content is neither text nor a list of parts: then the holder is left alone. */
const isOpaque = (content: Json | undefined): boolean =>
  content !== undefined && content !== null && typeof content !== "string" && !isJsonArray(content)

/** Whether a content member is there, empty or not. */
export const hasContent = (holder: JsonObject, place: TextPlace): boolean => {
  const content = holder[place.content]
  return typeof content === "string" || isJsonArray(content)
}

/** Whether the content says something: a text, or parts. */
export const saysContent = (holder: JsonObject, place: TextPlace): boolean => {
  const content = holder[place.content]
  return isJsonArray(content) ? content.length > 0 : textOf(content) !== ""
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "")

/** The reasoning of a holder under either name; some upstreams send it under both, which is one text and not two. */
export const reasoningOf = (holder: JsonObject): string =>
  textOf(holder["reasoning"]) || textOf(holder["reasoning_content"])

/** What a choice's machine makes of pieces. */
export interface PieceTaker {
  readonly take: (piece: Piece) => ReadonlyArray<Piece>
  /** What is still held back, where the choice ends here; else nothing. */
  readonly rest: () => ReadonlyArray<Piece>
}

/** The holder after its text has gone through the machine, reasoning before content as a model produces it; the same one where nothing changes. */
export const transformHolder = (
  holder: JsonObject,
  place: TextPlace,
  format: ThinkingFormat,
  taker: PieceTaker,
): JsonObject => {
  const content = holder[place.content]
  if (isJsonArray(content)) return transformParts(holder, place, format, content, taker)
  const taken: Array<Piece> = []
  for (const piece of readPieces(holder, place)) for (const output of taker.take(piece)) taken.push(output)
  for (const output of taker.rest()) taken.push(output)
  return writePieces(holder, place, format, taken)
}

/**
 * The same where the content is a list of parts. A format that does something about thinking takes the thinking parts out, and what is text alone
 * then is one text: who asked for the usual members gets them in the usual form.
 */
const transformParts = (
  holder: JsonObject,
  place: TextPlace,
  format: ThinkingFormat,
  parts: ReadonlyArray<Json>,
  taker: PieceTaker,
): JsonObject => {
  const writer = new PartsWriter()
  const reasoning = reasoningOf(holder)
  if (reasoning !== "") writer.add(taker.take({ field: "reasoning", text: reasoning }))
  for (const part of parts) {
    const thoughts = format === "passthrough" ? undefined : thoughtsOfPart(part)
    const text = textOfPart(part)
    if (thoughts !== undefined) writer.add(taker.take({ field: "reasoning", text: thoughts }))
    else if (text !== undefined && isJsonObject(part)) {
      writer.replace(part, taker.take({ field: "content", text }))
    } else writer.keep(part)
  }
  writer.add(taker.rest())
  const content = format === "passthrough" ? writer.parts : writer.content
  const isSame =
    isJsonArray(content) && content.length === parts.length && content.every((part, at) => part === parts[at])
  const written = isSame || parts.length === 0 ? holder : { ...holder, [place.content]: content }
  return leavesReasoning(format) ? written : withReasoning(written, format, writer.reasoning)
}

/** The text of a holder whose content is no list. */
const readPieces = (holder: JsonObject, place: TextPlace): ReadonlyArray<Piece> => {
  if (isOpaque(holder[place.content])) return []
  const pieces: Array<Piece> = []
  const reasoning = reasoningOf(holder)
  if (reasoning !== "") pieces.push({ field: "reasoning", text: reasoning })
  const content = textOf(holder[place.content])
  if (content !== "") pieces.push({ field: "content", text: content })
  return pieces
}

const joined = (pieces: ReadonlyArray<Piece>, field: Piece["field"]): string => {
  let text = ""
  for (const piece of pieces) if (piece.field === field) text += piece.text
  return text
}

/** Whether a format leaves the reasoning members of an upstream as they are. */
const leavesReasoning = (format: ThinkingFormat): boolean => format === "passthrough" || format === "strip"

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
  const content = joined(pieces, "content")
  const written = content === textOf(before) ? holder : { ...holder, [place.content]: content }
  return leavesReasoning(format) ? written : withReasoning(written, format, joined(pieces, "reasoning"))
}

/** The holder with this reasoning in the member of the format, and in no other; the same one where nothing changes. */
const withReasoning = (holder: JsonObject, format: ThinkingFormat, reasoning: string): JsonObject => {
  const edited: Record<string, Json> = { ...holder }
  let changed = false
  for (const member of reasoningMembers) {
    const wanted = member === format && reasoning !== "" ? reasoning : undefined
    if (textOf(holder[member]) === (wanted ?? "") && (member === format || !(member in holder))) continue
    if (wanted === undefined) delete edited[member]
    else edited[member] = wanted
    changed = true
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
