/**
 * A streamed answer reassembled into the shape of a plain one, from the data of its events. Meant to run after the stream, when
 * nobody waits: while it runs, its data only has to be kept.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson, parseObject, surelyPrintableBytes } from "../../wire/JsonBytes.ts"
import { unpack } from "../../wire/PackedData.ts"
import type { AnswerShape } from "../AnswerShape.ts"
import { isBareText, isBareThought, textOfPart, thoughtsOfPart } from "../ContentParts.ts"
import {
  type ChunkPattern,
  mostIdlePatterns,
  paddingMember,
  patternOf,
  textMembers,
  toldIn,
} from "./ChunkPattern.ts"

/** Members that say the same in every chunk, or only in the first. */
const constantMembers: ReadonlySet<string> = new Set(["id", "created", "role"])

/** Deeper objects are not joined: the last one counts. */
const maxDepth = 16

/** Whether what is assembled of a chunk can be written down: a hostile one may be nested too deep. */
const isPrintable = (data: Uint8Array, chunk: JsonObject): boolean =>
  data.length <= surelyPrintableBytes || encodeJson(chunk) !== undefined

/** Every value a member had, in order; left out are those of some names. */
const valuesByMember = (
  objects: ReadonlyArray<JsonObject>,
  leftOut?: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlyArray<Json>> => {
  const values = new Map<string, Array<Json>>()
  for (const object of objects) {
    // Out of `JSON.parse`, so that it has no members but its own.
    for (const member in object) {
      const value = object[member]
      if (value === undefined || leftOut?.has(member) === true) continue
      const known = values.get(member)
      if (known === undefined) values.set(member, [value])
      else known.push(value)
    }
  }
  return values
}

const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)

const isString = (value: Json): value is string => typeof value === "string"

const isSaid = (value: Json): boolean => value !== null && value !== ""

/** Content that came as lists of parts, or as both lists and strings: texts that follow each other are one part, and so are thoughts. */
const joinParts = (values: ReadonlyArray<string | ReadonlyArray<Json>>): Json => {
  const parts: Array<Json> = []
  let texts: Array<string> = []
  let thoughts: Array<string> = []
  const endText = (): void => {
    if (texts.length > 0) parts.push({ type: "text", text: texts.join("") })
    texts = []
  }
  const endThoughts = (): void => {
    if (thoughts.length > 0) {
      parts.push({ type: "thinking", thinking: [{ type: "text", text: thoughts.join("") }] })
    }
    thoughts = []
  }
  for (const part of values.flatMap(
    (value): ReadonlyArray<Json> => (typeof value === "string" ? [{ type: "text", text: value }] : value),
  )) {
    const text = isBareText(part) ? textOfPart(part) : undefined
    if (text === "") continue
    const thought = isBareThought(part) ? thoughtsOfPart(part) : undefined
    if (text === undefined) endText()
    if (thought === undefined) endThoughts()
    if (text !== undefined) texts.push(text)
    else if (thought !== undefined) thoughts.push(thought)
    else parts.push(part)
  }
  endText()
  endThoughts()
  return parts
}

const isPiece = (value: Json): value is string | ReadonlyArray<Json> => isString(value) || isList(value)

/** What the values of one member in successive deltas come to. */
const joinValues = (member: string, values: ReadonlyArray<Json>, depth: number): Json => {
  const said = values.filter((value) => value !== null)
  const last = said.at(-1)
  if (last === undefined) return null
  if (constantMembers.has(member)) return said.find(isSaid) ?? last
  if (textMembers.has(member)) {
    const pieces = said.filter(isPiece)
    if (!pieces.every(isString)) return joinParts(pieces)
    if (pieces.length > 0) return pieces.join("")
  }
  if (said.every(isList)) {
    return member === "tool_calls" ? joinCalls(said.flat().filter(isJsonObject), depth) : said.flat()
  }
  if (depth < maxDepth && said.every(isJsonObject)) return joinObjects(said, depth + 1)
  return said.findLast(isSaid) ?? last
}

/** Put together member by member: of a copy that is added to V8 makes a hidden class for each object (docs/performance.md). */
export const objectOf = (
  members: ReadonlyArray<readonly [name: string, value: Json | undefined]>,
): JsonObject =>
  Object.fromEntries(
    members.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  )

const joinObjects = (
  objects: ReadonlyArray<JsonObject>,
  depth: number,
  leftOut?: ReadonlySet<string>,
): JsonObject =>
  Object.fromEntries(
    [...valuesByMember(objects, leftOut)].map(([member, values]) => [
      member,
      joinValues(member, values, depth),
    ]),
  )

/** The object that others make which tell it one after the other: the deltas of a message, the choices of chunks. */
export const joinMembers = (objects: ReadonlyArray<JsonObject>, leftOut?: ReadonlySet<string>): JsonObject =>
  joinObjects(objects, 1, leftOut)

interface Call {
  readonly index: Json | undefined
  readonly id: Json | undefined
  readonly deltas: Array<JsonObject>
}

/**
 * Tool calls from their deltas: one call for each `index`. Upstreams that leave the index out, or say 0 of every call, are told
 * apart by the calls' ids.
 */
