/** Puts an upstream's `special_prefix` before the text of a choice. */
import type { Machine } from "../wire/Machine.ts"
import type { Piece } from "./Piece.ts"

export interface PrefixState {
  /** Content has come, and the prefix with it. */
  readonly begun: boolean
  /** Reasoning came before. */
  readonly reasoned: boolean
}

const initial: PrefixState = { begun: false, reasoned: false }
const reasoned: PrefixState = { begun: false, reasoned: true }
const begun: PrefixState = { begun: true, reasoned: false }

/**
 * `text` goes before the first non-empty content of a choice, once, in the same piece. A choice without content (tool calls only)
 * gets none; reasoning passes.
 */
export const prefix = (text: string): Machine<PrefixState, Piece, Piece> => ({
  initial,
  step: (state, piece) => {
    if (state.begun || piece.text === "") return [state, [piece]]
    return piece.field === "reasoning"
      ? [reasoned, [piece]]
      : [begun, [{ field: "content", text: text + piece.text }]]
  },
  halt: () => [],
})
