/**
 * Parts of an answer that come side by side, put in one line: one is told at a time, and what comes of others meanwhile waits for its turn. Nothing of a
 * part is lost or told twice.
 */
import type { AnswerEvent, PartBeginning } from "./Answer.ts"
import { WholeJson } from "./WholeJson.ts"

/**
 * What ends a part: that it is said to be over; or, in a dialect that never says so, that the next one begins. A call then ends once its input is whole,
 * since several are told at once.
 */
export type EndsBy = "close" | "next"

interface Waiting {
  readonly key: string
  readonly head: PartBeginning
  readonly endsBy: EndsBy
  /** Of the input of a call. */
  readonly json: WholeJson | undefined
  /** What came of it before its turn. */
  readonly held: Array<AnswerEvent>
  /** Of what is held. */
  weight: number
  isClosed: boolean
}

/** The most that waits: UTF-16 units of texts, and some for each event. */
export const mostHeld = 8 * 1024 * 1024

/** The most parts that wait: no model tells as many at once. */
export const mostWaiting = 1_000

const partEnds: AnswerEvent = { kind: "part_ends" }

const tooMuch: AnswerEvent = {
  kind: "error",
  error: {
    message: `The upstream told parts of its answer side by side: more than ${mostWaiting}, or more than ${mostHeld} characters of those that had to wait.`,
    type: "server_error",
    param: null,
    code: "parts_side_by_side",
  },
}

/** Mutable on purpose: one answer. Each method gives the events that can be told by then. */
export class EventLine {
  /** The first is the one that is being told. */
  readonly #line: Array<Waiting> = []
  #held = 0
  #isOver = false

  /** Whether a part of this key is open. */
  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  open(key: string, head: PartBeginning, endsBy: EndsBy): ReadonlyArray<AnswerEvent> {
    if (this.#isOver) return []
    const json = head.kind === "tool_call" && !head.isFreeForm ? new WholeJson() : undefined
    this.#line.push({ key, head, endsBy, json, held: [], weight: 0, isClosed: false })
    if (this.#line.length > mostWaiting) return this.#stop()
    return this.#line.length === 1 ? [{ kind: "part_begins", part: head }] : this.#advance([])
  }

  /** More of a part. Of the input of a call, what follows its end is none of it: several servers say it all again. */
  more(key: string, text: string): ReadonlyArray<AnswerEvent> {
    const part = this.#find(key)
    const said = part?.json === undefined ? text : part.json.take(text)
    return said === "" ? [] : this.add(key, { kind: "more", text: said })
  }

  /** Whatever else is said within a part. */
  add(key: string, event: AnswerEvent): ReadonlyArray<AnswerEvent> {
    const part = this.#find(key)
    if (part === undefined) return []
    if (part === this.#line[0]) return this.#line.length === 1 ? [event] : this.#advance([event])
    const weight = weightOf(event)
    part.weight += weight
    this.#held += weight
    if (this.#held > mostHeld) return this.#stop()
    hold(part.held, event)
    return []
  }

  close(key: string): ReadonlyArray<AnswerEvent> {
    const part = this.#find(key)
    if (part === undefined) return []
    part.isClosed = true
    return this.#advance([])
  }

  /** The answer has come to its end, and with it each part. */
  end(): ReadonlyArray<AnswerEvent> {
    for (const part of this.#line) part.isClosed = true
    return this.#advance([])
  }

  #stop(): ReadonlyArray<AnswerEvent> {
    this.#isOver = true
    this.#line.length = 0
    return [tooMuch]
  }

  #find(key: string): Waiting | undefined {
    return this.#line.find((part) => part.key === key && !part.isClosed)
  }

  #isToEnd({ endsBy, isClosed, json }: Waiting): boolean {
    if (isClosed) return true
    return endsBy === "next" && this.#line.length > 1 && (json === undefined || json.isWhole)
  }

  #advance(events: Array<AnswerEvent>): ReadonlyArray<AnswerEvent> {
    for (let first = this.#line[0]; first !== undefined && this.#isToEnd(first); first = this.#line[0]) {
      events.push(partEnds)
      this.#line.shift()
      const next = this.#line[0]
      if (next === undefined) break
      events.push({ kind: "part_begins", part: next.head })
      for (const held of next.held) events.push(held)
      this.#held -= next.weight
      next.held.length = 0
    }
    return events
  }
}

/** What an event takes up beside its text, at least. */
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

/** Texts that follow each other are held as one. */
const hold = (held: Array<AnswerEvent>, event: AnswerEvent): void => {
  const last = held.at(-1)
  if (event.kind === "more" && last?.kind === "more") {
    held[held.length - 1] = { kind: "more", text: last.text + event.text }
  } else held.push(event)
}
