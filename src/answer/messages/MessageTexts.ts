/**
 * What is done to the texts of a message, plain or streamed: a prefix goes before its first text, and where thinking is stripped its blocks go, and
 * what of a text block stands between tags of thinking. A text block is a text of its own; what the formats of chats call reasoning stays as it is.
 */
import type { JsonObject } from "../../wire/Json.ts"
import { type ChoiceMachineState, type ChoiceTransform, strippingMachine } from "../ChoiceTransform.ts"
import { contentOf } from "../Piece.ts"

/** How far the texts of a message have come. */
export type MessageRun = ChoiceMachineState

export interface MessageTexts {
  readonly initial: MessageRun
  /** Blocks of thinking are left out. */
  readonly strips: boolean
  /** What a text comes to. */
  readonly text: (run: MessageRun, text: string) => readonly [MessageRun, string]
  /** What is still held back of a block's text, which ends here. */
  readonly rest: (run: MessageRun) => readonly [MessageRun, string]
  /** Notes that the model has thought in a block of its own. */
  readonly thought: (run: MessageRun) => MessageRun
  /** What becomes of a whole block: the same one where nothing changes, `undefined` where nothing is left of it. */
  readonly block: (run: MessageRun, block: JsonObject) => readonly [MessageRun, JsonObject | undefined]
}

/** The types of blocks that hold thinking. */
export const thinkingTypes: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking"])

/** The types of deltas that add to one. */
export const thinkingDeltas: ReadonlySet<unknown> = new Set(["thinking_delta", "signature_delta"])

/** What is to be done; `undefined` where that is nothing. */
export const messageTexts = (transform: ChoiceTransform): MessageTexts | undefined => {
  const strips = transform.thinking === "strip"
  const machine = strippingMachine(transform)
  if (machine === undefined) return undefined

  const text: MessageTexts["text"] = (run, given) => {
    const [next, pieces] = machine.step(run, { field: "content", text: given })
    return [next, contentOf(pieces)]
  }
  const rest: MessageTexts["rest"] = (run) => [[run[0], machine.initial[1]], contentOf(machine.halt(run))]
  const thought: MessageTexts["thought"] = (run) => machine.step(run, { field: "reasoning", text: " " })[0]

  const block: MessageTexts["block"] = (run, given) => {
    if (thinkingTypes.has(given["type"])) return [thought(run), strips ? undefined : given]
    const before = given["text"]
    if (given["type"] !== "text" || typeof before !== "string" || before === "") return [run, given]
    const [read, begun] = text(run, before)
    const [next, end] = rest(read)
    const after = begun + end
    return [next, after === "" ? undefined : after === before ? given : { ...given, text: after }]
  }

  return { initial: machine.initial, strips, text, rest, thought, block }
}
