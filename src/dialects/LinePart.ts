/** A part of an answer in its line: what is said of it, what of that waits for its turn, and whether it can be told to its end. */
import type { AnswerEvent, PartBeginning } from "./Answer.ts"
import { WholeJson } from "./WholeJson.ts"

/**
 * What ends a part: that it is said to be over; or, in a dialect that never says so, that the next one begins. A call then ends once its input is whole,
 * since several are told at once. What is given whole is said to be over, and its input is as it was made.
 */
export type EndsBy = "close" | "next" | "given"

/** What it takes to hold an event beside its text, at least. */
const eventWeight = 16

/** What it takes to hold an event, in UTF-16 units. */
export const weightOf = (event: AnswerEvent): number => {
  switch (event.kind) {
    case "more":
      return eventWeight + event.text.length
    case "cited":
      return 8 * eventWeight + event.citation.url.length + event.citation.title.length
    case "sealed":
      return 8 * eventWeight + event.seal.sealed.length
    case "part_begins": {
      const { part } = event
      return 64 * eventWeight + (part.kind === "tool_call" ? part.id.length + part.name.length : 0)
    }
    default:
      return 8 * eventWeight
  }
}

/** Of an input that is said again, so much is compared. */
const mostCompared = 64 * 1024

/** Inputs of nothing. */
const nothing: ReadonlySet<string> = new Set(["{}", "null"])

/** Mutable on purpose: one part. */
export class LinePart {
  readonly key: string
  readonly head: PartBeginning
  readonly endsBy: EndsBy
  /** Of the input of a function; free-form tools take any text. */
  readonly #json: WholeJson | undefined
  #held: Array<AnswerEvent> = []
  /** Of what is held. */
  weight = 0
  isClosed = false
  /** Something was said: of an input, something that is not nothing. */
  hasSaid = false
  /** What is said next is another section. */
  #isApart = false
  /** The input is said to be nothing, which is told at its end. */
  #isNothing = false
  /** The beginning of the input. */
  #input = ""

  constructor(key: string, head: PartBeginning, endsBy: EndsBy) {
    this.key = key
    this.head = head
    this.endsBy = endsBy
    this.#json =
      head.kind === "tool_call" && !head.isFreeForm && endsBy !== "given" ? new WholeJson() : undefined
  }

  /** Its input stops before its end. What does not begin as JSON of several values has no end to be seen. */
  get isHalf(): boolean {
    return this.#json?.isHalf === true
  }

  /** A function of which no input was said. */
  get isUnsaid(): boolean {
    return this.#json !== undefined && !this.hasSaid
  }

  /** It may be ended where others wait. */
  get isWhole(): boolean {
    return this.#json === undefined || this.#json.isWhole || this.#isNothing
  }

  /** Whether its input is whole, and this text is not that again. */
  isBehindIt(text: string): boolean {
    if (!this.isWhole || this.#json === undefined || text.trim() === "") return false
    return this.#input.length < mostCompared && !this.#input.startsWith(text) && !this.#isNothing
  }

  /** What of a text belongs to it. Of the input of a function, what follows its end is none of it: several servers say it all again. */
  own(text: string): string {
    const json = this.#json
    if (json === undefined) return text
    if (!this.hasSaid) {
      const said = text.trimStart()
      if (nothing.has(said)) this.#isNothing = true
      if (said === "" || nothing.has(said)) return ""
      return this.#taken(json, said)
    }
    return this.#taken(json, text)
  }

  #taken(json: WholeJson, text: string): string {
    const own = json.take(text)
    this.#isNothing = false
    if (this.#input.length < mostCompared) this.#input += own
    return own
  }

  /** The next section begins; nothing of it is told before it says something. */
  section(): void {
    if (this.head.kind === "reasoning" && this.hasSaid) this.#isApart = true
  }

  /** Whether a section has to be told before what is said now. */
  takesSection(): boolean {
    const isApart = this.#isApart
    this.#isApart = false
    return isApart
  }

  /** Keeps an event for its turn. Texts that follow each other are kept as one. */
  hold(event: AnswerEvent): void {
    const held = this.#held
    const last = held.at(-1)
    if (event.kind === "more" && last?.kind === "more") {
      held[held.length - 1] = { kind: "more", text: last.text + event.text }
    } else held.push(event)
  }

  /** What was kept, once. */
  released(): ReadonlyArray<AnswerEvent> {
    const held = this.#held
    this.#held = []
    return held
  }
}
