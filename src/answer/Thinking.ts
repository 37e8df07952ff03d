/**
 * Converts between the ways upstreams send reasoning: as `<think>…</think>` in the content, or beside it.
 *
 * `<think>` is a tag where it is the first thing of the answer or of a line (white space aside); elsewhere it is text. The first
 * `</think>` after it closes the block. A block that opened the answer and never closes is thinking to its end; a later one that
 * never closes is text.
 */
import type { ThinkingFormat } from "../routing/Upstream.ts"
import type { Machine } from "../wire/Machine.ts"
import type { Piece } from "./Piece.ts"

const OPEN = "<think>"
const CLOSE = "</think>"

/** UTF-16 code units that are held back at most, for a block that may never close or for white space before the first text. */
export const defaultMaxHeld = 1024 * 1024

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
  /** Characters, held back too, of the tag that would change the place. */
  readonly matched: number
}

const at = (place: Place, lineStart = false, held = "", matched = 0): ThinkingState => ({
  place,
  lineStart,
  held,
  matched,
})

// The states most pieces leave behind exist once, so that a piece of plain text allocates none.
const opening = at("opening")
const midLine = at("text")
const lineStart = at("text", true)
const thought = at("thought")

const textAt = (isLineStart: boolean): ThinkingState => (isLineStart ? lineStart : midLine)

const nothing: ReadonlyArray<Piece> = []

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** The first index that is not white space (space, tab, line feed, carriage return). */
const skipSpace = (text: string): number => {
  let i = 0
  while (i < text.length && isSpace(text.charCodeAt(i))) i++
  return i
}

/** Whether only white space stands on its line before `end`; `before` says it of the place where the text begins. */
const isLineStart = (text: string, end: number, before: boolean): boolean => {
  for (let i = end - 1; i >= 0; i--) {
    const code = text.charCodeAt(i)
    if (code === 0x0a) return true
    if (!isSpace(code)) return false
  }
  return before
}

/** How much of the end of `text` may be the beginning of `tag`, whose only `<` is its first character. */
const matchedAtEnd = (text: string, tag: string): number => {
  const from = text.lastIndexOf("<")
  return from !== -1 && isBeginning(text, from, tag) ? text.length - from : 0
}

/** Whether all of `text` from an index on is the beginning of `tag`, and not yet the whole. */
const isBeginning = (text: string, from: number, tag: string): boolean =>
  text.length - from < tag.length && tag.startsWith(text.slice(from))

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

/** Adds text to what a step gives out: neighbours of one field become one piece, so no surrogate pair is cut here. */
const give = (outputs: Array<Piece>, field: Piece["field"], text: string): void => {
  if (text === "") return
  const last = outputs.at(-1)
  if (last?.field === field) outputs[outputs.length - 1] = { field, text: last.text + text }
  else outputs.push({ field, text })
}

/** What a place makes of a text: the place after it, and what of the text is still to be read there. */
type Reading = readonly [state: ThinkingState, rest: string]

