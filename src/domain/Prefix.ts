/** Puts an upstream's `special_prefix` before the text of a choice. */
import type { Machine } from "./Machine.ts"
import type { Piece } from "./Piece.ts"

export interface PrefixState {
  /** Content has come, and the prefix with it. */
  readonly begun: boolean
}

const begun: PrefixState = { begun: true }

/**
 * `text` goes before the first non-empty content of a choice, once, in the same piece. A choice without content (tool calls only)
 * gets none; reasoning passes.
 */
export const prefix = (text: string): Machine<PrefixState, Piece, Piece> => ({
  initial: { begun: false },
  step: (state, piece) =>
    state.begun || piece.field !== "content" || piece.text === ""
      ? [state, [piece]]
      : [begun, [{ field: "content", text: text + piece.text }]],
  halt: () => [],
})