const joinCalls = (deltas: ReadonlyArray<JsonObject>, depth: number): Json => {
  const calls: Array<Call> = []
  for (const delta of deltas) {
    const { index, ...rest } = delta
    const id = rest["id"] === null || rest["id"] === "" ? undefined : rest["id"]
    const latest = index === undefined ? calls.at(-1) : calls.findLast((call) => call.index === index)
    if (latest === undefined || (id !== undefined && latest.id !== undefined && latest.id !== id)) {
      calls.push({ index, id, deltas: [rest] })
    } else {
      latest.deltas.push(rest)
    }
  }
  const place = (call: Call): number => (typeof call.index === "number" ? call.index : 0)
  return calls.sort((a, b) => place(a) - place(b)).map((call) => joinObjects(call.deltas, depth + 1))
}

const indexOf = (choice: JsonObject, position: number): number =>
  typeof choice["index"] === "number" ? choice["index"] : position

/** The chunks that data spells. Of those after one pattern that follow each other one is made that tells all their texts: it comes to the same. */
const chunksIn = (datas: ReadonlyArray<Uint8Array>): ReadonlyArray<JsonObject> => {
  const chunks: Array<JsonObject> = []
  let pattern: ChunkPattern | undefined
  /** What those tell that follow, where any does. */
  let told: string | undefined
  let idlePatterns = 0
  const endRun = (): void => {
    if (pattern === undefined || told === undefined) return
    chunks.push(pattern.chunkWith(told))
    told = undefined
    idlePatterns = 0
  }
  for (const data of datas) {
    const text = pattern === undefined ? undefined : toldIn(pattern, data)
    if (text !== undefined) {
      told = told === undefined ? text : told + text
      continue
    }
    const chunk = parseObject(data)
    if (chunk === undefined || !isPrintable(data, chunk)) continue
    endRun()
    chunks.push(chunk)
    if (idlePatterns === mostIdlePatterns) continue
    const next = patternOf(data, chunk)
    if (next === undefined) continue
    pattern = next
    idlePatterns += 1
  }
  endRun()
  return chunks
}

/**
 * The plain answer that a stream's data makes: texts and the arguments of tool calls joined, lists such as log probabilities
 * appended, of all else the last word. `[DONE]` and data that is no JSON object (or none that could be printed) are passed over; an error event's `error`
 * stands beside what came before it.
 *
 * @param truncated that data is missing at the end; the answer then says `"truncated": true`
 */
export const assemble = (
  shape: AnswerShape,
  datas: ReadonlyArray<Uint8Array>,
  truncated = false,
): JsonObject => {
  const chunks = chunksIn(datas)
  const choices = new Map<number, Array<JsonObject>>()
  let usage: Json | undefined
  for (const { choices: inChunk, usage: said } of chunks) {
    usage = joinUsage(usage, said)
    if (!Array.isArray(inChunk)) continue
    for (const [position, choice] of inChunk.entries()) {
      if (!isJsonObject(choice)) continue
      const index = indexOf(choice, position)
      const known = choices.get(index)
      if (known === undefined) choices.set(index, [choice])
      else known.push(choice)
    }
  }
  const { created, id, model, ...rest } = joinEnvelopes(chunks)
  const joined = [...choices]
    .sort(([a], [b]) => a - b)
    .map(([index, ofIt]) => objectOf([["index", index], ...Object.entries(shape.joinChoice(ofIt))]))
  return objectOf([
    ["id", id],
    ["object", shape.answerObject],
    ["created", created],
    ["model", model],
    ["choices", joined],
    ["usage", usage],
    ...Object.entries(rest),
    ["truncated", truncated ? true : undefined],
  ])
}

/** Usage in pieces: of each member the last word that says something. */
const joinUsage = (before: Json | undefined, now: Json | undefined): Json | undefined => {
  if (!isJsonObject(before) || !isJsonObject(now)) return now ?? before
  const said = Object.entries(now).filter(
    ([name, value]) => value !== null && !(value === 0 && typeof before[name] === "number"),
  )
  return objectOf([...Object.entries(before), ...said])
}

/** What is put together apart, or belongs to a chunk alone. */
const noEnvelope: ReadonlySet<string> = new Set(["choices", paddingMember, "object", "usage"])

/** The first id and date of a stream's chunks, and the last word on everything else. */
const joinEnvelopes = (chunks: ReadonlyArray<JsonObject>): JsonObject =>
  Object.fromEntries(
    [...valuesByMember(chunks, noEnvelope)].map(([member, values]) => [
      member,
      (constantMembers.has(member) ? values.find(isSaid) : values.findLast(isSaid)) ?? values.at(-1) ?? null,
    ]),
  )

/**
 * The plain answer that packed data of chunks make; `undefined` where they have no choice, or are nested too deep to be printed.
 */
export const gathered = (shape: AnswerShape, packed: Uint8Array): Uint8Array | undefined => {
  const answer = assemble(shape, unpack(packed))
  const { choices } = answer
  return choices !== undefined && isJsonArray(choices) && choices.length > 0 ? encodeJson(answer) : undefined
}
