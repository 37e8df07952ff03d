/**
 * Takes blocks of thinking out of the content.
 *
 * A block that opened the answer and never closes is thinking to its end; a later one that never closes is text.
 */
import type { Piece } from "./Piece.ts"
import {
  at,
  blockOf,
  lineStart,
  midLine,
  opening,
  type ThinkingMachine,
  type ThinkingState,
  textAt,
  thoughtIn,
} from "./ThinkingMachine.ts"
import { closingAtEnd, isLineStart, mayOpen, skipSpace, type ThinkTag, tagAt } from "./ThinkTag.ts"

const nothing: ReadonlyArray<Piece> = []

/** Adds text to what a step gives out: neighbours of one field become one piece, so no surrogate pair is cut here. */
export const give = (outputs: Array<Piece>, field: Piece["field"], text: string): void => {
  if (text === "") return
  const last = outputs.at(-1)
  if (last?.field === field) outputs[outputs.length - 1] = { field, text: last.text + text }
  else outputs.push({ field, text })
}

/** What is taken out, and what becomes of it. */
export interface TakenBlocks {
  readonly tags: ReadonlyArray<ThinkTag>
  /** Gives out of a block's inner text what is to stay of it. */
  readonly take: (outputs: Array<Piece>, inner: string) => void
  readonly maxHeld: number
}

/** What a place makes of a text: the place after it, and what of the text is still to be read there. */
type Reading = readonly [state: ThinkingState, rest: string]

type Read = (blocks: TakenBlocks, state: ThinkingState, text: string, outputs: Array<Piece>) => Reading

const readOpening: Read = ({ maxHeld, tags }, state, text, outputs) => {
  const start = skipSpace(text)
  const space = state.held + text.slice(0, start)
  if (space.length <= maxHeld) {
    if (start === text.length) return [at("opening", false, space), ""]
    const tag = tagAt(tags, text, start)
    if (tag !== undefined) return [thoughtIn(tag), text.slice(start + tag.open.length)]
    if (mayOpen(tags, text, start)) return [at("opening", false, space, text.slice(start)), ""]
  }
  give(outputs, "content", space)
  return [lineStart, text.slice(start)]
}

const readText: Read = ({ tags }, state, text, outputs) => {
  for (let i = text.indexOf("<"); i !== -1; i = text.indexOf("<", i + 1)) {
    if (!isLineStart(text, i, state.lineStart)) continue
    const tag = tagAt(tags, text, i)
    if (tag !== undefined || mayOpen(tags, text, i)) {
      give(outputs, "content", text.slice(0, i))
      return tag === undefined
        ? [at("text", true, "", text.slice(i)), ""]
        : [blockOf(tag), text.slice(i + tag.open.length)]
    }
  }
  give(outputs, "content", text)
  return [textAt(isLineStart(text, text.length, state.lineStart)), ""]
}

const readThought: Read = ({ take }, state, text, outputs) => {
  const { tag } = state
  const end = text.indexOf(tag.close)
  if (end !== -1) {
    take(outputs, text.slice(0, end))
    return [at("gap", false), text.slice(end + tag.close.length)]
  }
  const pending = closingAtEnd(text, tag)
  take(outputs, text.slice(0, text.length - pending.length))
  return [pending === state.pending ? state : thoughtIn(tag, pending), ""]
}

const readGap: Read = (_blocks, state, text) => {
  const start = skipSpace(text)
  const lineFeed = state.lineStart || text.slice(0, start).includes("\n")
  return start === text.length ? [at("gap", lineFeed), ""] : [textAt(lineFeed), text.slice(start)]
}

const readBlock: Read = ({ maxHeld, take }, state, text, outputs) => {
  const { held, tag } = state
  const end = text.slice(0, maxHeld - tag.open.length - held.length).indexOf(tag.close)
  if (end !== -1) {
    take(outputs, held + text.slice(0, end))
    return [midLine, text.slice(end + tag.close.length)]
  }
  if (tag.open.length + held.length + text.length < maxHeld) {
    const pending = closingAtEnd(text, tag)
    return [blockOf(tag, held + text.slice(0, text.length - pending.length), pending), ""]
  }
  // Given out up to the limit exactly, so that it does not matter how the text was cut.
  const whole = tag.open + held + text
  const given = whole.slice(0, maxHeld)
  give(outputs, "content", given)
  return [textAt(isLineStart(given, given.length, false)), whole.slice(maxHeld)]
}

const read: Read = (blocks, state, piece, outputs) => {
  const text = state.pending + piece
  switch (state.place) {
    case "opening":
      return readOpening(blocks, state, text, outputs)
    case "text":
      return readText(blocks, state, text, outputs)
    case "thought":
      return readThought(blocks, state, text, outputs)
    case "gap":
      return readGap(blocks, state, text, outputs)
    case "block":
      return readBlock(blocks, state, text, outputs)
  }
}

/** What is given out of what was held back, once no more comes. */
const flush = ({ take }: TakenBlocks, state: ThinkingState): ReadonlyArray<Piece> => {
  const outputs: Array<Piece> = []
  switch (state.place) {
    case "opening":
    case "text":
      give(outputs, "content", state.held + state.pending)
      break
    case "thought":
      take(outputs, state.pending)
      break
    case "gap":
      break
    case "block":
      give(outputs, "content", state.tag.open + state.held + state.pending)
      break
  }
  return outputs
}

/** The machine that takes blocks out. */
export const fromTags = (blocks: TakenBlocks): ThinkingMachine => ({
  initial: opening,
  restart: (state) => (state.place === "text" && state.pending === "" ? opening : state),
  isThinking: (state) => state.place === "thought",
  step: (given, piece) => {
    const { field, text } = piece
    if (text === "") return [given, nothing]
    if (field === "reasoning") return [given, [piece]]
    if (given.place === "text" && given.pending === "" && text.indexOf("<") === -1) {
      return [textAt(isLineStart(text, text.length, given.lineStart)), [piece]]
    }
    const outputs: Array<Piece> = []
    let state = given
    let rest = text
    while (rest !== "") [state, rest] = read(blocks, state, rest, outputs)
    return [state, outputs]
  },
  halt: (state) => flush(blocks, state),
})
