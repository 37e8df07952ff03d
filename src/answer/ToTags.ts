/** Writes thinking into the content as blocks. */
import type { Piece } from "./Piece.ts"
import { lineStart, type ThinkingMachine, textAt, thoughtIn } from "./ThinkingMachine.ts"
import { isLineStart, type ThinkTag } from "./ThinkTag.ts"

const nothing: ReadonlyArray<Piece> = []

/**
 * Writes reasoning into the content as blocks. A block begins a line, so that it can be told from text: the first thing of the
 * answer, or after a line feed, which is added where the content does not end in one. Nothing is added after a block.
 */
export const toTags = (tag: ThinkTag): ThinkingMachine => {
  const thought = thoughtIn(tag)
  return {
    initial: lineStart,
    restart: (state) => state,
    isThinking: () => false,
    step: (state, piece) => {
      const { field, text } = piece
      if (text === "") return [state, nothing]
      if (field === "reasoning") {
        if (state.place === "thought") return [state, [{ field: "content", text }]]
        return [thought, [{ field: "content", text: (state.lineStart ? tag.open : `\n${tag.open}`) + text }]]
      }
      const after = textAt(isLineStart(text, text.length, state.lineStart))
      return [after, [state.place === "thought" ? { field, text: tag.close + text } : piece]]
    },
    halt: (state) => (state.place === "thought" ? [{ field: "content", text: tag.close }] : nothing),
  }
}
