/**
 * Going on with a streamed answer that broke off: whether what it said can be gone on from, the body that asks another target to do
 * so, and the machine that makes one answer of both.
 *
 * Nothing is guessed. A target that begins the text anew instead of going on from it makes the client see it twice: only upstreams
 * known to continue a last assistant message should be configured with `resume`. A usage chunk passes as the last target sends
 * it, so it counts that attempt alone: the text until the break as input, and of the output only what came after it.
 */
import * as Either from "effect/Either"
import { chunksOf, isPlain, maxMadeBytes } from "../answer/AnswerInChunks.ts"
import { finishReasonOf, holderOf, placeInChunk, reasoningMembers } from "../answer/ChoiceText.ts"
import { type ThinkingState, thinking } from "../answer/Thinking.ts"
import type { Endpoint } from "../operations/Endpoint.ts"
import type { ResumePolicy } from "../routing/Upstream.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import { parseObject } from "../wire/JsonBytes.ts"
import { chunkIn } from "../wire/JsonOutline.ts"
import { elementTexts, memberText, replaceMembers } from "../wire/JsonText.ts"
import type { Machine } from "../wire/Machine.ts"
import type { SseEvent } from "../wire/Sse.ts"

/**
 * Why an answer cannot be gone on with.
 *
 * - `finished`: it had said why it ends
 * - `tool_call`: it was calling a tool
 * - `other_choice`: it has a choice beside the first
 * - `not_text`: its content is not a string, or it said something beside content (refusal, audio, images)
 * - `thinking`: it broke off while it thought, or before it said anything else
 * - `half_character`: its text ends between the two halves of a surrogate pair
 * - `too_long`: there is more of it than is kept
 * - `unreadable`: an event, or the request, is not of the shape that is known
 * - `several_choices`, `echo`, `prompt_not_text`: the request asks for `n` other than 1, for its prompt before the answer, or has a
 *   prompt of tokens or several
 * - `grammar`: the request constrains the text's form, and the constraint would begin anew in the middle
 * - `own_prefill`: the request itself ends in an assistant message, so it is unknown whether the answer begins within it
 */
export type Unresumable =
  | "finished"
  | "tool_call"
  | "other_choice"
  | "not_text"
  | "thinking"
  | "half_character"
  | "too_long"
  | "unreadable"
  | "several_choices"
  | "echo"
  | "prompt_not_text"
  | "grammar"
  | "own_prefill"

type Judged<A> = Either.Either<A, Unresumable>

/** Edits of an object's text, for `replaceMembers`. */
type Edits = ReadonlyArray<readonly [name: string, value: string | undefined]>

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const isSaid = (value: Json | undefined): value is Json =>
  value !== undefined && value !== null && value !== "" && !(isJsonArray(value) && value.length === 0)

// ---- What the answer said

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
export const readChunk = (endpoint: Endpoint, chunk: JsonObject): Judged<ChunkSaid | undefined> => {
  const place = placeInChunk(endpoint)
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
  /** The text to go on from, without thinking; `""` where the answer is to be begun anew. */
  readonly text: string
  readonly roleSaid: boolean
  /** The members that name the answer, as its first chunk has them. */
  readonly envelope: Edits
}

const strip = thinking("strip", Number.POSITIVE_INFINITY)

const isThinking = ({ place }: ThinkingState): boolean => place === "thought" || place === "block"

/** A chat's content without its thinking; `undefined` where it breaks off inside a block. */
const withoutThinking = (content: string, prefix: string): string | undefined => {
  // An upstream's prefix may open the block that its answer only closes.
  const [opened] = strip.step(strip.initial, { field: "content", text: prefix })
  const from = isThinking(opened) ? opened : strip.initial
  const [state, pieces] = strip.step(from, { field: "content", text: content })
  if (isThinking(state)) return undefined
  return [...pieces, ...strip.halt(state)].map(({ text }) => text).join("")
}

const isBlank = (text: string): boolean => text.trim() === ""

const endsInHalf = (text: string): boolean => {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff
}

