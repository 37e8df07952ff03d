/**
 * The turns of a conversation as messages: the user's and the model's by turns, the results of calls together and first. Instructions at the beginning are
 * the system's, later ones stay in their place.
 */
import type { JsonObject } from "../../wire/Json.ts"
import type { Turn } from "../Conversation.ts"
import type { WriteFor } from "../DialectForm.ts"
import type { Losses } from "../Losses.ts"
import type { UserPart } from "../Part.ts"
import { givenBlocks, textBlocks } from "./MessagesGiven.ts"
import { resultBlock, saidBlocks } from "./MessagesSaid.ts"

/** A message as it is put together. Mutable on purpose: one message. */
interface Message {
  readonly role: "user" | "assistant" | "system"
  /** They come first. */
  readonly results: Array<JsonObject>
  readonly blocks: Array<JsonObject>
}

const contentOf = ({ blocks, results }: Message): ReadonlyArray<JsonObject> => [...results, ...blocks]

const isCall = ({ type }: JsonObject): boolean => type === "tool_use"

/** Mutable on purpose: one request. */
class Messages {
  readonly #all: Array<Message> = []

  get last(): Message | undefined {
    return this.#all.at(-1)
  }

  /** The last message if it is of this role, else a new one. */
  of(role: Message["role"]): Message {
    const { last } = this
    if (last?.role === role) return last
    const message: Message = { role, results: [], blocks: [] }
    this.#all.push(message)
    return message
  }

  /** Where results go: directly behind what called for them, though instructions came between. */
  forResults(): Message {
    const before = this.#all.at(-2)
    if (this.last?.role !== "system" || before?.role !== "assistant") return this.of("user")
    const message: Message = { role: "user", results: [], blocks: [] }
    this.#all.splice(-1, 0, message)
    return message
  }

  add(role: Message["role"], blocks: ReadonlyArray<JsonObject>): void {
    if (blocks.length === 0) return
    const message = this.of(role)
    for (const block of blocks) message.blocks.push(block)
  }

  begin(block: JsonObject): void {
    if (this.#all[0]?.role !== "user") this.#all.unshift({ role: "user", results: [], blocks: [block] })
  }

  get written(): ReadonlyArray<JsonObject> {
    return this.#all.map((message) => ({ role: message.role, content: contentOf(message) }))
  }

  /** Whether calls since the user's last own words have no thinking before them. */
  get callsUnthought(): boolean {
    for (const message of this.#all.toReversed()) {
      if (message.role === "user" && message.results.length === 0) return false
      if (message.role !== "assistant") continue
      const isThought = String(message.blocks[0]?.["type"]).endsWith("thinking")
      if (message.blocks.some(isCall) && !isThought) return true
    }
    return false
  }
}

const addUserPart = (messages: Messages, part: UserPart, losses: Losses): void => {
  switch (part.kind) {
    case "tool_result":
      messages.forResults().results.push(resultBlock(part, losses))
      return
    case "audio":
      losses.tell("input_audio", true)
      return
    case "foreign":
      losses.tell(part.as, true)
      return
    default:
      messages.add("user", givenBlocks(part, losses))
  }
}

const addTurn = (messages: Messages, turn: Turn, target: WriteFor, losses: Losses): void => {
  switch (turn.role) {
    case "instructions": {
      const blocks = turn.parts.flatMap(textBlocks)
      if (target.abilities.laterInstructions) messages.add("system", blocks)
      else {
        losses.tellUntaken(turn.voice)
        messages.add("user", blocks)
      }
      return
    }
    case "user":
      if (turn.name !== undefined) losses.tell("messages.name")
      for (const part of turn.parts) addUserPart(messages, part, losses)
      return
    case "assistant":
      messages.add(
        "assistant",
        turn.parts.flatMap((part) => saidBlocks(part, target, losses)),
      )
  }
}

export interface WrittenTurns {
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
  /** The last message is the model's own, which it is to go on with. */
  readonly endsInOwn: boolean
  /** It is in the middle of calls before which nothing is thought. */
  readonly callsUnthought: boolean
}

const text = (words: string): JsonObject => ({ type: "text", text: words })

/** A text that is gone on with must not end in white space. */
const trimmed = ({ blocks }: Message): void => {
  const last = blocks.pop()
  if (last === undefined) return
  const { text: words } = last
  blocks.push(typeof words === "string" ? { ...last, text: words.trimEnd() } : last)
}

/** What has to stand at the beginning and at the end, or must not. Returns whether the model goes on with its own words. */
const settle = (messages: Messages, { abilities }: WriteFor, losses: Losses): boolean => {
  const { last } = messages
  if (last === undefined) return false
  messages.begin(text("."))
  if (last.role !== "assistant" || last.blocks.some(isCall)) return false
  if (abilities.prefill) {
    trimmed(last)
    return true
  }
  losses.tellUntaken("prefill")
  messages.add("user", [text("Please continue.")])
  return false
}

export const writtenTurns = (turns: ReadonlyArray<Turn>, target: WriteFor, losses: Losses): WrittenTurns => {
  const at = turns.findIndex(({ role }) => role !== "instructions")
  const lead = at === -1 ? turns : turns.slice(0, at)
  const system = lead.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === "text" ? textBlocks(part) : [])),
  )
  const messages = new Messages()
  for (const turn of turns.slice(lead.length)) addTurn(messages, turn, target, losses)
  // Instructions alone are what there is to answer.
  if (messages.last === undefined)
    return {
      system: [],
      messages: [{ role: "user", content: system.length === 0 ? [text(".")] : system }],
      endsInOwn: false,
      callsUnthought: false,
    }
  const endsInOwn = settle(messages, target, losses)
  return { system, messages: messages.written, endsInOwn, callsUnthought: messages.callsUnthought }
}
