/** What the machines that change thinking have in common: where in a choice's text they are, and what they can be asked. */
import type { Machine } from "../wire/Machine.ts"
import type { Piece } from "./Piece.ts"
import { type ThinkTag, thinkTag } from "./ThinkTag.ts"

/**
 * Where in a choice's content we are.
 *
 * - `opening`: nothing but white space has come
 * - `text`: in text that is the client's
 * - `thought`: in the block that opened the answer (towards tags: in a block we opened)
 * - `gap`: in the white space after the block that opened the answer
 * - `block`: in a later block, which is text unless it closes
 */
type Place = "opening" | "text" | "thought" | "gap" | "block"

export interface ThinkingState {
  readonly place: Place
  /** Whether only white space stands before this place on its line (`text`), or a line feed has come (`gap`). */
  readonly lineStart: boolean
  /** Held back: the white space in `opening`; what follows the tag in `block`. */
  readonly held: string
  /** Held back too: the beginning of a tag that would change the place. */
  readonly pending: string
  /** What opened the block, in `thought` and `block`. */
  readonly tag: ThinkTag
}

/** The tag of places that have none. */
const noTag = thinkTag("")

export const at = (
  place: Place,
  lineStart: boolean,
  held = "",
  pending = "",
  tag = noTag,
): ThinkingState => ({
  place,
  lineStart,
  held,
  pending,
  tag,
})

export const thoughtIn = (tag: ThinkTag, pending = ""): ThinkingState =>
  at("thought", false, "", pending, tag)

export const blockOf = (tag: ThinkTag, held = "", pending = ""): ThinkingState =>
  at("block", false, held, pending, tag)

// The states most pieces leave behind exist once, so that a piece of plain text allocates none.
export const opening = at("opening", false)
export const midLine = at("text", false)
export const lineStart = at("text", true)

export const textAt = (isLineStart: boolean): ThinkingState => (isLineStart ? lineStart : midLine)

/** How much is held back of a content from which blocks are taken out, that is given out where no more comes. */
export const heldBack = ({ held, pending, place, tag }: ThinkingState): number => {
  if (place === "thought" || place === "gap") return 0
  return (place === "block" ? tag.open.length : 0) + held.length + pending.length
}

/** A thinking format's machine, with a way to say that the upstream's own text begins only now. */
export interface ThinkingMachine extends Machine<ThinkingState, Piece, Piece> {
  /**
   * The state in which what comes next is the first thing of the answer, although a prefix went before it. A block or the beginning
   * of a tag that the prefix has opened stays open.
   */
  readonly restart: (state: ThinkingState) => ThinkingState
  /** Whether a block of the content is open that opened the answer. */
  readonly isThinking: (state: ThinkingState) => boolean
}