/** The text a target is to go on from. A legacy completion goes on from whatever it was, thinking too: it is no turn of a chat. */
const textToGoOnFrom = (
  endpoint: Endpoint,
  prefix: string,
  content: string,
  reasoned: boolean,
): Judged<string> => {
  // Where reasoning came apart, the content lacks no tag that the prefix gives back.
  const text =
    endpoint.name === "completions" || content === ""
      ? content
      : withoutThinking(content, reasoned ? "" : prefix)
  if (text === undefined) return Either.left("thinking")
  // Thoughts are not handed over, so an answer that was all thinking would be thought out anew, and differently.
  if (isBlank(text) && (reasoned || !isBlank(content))) return Either.left("thinking")
  return endsInHalf(text) ? Either.left("half_character") : Either.right(text)
}

const envelopeMembers = ["id", "object", "created", "model", "system_fingerprint"]

/** It stands in every further chunk, so a hostile one must not be large. */
const maxEnvelopeMember = 1_024

const envelopeOf = (chunk: Uint8Array): Judged<Edits> => {
  const text = decoder.decode(chunk)
  const members = envelopeMembers.map((name) => [name, memberText(text, name)] as const)
  return members.some(([, value]) => value !== undefined && value.length > maxEnvelopeMember)
    ? Either.left("unreadable")
    : Either.right(members)
}

/**
 * What an answer said, from the data of its events until it broke off.
 *
 * @param prefix of the upstream that began it (`special_prefix`), `""` where it has none
 */
