/**
 * Converts between the ways upstreams send reasoning: as `<think>…</think>` in the content, or beside it. ThinkTag.ts says what a tag is.
 *
 * A block that opened the answer and never closes is thinking to its end; a later one that never closes is text.
 */
import type { ThinkingFormat } from "../routing/Upstream.ts"
import type { Machine } from "../wire/Machine.ts"
import type { Piece } from "./Piece.ts"
import {
  closingAtEnd,
  defaultThinkingTags,
  isLineStart,
  mayOpen,
  skipSpace,
  type ThinkTag,
  tagAt,
  thinkTag,
} from "./ThinkTag.ts"

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
  /** Held back too: the beginning of a tag that would change the place. */
  readonly pending: string
  /** What opened the block, in `thought` and `block`. */
  readonly tag: ThinkTag
}

/** The tag of places that have none. */
const noTag = thinkTag("")

const at = (place: Place, lineStart: boolean, held = "", pending = "", tag = noTag): ThinkingState => ({
  place,
  lineStart,
  held,
  pending,
  tag,
})

const thoughtIn = (tag: ThinkTag, pending = ""): ThinkingState => at("thought", false, "", pending, tag)

const blockOf = (tag: ThinkTag, held = "", pending = ""): ThinkingState =>
  at("block", false, held, pending, tag)

// The states most pieces leave behind exist once, so that a piece of plain text allocates none.
const opening = at("opening", false)
const midLine = at("text", false)
const lineStart = at("text", true)

const textAt = (isLineStart: boolean): ThinkingState => (isLineStart ? lineStart : midLine)

const nothing: ReadonlyArray<Piece> = []

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
const fromTags = (
  tags: ReadonlyArray<ThinkTag>,
  take: (outputs: Array<Piece>, inner: string) => void,
  maxHeld: number,
): ThinkingMachine => {
  const readOpening = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
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

  const readText = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
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

  const readThought = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
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

  const readGap = (state: ThinkingState, text: string): Reading => {
    const start = skipSpace(text)
    const lineFeed = state.lineStart || text.slice(0, start).includes("\n")
    return start === text.length ? [at("gap", lineFeed), ""] : [textAt(lineFeed), text.slice(start)]
  }

  const readBlock = (state: ThinkingState, text: string, outputs: Array<Piece>): Reading => {
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

  const read = (state: ThinkingState, piece: string, outputs: Array<Piece>): Reading => {
    const text = state.pending + piece
    switch (state.place) {
      case "opening":
        return readOpening(state, text, outputs)
      case "text":
        return readText(state, text, outputs)
      case "thought":
        return readThought(state, text, outputs)
      case "gap":
        return readGap(state, text)
      case "block":
        return readBlock(state, text, outputs)
    }
  }

  return {
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
      while (rest !== "") [state, rest] = read(state, rest, outputs)
      return [state, outputs]
    },
    halt: (state) => {
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
    },
  }
}

/**
 * Writes reasoning into the content as blocks. A block begins a line, so that it can be told from text: the first thing of the
 * answer, or after a line feed, which is added where the content does not end in one. Nothing is added after a block.
 */
const toTags = (tag: ThinkTag): ThinkingMachine => {
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
 * `tags` are the names of tags that are read; `think_tag` writes the first.
 */
export const thinking = (
  format: Exclude<ThinkingFormat, "passthrough">,
  { maxHeld = defaultMaxHeld, tags: names = defaultThinkingTags }: ThinkingOptions = {},
): ThinkingMachine => {
  const tags = names.map(thinkTag)
  switch (format) {
    case "strip":
      return fromTags(tags, () => {}, maxHeld)
    case "reasoning":
    case "reasoning_content":
      return fromTags(tags, (outputs, inner) => give(outputs, "reasoning", inner), maxHeld)
    case "think_tag":
      return toTags(tags[0] ?? thinkTag(defaultThinkingTags[0]))
  }
}

export interface ThinkingOptions {
  readonly tags?: ReadonlyArray<string>
  /** At least the length of a tag. */
  readonly maxHeld?: number
}

/** A whole text without its thinking: what `strip` gives of an answer of this text, however long a block is. */
export const withoutThinking = (text: string, tags: ReadonlyArray<string>): string => {
  if (!text.includes("<")) return text
  const strip = thinking("strip", { tags, maxHeld: Number.POSITIVE_INFINITY })
  const [state, pieces] = strip.step(strip.initial, { field: "content", text })
  return [...pieces, ...strip.halt(state)].map((piece) => piece.text).join("")
}
