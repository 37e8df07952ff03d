/** The transformations of an answer that are configured for a target, as one machine over the pieces of a choice's text. */
import type { Target, ThinkingFormat } from "../routing/Upstream.ts"
import { compose, type Machine } from "../wire/Machine.ts"
import type { PieceTaker } from "./ChoiceText.ts"
import type { Piece } from "./Piece.ts"
import { type PrefixState, prefix } from "./Prefix.ts"
import { thinking } from "./Thinking.ts"
import { midLine, type ThinkingMachine, type ThinkingState } from "./ThinkingMachine.ts"
import { defaultThinkingTags } from "./ThinkTag.ts"

/** What is to be done to the text of every choice. */
export interface ChoiceTransform {
  /** Goes before the first text. */
  readonly prefix: string | undefined
  readonly thinking: ThinkingFormat
  /** The names of the tags of thinking; absent: `think`. */
  readonly tags?: ReadonlyArray<string>
  /** The upstream whose answer it is, where what it gives out is to name it. */
  readonly madeBy?: string | undefined
  /** No more of it names that one than what another gateway, which that one is, has marked already. */
  readonly marksOnlyAgain?: boolean
}

/** Leaves every text as it is. */
export const untouched: ChoiceTransform = { prefix: undefined, thinking: "passthrough" }

/** Stands where no thinking format does: leaves every piece as it is. */
const passing: Machine<ThinkingState, Piece, Piece> = {
  initial: thinking("strip").initial,
  step: (state, piece) => [state, [piece]],
  halt: () => [],
}

/** Where one choice's machine is. */
export type ChoiceMachineState = readonly [PrefixState, ThinkingState]

/** Where it is in a text whose beginning was not seen. */
export const underWay: ChoiceMachineState = [{ begun: true, reasoned: false }, midLine]

/** Whether it is in a text and on a line of it that has begun: what comes there without a tag and a line feed passes, and changes nothing. */
export const isWithinLine = ([before, thought]: ChoiceMachineState): boolean =>
  before.begun && thought === midLine

export type ChoiceMachine = Machine<ChoiceMachineState, Piece, Piece>

/**
 * Prefix first, then thinking: a prefix can open the block that the upstream only closes. Where it opens none, a block that the
 * upstream's text begins with still opened the answer, whatever the prefix is. Where the upstream has sent its reasoning apart, it swallowed no
 * tag: a prefix that would open a block is left out, or the whole answer would be thinking.
 */
const prefixed = (text: string, inner: ThinkingMachine): ChoiceMachine => {
  const outer = prefix(text)
  const whole = compose(outer, inner)
  return {
    ...whole,
    step: (state, piece) => {
      const [before, thought] = state
      const [after] = outer.step(before, piece)
      if (before.begun || !after.begun) return whole.step(state, piece)
      const [opened, first] = inner.step(thought, { field: "content", text })
      if (before.reasoned && inner.isThinking(opened)) return whole.step([after, thought], piece)
      const [read, rest] = inner.step(inner.restart(opened), piece)
      return [
        [after, read],
        [...first, ...rest],
      ]
    },
  }
}

/** The machine every choice runs through, prefix first, or `undefined` where there is nothing to do. */
export const choiceMachine = (transform: ChoiceTransform): ChoiceMachine | undefined => {
  const { prefix: text = "", tags = defaultThinkingTags, thinking: format } = transform
  if (format !== "passthrough") return prefixed(text, thinking(format, { tags }))
  return text === "" ? undefined : compose(prefix(text), passing)
}

/** That of a dialect which has one way to carry thinking: it is stripped, or stays as it is. */
export const strippingMachine = (transform: ChoiceTransform): ChoiceMachine | undefined =>
  choiceMachine(transform.thinking === "strip" ? transform : { ...transform, thinking: "passthrough" })

const nothing: ReadonlyArray<Piece> = []

/** A choice's machine on its way through one holder. Mutable on purpose: per event, a copy for each piece costs more. */
export class PieceRun implements PieceTaker {
  readonly #machine: ChoiceMachine
  readonly #ends: boolean
  #state: ChoiceMachineState
  #hasText = false

  /** @param ends whether the choice ends with this holder */
  constructor(machine: ChoiceMachine, state: ChoiceMachineState, ends: boolean) {
    this.#machine = machine
    this.#state = state
    this.#ends = ends
  }

  get state(): ChoiceMachineState {
    return this.#state
  }

  /** Whether the holder had any text. */
  get hasText(): boolean {
    return this.#hasText
  }

  take(piece: Piece): ReadonlyArray<Piece> {
    this.#hasText = true
    const [next, outputs] = this.#machine.step(this.#state, piece)
    this.#state = next
    return outputs
  }

  rest(): ReadonlyArray<Piece> {
    return this.#ends ? this.#machine.halt(this.#state) : nothing
  }
}

/** What the whole configuration says of reasoning. */
export interface ThinkingPolicy {
  readonly thinkingFormat: ThinkingFormat | undefined
  /** Keywords: a model containing one has its `<think>` removed where no thinking format is set. */
  readonly stripThinkModels: ReadonlyArray<string>
}

/**
 * How a target's reasoning reaches the client: as its upstream says, else as the whole configuration says, else removed for the
 * models of `strip_think_models`, by the name asked or the name sent.
 */
export const thinkingFormatOf = (
  global: ThinkingPolicy,
  target: Target,
  requestedModel: string,
): ThinkingFormat => {
  const configured = target.upstream.thinkingFormat ?? global.thinkingFormat
  if (configured !== undefined) return configured
  const strips = global.stripThinkModels.some(
    (keyword) => requestedModel.includes(keyword) || target.upstreamModel.includes(keyword),
  )
  return strips ? "strip" : "passthrough"
}