export const readSoFar = (
  endpoint: Endpoint,
  prefix: string,
  datas: ReadonlyArray<Uint8Array>,
): Judged<SaidSoFar> => {
  const contents: Array<string> = []
  let envelope: Edits | undefined
  let reasoned = false
  let roleSaid = false
  for (const data of datas) {
    const chunk = chunkIn(data)
    if (chunk === undefined) return Either.left("unreadable")
    const read = readChunk(endpoint, chunk)
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
  return Either.map(textToGoOnFrom(endpoint, prefix, contents.join(""), reasoned), (text) => ({
    text,
    roleSaid,
    envelope: envelope ?? [],
  }))
}

// ---- The request to go on

/** Members that constrain the form of the text, beside `response_format`: those of vLLM, SGLang and llama.cpp. */
const grammars = [
  "guided_json",
  "guided_regex",
  "guided_choice",
  "guided_grammar",
  "structured_outputs",
  "json_schema",
  "regex",
  "ebnf",
  "grammar",
]

const constrainsForm = (body: JsonObject): boolean => {
  const format = body["response_format"]
  return (isJsonObject(format) && format["type"] !== "text") || grammars.some((name) => isSaid(body[name]))
}

/** Why the answer to a request could never be gone on with, whatever it says; `undefined` where it could. */
export const refusalOfRequest = (endpoint: Endpoint, body: JsonObject): Unresumable | undefined => {
  if ((body["n"] ?? 1) !== 1) return "several_choices"
  if (isSaid(body["echo"]) && body["echo"] !== false) return "echo"
  return endpoint.input === "prompt" && typeof body["prompt"] !== "string" ? "prompt_not_text" : undefined
}

/** The input with the text behind it, as JSON text. */
const inputGoingOn = (
  endpoint: Endpoint,
  input: string,
  text: string,
  message: ResumePolicy["message"],
): string =>
  endpoint.input === "prompt"
    ? input.slice(0, -1) + JSON.stringify(text).slice(1)
    : `${input.slice(0, -1)},${JSON.stringify({ role: "assistant", content: text, ...message })}]`

/**
 * The body that asks a target to go on: the one prepared for it, with the text as its last assistant message (behind the prompt of a
 * legacy completion), and the members of its policy in place of what they were. Everything else stays as it was, byte for
 * byte. An answer that is begun anew is asked for by the prepared body itself.
 *
 * `max_tokens` stays too: how many tokens were spent until the break is unknown, and a limit too small would end the answer early.
 */
export const bodyGoingOn = (
  endpoint: Endpoint,
  prepared: Uint8Array,
  text: string,
  policy: ResumePolicy,
): Judged<Uint8Array> => {
  const body = parseObject(prepared)
  if (body === undefined) return Either.left("unreadable")
  // The target's `extra_body` may ask for what the client did not.
  const refusal = refusalOfRequest(endpoint, body)
  if (refusal !== undefined) return Either.left(refusal)
  if (text === "") return Either.right(prepared)
  if (constrainsForm(body)) return Either.left("grammar")
  if (endpoint.input === "messages") {
    const messages = body["messages"]
    const last = isJsonArray(messages) ? messages.at(-1) : undefined
    if (!isJsonObject(last)) return Either.left("unreadable")
    if (last["role"] === "assistant") return Either.left("own_prefill")
  }
  const before = decoder.decode(prepared)
  const input = memberText(before, endpoint.input)
  if (input === undefined) return Either.left("unreadable")
  const edits = Object.entries(policy.body).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const goingOn = inputGoingOn(endpoint, input, text, policy.message)
  return Either.right(encoder.encode(replaceMembers(before, [...edits, [endpoint.input, goingOn]])))
}

// ---- One answer of both

/** The text of a chunk's `choices` without roles. */
const withoutRoles = (choices: string, holder: string): string => {
  const without = (choice: string): string => {
    const held = choice.startsWith("{") ? memberText(choice, holder) : undefined
    if (held === undefined || !held.startsWith("{")) return choice
    return replaceMembers(choice, [[holder, replaceMembers(held, [["role", undefined]])]])
  }
  return `[${elementTexts(choices).map(without).join(",")}]`
}

interface GoingOnState {
  readonly roleSaid: boolean
  /** It has said something of a choice. */
  readonly hasBegun: boolean
}

/**
 * Makes the events of the target that goes on those of the answer that broke off: chunks have the first one's id, date, model, object
 * and fingerprint, and no role where that was said. All else, the spelling of numbers too, is left as it comes. A plain answer sent as
 * one event becomes chunks first: behind what was said before, its text would pass for what repeats it.
 */
export const goingOn = (endpoint: Endpoint, said: SaidSoFar): Machine<GoingOnState, SseEvent, SseEvent> => {
  const { envelope } = said
  const place = placeInChunk(endpoint)
  const { holder } = place
  const step = (roleSaid: boolean, event: SseEvent, choices: ReadonlyArray<Json>): [boolean, SseEvent] => {
    const saysRole =
      holder !== undefined &&
      choices.some((choice) => isJsonObject(choice) && holderOf(choice, place)["role"] !== undefined)
    const dropsRole = saysRole && roleSaid
    if (envelope.length === 0 && !dropsRole) return [roleSaid || saysRole, event]
    const text = decoder.decode(event.data)
    const edits: Edits = dropsRole
      ? [...envelope, ["choices", withoutRoles(memberText(text, "choices") ?? "[]", holder)]]
      : envelope
    return [roleSaid || saysRole, { ...event, data: encoder.encode(replaceMembers(text, edits)) }]
  }
  return {
    initial: { roleSaid: said.roleSaid, hasBegun: false },
    step: (state, event) => {
      const chunk = chunkIn(event.data)
      const choices = chunk?.["choices"]
      if (chunk === undefined || !isJsonArray(choices)) return [state, [event]]
      const made =
        state.hasBegun || !isPlain(chunk) ? undefined : chunksOf(endpoint, event.data, maxMadeBytes)
      let { roleSaid } = state
      const events: Array<SseEvent> = []
      for (const one of made?.map((data) => ({ ...event, data })) ?? [event]) {
        const ofIt = one === event ? choices : chunkIn(one.data)?.["choices"]
        const [next, edited] = step(roleSaid, one, isJsonArray(ofIt) ? ofIt : [])
        roleSaid = next
        events.push(edited)
      }
      return [{ roleSaid, hasBegun: state.hasBegun || choices.length > 0 }, events]
    },
    halt: () => [],
  }
}
