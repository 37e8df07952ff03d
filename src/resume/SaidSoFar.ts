/**
 * What a streamed answer said until it broke off, and whether it can be resumed from there.
 *
 * Nothing is guessed: where its text is not all that it said, another upstream cannot resume it.
 */
import * as Either from "effect/Either"
import type { AnswerShape } from "../answer/AnswerShape.ts"
import { finishReasonOf, holderOf, reasoningMembers } from "../answer/ChoiceText.ts"
import type { AnswerBeginning } from "../answer/ResumeRules.ts"
import { thinking } from "../answer/Thinking.ts"
import type { ThinkingState } from "../answer/ThinkingMachine.ts"
import { isJsonArray, isJsonObject, type JsonObject } from "../wire/Json.ts"
import { chunkIn } from "../wire/JsonOutline.ts"
import { memberText } from "../wire/JsonText.ts"
import { isSaid, type Judged } from "./Unresumable.ts"

/** Members of a JSON object and their texts, as `replaceMembers` takes them. */
export type MemberTexts = ReadonlyArray<readonly [name: string, value: string | undefined]>

const decoder = new TextDecoder()

/** What one chunk says of the answer. */
export interface ChunkSaid {
  readonly content: string
  readonly reasoned: boolean
  readonly role: boolean
}

/** Members of a delta that hold part of an answer no text can stand for. */
const otherCarriers = ["refusal", "audio", "images"]

const reasoningCarriers = [...reasoningMembers, "reasoning_details"]

/** What a chunk says; `undefined` where it says nothing of any choice. */
export const readChunk = (
  { inChunk: place }: AnswerShape,
  chunk: JsonObject,
): Judged<ChunkSaid | undefined> => {
  const choices = chunk["choices"]
  if (!isJsonArray(choices)) return Either.left("unreadable")
  const choice = choices[0]
  if (choice === undefined) return Either.right(undefined)
  if (!isJsonObject(choice)) return Either.left("unreadable")
  if (choices.length > 1 || (choice["index"] ?? 0) !== 0) return Either.left("other_choice")
  if (finishReasonOf(choice) !== undefined) return Either.left("finished")
  // Text in a place nobody knows of would be lost.
  if (place.holder !== undefined && !isJsonObject(choice[place.holder])) return Either.left("unreadable")
  const holder = holderOf(choice, place)
  if (isSaid(holder["tool_calls"]) || isSaid(holder["function_call"])) return Either.left("tool_call")
  const content = holder[place.content] ?? ""
  if (typeof content !== "string" || otherCarriers.some((name) => isSaid(holder[name]))) {
    return Either.left("not_text")
  }
  return Either.right({
    content,
    reasoned: reasoningCarriers.some((name) => isSaid(holder[name])),
    role: isSaid(holder["role"]),
  })
}

/** What an answer said until it broke off. */
export interface SaidSoFar {
  /** The text to resume from, without thinking; `""` where the answer is to begin anew. */
  readonly text: string
  readonly roleSaid: boolean
  /** The members that name the answer, as its first chunk has them. */
  readonly envelope: MemberTexts
}

const isThinking = ({ place }: ThinkingState): boolean => place === "thought" || place === "block"

/** A chat's content without its thinking; `undefined` where it breaks off inside a block. */
const afterThinking = (content: string, { prefix, tags }: AnswerBeginning): string | undefined => {
  const strip = thinking("strip", { tags, maxHeld: Number.POSITIVE_INFINITY })
  // An upstream's prefix may open the block that its answer only closes.
  const [opened] = strip.step(strip.initial, { field: "content", text: prefix })
  const from = isThinking(opened) ? opened : strip.initial
  const [state, pieces] = strip.step(from, { field: "content", text: content })
  if (isThinking(state)) return undefined
  return [...pieces, ...strip.halt(state)].map(({ text }) => text).join("")
}

const isBlank = (text: string): boolean => text.trim() === ""

/** Whether a text breaks off within a character. */
export const endsInHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}

/** The text to resume from. What is no turn of a chat is resumed from whatever it was, thinking too. */
const textToResume = (
  shape: AnswerShape,
  beginning: AnswerBeginning,
  content: string,
  reasoned: boolean,
): Judged<string> => {
  // Where reasoning came apart, the content lacks no tag that the prefix gives back.
  const from = reasoned ? { ...beginning, prefix: "" } : beginning
  const text = !shape.isTurn || content === "" ? content : afterThinking(content, from)
  if (text === undefined) return Either.left("thinking")
  // Thoughts are not handed over, so an answer that was all thinking would be thought out anew, and differently.
  if (isBlank(text) && (reasoned || !isBlank(content))) return Either.left("thinking")
  return endsInHalf(text) ? Either.left("half_character") : Either.right(text)
}

const envelopeMembers = ["id", "object", "created", "model", "system_fingerprint"]

/** It stands in every further chunk, so a hostile one must not be large. */
const maxEnvelopeMember = 1_024

const envelopeOf = (chunk: Uint8Array): Judged<MemberTexts> => {
  const text = decoder.decode(chunk)
  const members = envelopeMembers.map((name) => [name, memberText(text, name)] as const)
  return members.some(([, value]) => value !== undefined && value.length > maxEnvelopeMember)
    ? Either.left("unreadable")
    : Either.right(members)
}

/** What an answer said, from the data of its events until it broke off. */
export const readSoFar = (
  shape: AnswerShape,
  beginning: AnswerBeginning,
  datas: ReadonlyArray<Uint8Array>,
): Judged<SaidSoFar> => {
  const contents: Array<string> = []
  let envelope: MemberTexts | undefined
  let reasoned = false
  let roleSaid = false
  for (const data of datas) {
    const chunk = chunkIn(data)
    if (chunk === undefined) return Either.left("unreadable")
    const read = readChunk(shape, chunk)
    if (Either.isLeft(read)) return Either.left(read.left)
    // Chunks before the first choice may name nothing yet: Azure's first has empty strings.
    if (read.right === undefined) continue
    if (envelope === undefined) {
      const found = envelopeOf(data)
      if (Either.isLeft(found)) return Either.left(found.left)
      envelope = found.right
    }
    contents.push(read.right.content)
    reasoned ||= read.right.reasoned
    roleSaid ||= read.right.role
  }
  return Either.map(textToResume(shape, beginning, contents.join(""), reasoned), (text) => ({
    text,
    roleSaid,
    envelope: envelope ?? [],
  }))
}
