/**
 * The turns of a conversation as messages: the user's and the model's by turns, the results of calls together and first. Instructions at the beginning are
 * the system's. Later ones stand before what the model says next, behind all that the user says till then: in their own place they would be refused.
 */
import type { JsonObject } from "../../wire/Json.ts"
import type { Turn } from "../Conversation.ts"
import type { WriteFor } from "../DialectForm.ts"
import type { Losses } from "../Losses.ts"
import type { InstructionPart, UserPart } from "../Part.ts"
import { givenBlocks } from "./MessagesGiven.ts"
import { resultBlock, saidBlocks } from "./MessagesSaid.ts"

/** A message as it is put together. Mutable on purpose: one message. */
interface Message {
  readonly role: "user" | "assistant" | "system"
  /** They come first. */
  readonly results: Array<JsonObject>
  readonly blocks: Array<JsonObject>
}

const contentOf = ({ blocks, results }: Message): ReadonlyArray<JsonObject> => [...results, ...blocks]

const isOf =
  (...types: ReadonlyArray<string>) =>
  ({ type }: JsonObject): boolean =>
    types.some((one) => one === type)

const isCall = isOf("tool_use")
const isThought = isOf("thinking", "redacted_thinking")

/** Later instructions that are not told yet. */
interface Waiting {
  readonly voice: "system" | "developer"
  readonly blocks: ReadonlyArray<JsonObject>
}

/** Mutable on purpose: one request. */
class Messages {
  readonly #all: Array<Message> = []
  readonly #target: WriteFor
  readonly #losses: Losses
  #waiting: Array<Waiting> = []

  constructor(target: WriteFor, losses: Losses) {
    this.#target = target
    this.#losses = losses
  }

  get last(): Message | undefined {
    return this.#all.at(-1)
  }

  add(turn: Turn): void {
    switch (turn.role) {
      case "instructions":
        this.#instruct({ voice: turn.voice, blocks: instructionBlocks(turn.parts, this.#losses) })
        return
      case "user":
        if (turn.name !== undefined) this.#losses.tell("messages.name")
        for (const part of turn.parts) this.#hear(part)
        return
      case "assistant": {
        const blocks = turn.parts.flatMap((part) => saidBlocks(part, this.#target, this.#losses))
        if (blocks.length > 0) this.#tellInstructions()
        this.#put("assistant", blocks)
      }
    }
  }

  /** A message of the system stands between one of the user and one of the model, or at the end: it waits for the next that it may stand before. */
  #instruct(instructions: Waiting): void {
    if (this.#target.abilities.laterInstructions) this.#waiting.push(instructions)
    else this.#instructAsUser(instructions)
  }

  #instructAsUser({ blocks, voice }: Waiting): void {
    this.#losses.tellUntaken(voice)
    this.#put("user", blocks)
  }

  /** What waits is told, since the model speaks next or nobody does: as the user's where no user spoke before it. */
  #tellInstructions(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      if (this.last?.role === "assistant" || this.last === undefined) this.#instructAsUser(one)
      else this.#put("system", one.blocks)
    }
  }

  #hear(part: UserPart): void {
    if (part.kind === "tool_result") this.#of("user").results.push(resultBlock(part, this.#losses))
    else this.#put("user", givenBlocks(part, this.#losses))
  }

  /** The last message if it is of this role, else a new one. */
  #of(role: Message["role"]): Message {
    const { last } = this
    if (last?.role === role) return last
    const message: Message = { role, results: [], blocks: [] }
    this.#all.push(message)
    return message
  }

  #put(role: Message["role"], blocks: ReadonlyArray<JsonObject>): void {
    if (blocks.length === 0) return
    const message = this.#of(role)
    for (const block of blocks) message.blocks.push(block)
  }

  /** What has to stand at the beginning and at the end, or must not. Returns whether the model goes on with its own words. */
  settle(): boolean {
    this.#tellInstructions()
    const [first] = this.#all
    const { last } = this
    if (first === undefined || last === undefined) return false
    if (first.role !== "user") this.#all.unshift({ role: "user", results: [], blocks: [text(".")] })
    if (last.role !== "assistant" || last.blocks.some(isCall)) return false
    if (this.#target.abilities.prefill) {
      trimmed(last)
      return true
    }
    this.#losses.tellUntaken("prefill")
    this.#put("user", [text("Please continue.")])
    return false
  }

  get written(): ReadonlyArray<JsonObject> {
    return this.#all.map((message) => ({ role: message.role, content: contentOf(message) }))
  }

  /** Whether calls since the user's last own words have no thinking before them. */
  get callsUnthought(): boolean {
    for (const message of this.#all.toReversed()) {
      if (message.role === "user" && message.results.length === 0) return false
      if (message.role !== "assistant") continue
      const [first] = message.blocks
      if (message.blocks.some(isCall) && (first === undefined || !isThought(first))) return true
    }
    return false
  }
}

const text = (words: string): JsonObject => ({ type: "text", text: words })

const instructionBlocks = (
  parts: ReadonlyArray<InstructionPart>,
  losses: Losses,
): ReadonlyArray<JsonObject> => parts.flatMap((part) => givenBlocks(part, losses))

/** A text that is gone on with must not end in white space. */
const trimmed = ({ blocks }: Message): void => {
  const last = blocks.pop()
  if (last === undefined) return
  const { text: words } = last
  blocks.push(typeof words === "string" ? { ...last, text: words.trimEnd() } : last)
}

export interface WrittenTurns {
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
  /** The last message is the model's own, which it is to go on with. */
  readonly endsInOwn: boolean
  /** It is in the middle of calls before which nothing is thought. */
  readonly callsUnthought: boolean
}

export const writtenTurns = (turns: ReadonlyArray<Turn>, target: WriteFor, losses: Losses): WrittenTurns => {
  const at = turns.findIndex(({ role }) => role !== "instructions")
  const lead = at === -1 ? turns : turns.slice(0, at)
  const system = lead.flatMap((turn) =>
    turn.role === "instructions" ? instructionBlocks(turn.parts, losses) : [],
  )
  const messages = new Messages(target, losses)
  for (const turn of turns.slice(lead.length)) messages.add(turn)
  const endsInOwn = messages.settle()
  // Instructions alone are what there is to answer.
  if (messages.last === undefined)
    return {
      system: [],
      messages: [{ role: "user", content: system.length === 0 ? [text(".")] : system }],
      endsInOwn: false,
      callsUnthought: false,
    }
  return { system, messages: messages.written, endsInOwn, callsUnthought: messages.callsUnthought }
}