/** Takes blocks out of the content; `take` says what becomes of their inner text. */
const fromTags = (take: (outputs: Array<Piece>, inner: string) => void, maxHeld: number): ThinkingMachine => {
  const readOpening = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
    const start = skipSpace(text)
    const space = state.held + text.slice(0, start)
    if (space.length <= maxHeld) {
      if (start === text.length) return [at("opening", false, space), ""]
      if (text.startsWith(OPEN, start)) return [thought, text.slice(start + OPEN.length)]
      if (isBeginning(text, start, OPEN)) return [at("opening", false, space, text.length - start), ""]
    }
    give(outputs, "content", space)
    return [lineStart, text.slice(start)]
  }

  const readText = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
    for (let i = text.indexOf("<"); i !== -1; i = text.indexOf("<", i + 1)) {
      if (!isLineStart(text, i, state.lineStart)) continue
      const isTag = text.startsWith(OPEN, i)
      if (isTag || isBeginning(text, i, OPEN)) {
        give(outputs, "content", text.slice(0, i))
        return isTag
          ? [at("block"), text.slice(i + OPEN.length)]
          : [at("text", true, "", text.length - i), ""]
      }
    }
    give(outputs, "content", text)
    return [textAt(isLineStart(text, text.length, state.lineStart)), ""]
  }

  const readThought = (text: string, outputs: Array<Piece>): Reading => {
    const end = text.indexOf(CLOSE)
    if (end !== -1) {
      take(outputs, text.slice(0, end))
      return [at("gap"), text.slice(end + CLOSE.length)]
    }
    const matched = matchedAtEnd(text, CLOSE)
    take(outputs, text.slice(0, text.length - matched))
    return [matched === 0 ? thought : at("thought", false, "", matched), ""]
  }

  const readGap = (state: ThinkingState, text: string): Reading => {
    const start = skipSpace(text)
    const lineFeed = state.lineStart || text.slice(0, start).includes("\n")
    return start === text.length ? [at("gap", lineFeed), ""] : [textAt(lineFeed), text.slice(start)]
  }

  const readBlock = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
    const end = text.slice(0, maxHeld - OPEN.length - state.held.length).indexOf(CLOSE)
    if (end !== -1) {
      take(outputs, state.held + text.slice(0, end))
      return [midLine, text.slice(end + CLOSE.length)]
    }
    if (OPEN.length + state.held.length + text.length < maxHeld) {
      const matched = matchedAtEnd(text, CLOSE)
      return [at("block", false, state.held + text.slice(0, text.length - matched), matched), ""]
    }
    // Given out up to the limit exactly, so that it does not matter how the text was cut.
    const whole = OPEN + state.held + text
    const given = whole.slice(0, maxHeld)
    give(outputs, "content", given)
    return [textAt(isLineStart(given, given.length, false)), whole.slice(maxHeld)]
  }

  const read = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
    switch (state.place) {
      case "opening":
        return readOpening(state, OPEN.slice(0, state.matched) + text, outputs)
      case "text":
        return readText(state, OPEN.slice(0, state.matched) + text, outputs)
      case "thought":
        return readThought(CLOSE.slice(0, state.matched) + text, outputs)
      case "gap":
        return readGap(state, text)
      case "block":
        return readBlock(state, CLOSE.slice(0, state.matched) + text, outputs)
    }
  }

  return {
    initial: opening,
    restart: (state) => (state.place === "text" && state.matched === 0 ? opening : state),
    isThinking: (state) => state.place === "thought",
    step: (given, piece) => {
      const { field, text } = piece
      if (text === "") return [given, nothing]
      if (field === "reasoning") return [given, [piece]]
      if (given.place === "text" && given.matched === 0 && text.indexOf("<") === -1) {
        return [textAt(isLineStart(text, text.length, given.lineStart)), [piece]]
      }
      const outputs: Array<Piece> = []
      let state = given
      let rest = text
      while (rest !== "") [state, rest] = read(state, rest, outputs)
      return [state, outputs]
    },
    halt: (state) => {
      const outputs: Array<Piece> = []
      switch (state.place) {
        case "opening":
        case "text":
          give(outputs, "content", state.held + OPEN.slice(0, state.matched))
          break
        case "thought":
          take(outputs, CLOSE.slice(0, state.matched))
          break
        case "gap":
          break
        case "block":
          give(outputs, "content", OPEN + state.held + CLOSE.slice(0, state.matched))
          break
      }
      return outputs
    },
  }
}

/**
 * Writes reasoning into the content as blocks. A block begins a line, so that it can be told from text: the first thing of the
 * answer, or after a line feed, which is added where the content does not end in one. Nothing is added after a block.
 */
const toTags: ThinkingMachine = {
  initial: lineStart,
  restart: (state) => state,
  isThinking: () => false,
  step: (state, piece) => {
    const { field, text } = piece
    if (text === "") return [state, nothing]
    if (field === "reasoning") {
      if (state.place === "thought") return [state, [{ field: "content", text }]]
      return [thought, [{ field: "content", text: (state.lineStart ? OPEN : `\n${OPEN}`) + text }]]
    }
    const after = textAt(isLineStart(text, text.length, state.lineStart))
    return [after, [state.place === "thought" ? { field, text: CLOSE + text } : piece]]
  },
  halt: (state) => (state.place === "thought" ? [{ field: "content", text: CLOSE }] : nothing),
}

/**
 * The machine of a thinking format, for one choice. An empty piece gives nothing.
 *
 * - `strip` removes blocks from the content, and the white space around a block that opened it; reasoning pieces pass.
 * - `reasoning`, `reasoning_content` do the same, and give a block's inner text out as reasoning. (They differ in what the member
 *   is called on the wire, which is not known here.)
 * - `think_tag` writes reasoning pieces into the content as blocks.
 *
 * White space before the first text is held back, since it goes if a block follows; so are the beginning of a tag and a later
 * block until it closes. A later block of more than `maxHeld` code units, tags counted, is text up to that length and read on from
 * there; white space of more than `maxHeld` before the first text is text.
 *
 * @param maxHeld at least the length of both tags
 */
export const thinking = (
  format: Exclude<ThinkingFormat, "passthrough">,
  maxHeld = defaultMaxHeld,
): ThinkingMachine => {
  switch (format) {
    case "strip":
      return fromTags(() => {}, maxHeld)
    case "reasoning":
    case "reasoning_content":
      return fromTags((outputs, inner) => give(outputs, "reasoning", inner), maxHeld)
    case "think_tag":
      return toTags
  }
}
