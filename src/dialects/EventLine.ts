/**
 * Between the readers of events and their writers: whatever an upstream says, and in whatever order, what is told of it is an answer by the rules of
 * `AnswerEvent`. It begins once; of parts that come side by side one is told at a time, and what comes of others meanwhile waits for its turn; nothing
 * of a part is lost or told twice; nothing comes behind the end; and what is held has a most.
 */
import type { ShapedError } from "../errors/SaidError.ts"
import {
  type AnswerEvent,
  type Counts,
  type Finish,
  isCut,
  type NeutralHead,
  noHead,
  type PartBeginning,
} from "./Answer.ts"
import { conserved } from "./ConservedCounts.ts"
import { type EndsBy, LinePart, weightOf } from "./LinePart.ts"
import type { Citation } from "./Part.ts"
import type { Seal } from "./Seal.ts"

/** The most that waits: UTF-16 units of texts, and some for each event. */
export const mostHeld = 8 * 1024 * 1024

/** The most parts that wait: no model tells as many at once. */
export const mostWaiting = 1_000

/** The most that parts, their names and ids take, and what readers keep, in UTF-16 units: about 8,000 parts. */
export const mostKept = 8 * 1024 * 1024

/** The most that is told of what an answer refers to, and of where its reasoning has sections; the rest is left out. */
export const mostAside = 1024 * 1024

/** An id or a name that stands in each event of an answer is no longer than this. */
export const longestName = 512

const partEnds: AnswerEvent = { kind: "part_ends" }

const failure = (message: string, code: string): ShapedError => ({
  message,
  type: "server_error",
  param: null,
  code,
})

const sideBySide = failure(
  `The upstream told parts of its answer side by side: more than ${mostWaiting}, or more than ${mostHeld} characters of those that had to wait.`,
  "parts_side_by_side",
)

const tooMuch = failure(
  `The upstream's answer has too many parts, or their names and what is said beside their texts are longer than ${mostKept} characters.`,
  "answer_too_large",
)

const halfInput = failure(
  "The upstream ended the input of a call of a tool before it was whole.",
  "tool_input_cut",
)

const noName = failure("The upstream called a tool without saying which.", "tool_without_name")

/** Mutable on purpose: one answer. What can be told by then is taken. */
export class EventLine {
  #told: Array<AnswerEvent> = []
  /** The first is the one that is being told. */
  readonly #line: Array<LinePart> = []
  readonly #ids = new Set<string>()
  /** Calls that were told to have no input. */
  readonly #emptied = new Set<string>()
  #head: NeutralHead | undefined
  #held = 0
  #kept = 0
  #aside = 0
  #isOver = false
  readonly #ownId: string

  /** @param ownId the id of an answer whose upstream tells none; its calls without ids are named after it, too */
  constructor(ownId = "") {
    this.#ownId = ownId
  }

  /** What can be told since it was taken last. */
  take(): ReadonlyArray<AnswerEvent> {
    const told = this.#told
    this.#told = []
    return told
  }

  /** It has come to its end, or failed: nothing more is told. */
  get isOver(): boolean {
    return this.#isOver
  }

  get hasBegun(): boolean {
    return this.#head !== undefined
  }

  begin(head: NeutralHead): void {
    if (this.#head !== undefined || this.#isOver) return
    const { id, model, serviceTier } = head
    this.#head = {
      ...head,
      id: (id === "" ? this.#ownId : id).slice(0, longestName),
      model: model.slice(0, longestName),
      serviceTier: serviceTier?.slice(0, longestName),
    }
    this.#told.push({ kind: "begins", head: this.#head })
  }

  /** Whether a part of this key is open. */
  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  /** Whether the input of this open call is whole. */
  isWhole(key: string): boolean {
    return this.#find(key)?.isWhole === true
  }

  /** Whether the input of this call is whole, and this text is not that again. */
  isBehind(key: string, text: string): boolean {
    return this.#find(key)?.isBehindIt(text) === true
  }

  open(key: string, head: PartBeginning, endsBy: EndsBy): void {
    if (this.#isOver) return
    this.begin(noHead)
    const part = this.#withId(head)
    this.keep(weightOf({ kind: "part_begins", part }))
    if (this.#isOver) return
    this.#line.push(new LinePart(key, part, endsBy))
    if (this.#line.length > mostWaiting) this.fail(sideBySide)
    else if (this.#line.length === 1) this.#tell({ kind: "part_begins", part })
    else this.#advance(undefined)
  }

  more(key: string, text: string): void {
    const part = this.#find(key)
    if (part === undefined) {
      if (this.#emptied.has(key) && text.trim() !== "") this.fail(halfInput)
      return
    }
    const own = part.own(text)
    if (own === "") return
    part.hasSaid = true
    if (part.takesSection()) this.#say(part, { kind: "section" })
    this.#say(part, { kind: "more", text: own })
  }

  cite(key: string, citation: Citation): void {
    const part = this.#find(key)
    const event: AnswerEvent = { kind: "cited", citation }
    if (part?.head.kind === "text" && this.#hasRoomFor(event)) this.#say(part, event)
  }

  section(key: string): void {
    if (this.#hasRoomFor({ kind: "section" })) this.#find(key)?.section()
  }

  /** The last that is said of a part. */
  seal(key: string, seal: Seal): void {
    const part = this.#find(key)
    if (part?.head.kind !== "reasoning") return
    this.#say(part, { kind: "sealed", seal })
    this.close(key)
  }

  close(key: string): void {
    const part = this.#find(key)
    if (part === undefined) return
    part.isClosed = true
    this.#advance(undefined)
  }

  count(counts: Counts): void {
    this.begin(noHead)
    this.#tell({ kind: "counts", counts: conserved(counts) })
  }

  /**
   * The answer has come to its end, and with it each part.
   *
   * @param refusal why the model refused, told behind all else
   */
  end(finish: Finish, refusal?: string): void {
    this.begin(noHead)
    for (const part of this.#line) part.isClosed = true
    this.#advance(finish)
    if (refusal !== undefined) {
      this.#tell({ kind: "part_begins", part: { kind: "refusal" } })
      this.#tell({ kind: "more", text: refusal })
      this.#tell(partEnds)
    }
    this.#tell({ kind: "ends", finish })
    this.#isOver = true
  }

  fail(error: ShapedError): void {
    this.#tell({ kind: "error", error })
    this.#line.length = 0
    this.#isOver = true
  }

  /** A call whose tool is never named. */
  failUnnamed(): void {
    this.fail(noName)
  }

  /** So many units are kept of the answer beside its parts; fewer, where they are negative. */
  keep(units: number): void {
    this.#kept += units
    if (this.#kept > mostKept) this.fail(tooMuch)
  }

  #tell(event: AnswerEvent): void {
    if (!this.#isOver) this.#told.push(event)
  }

  #hasRoomFor(event: AnswerEvent): boolean {
    this.#aside += weightOf(event)
    return this.#aside <= mostAside
  }

  /** Each call has an id of its own, which no other answer gives. */
  #withId(head: PartBeginning): PartBeginning {
    if (head.kind !== "tool_call") return head
    const isOwn = head.id !== "" && !this.#ids.has(head.id)
    const id = isOwn ? head.id : madeId(this.#head?.id ?? "", this.#ids.size)
    this.#ids.add(id)
    return isOwn ? head : { ...head, id }
  }

  #find(key: string): LinePart | undefined {
    for (const part of this.#line) if (part.key === key && !part.isClosed) return part
    return undefined
  }

  #say(part: LinePart, event: AnswerEvent): void {
    if (part === this.#line[0]) {
      this.#tell(event)
      if (this.#line.length > 1) this.#advance(undefined)
      return
    }
    const weight = weightOf(event)
    part.weight += weight
    this.#held += weight
    if (this.#held > mostHeld) this.fail(sideBySide)
    else this.#wait(part, event)
  }

  /** What is said behind a call of which no input was said proves that it has none, unless it is another call, or nothing to be seen. */
  #wait(part: LinePart, event: AnswerEvent): void {
    part.hold(event)
    const [first, next] = this.#line
    if (
      first?.isUnsaid !== true ||
      first.endsBy !== "next" ||
      part !== next ||
      part.head.kind === "tool_call"
    )
      return
    if (event.kind === "more" && event.text.trim() !== "") {
      first.isClosed = true
      this.#advance(undefined)
    }
  }

  /** @param finish of the answer, once it has come to its end */
  #isToEnd(first: LinePart, finish: Finish | undefined): boolean {
    const next = this.#line[1]
    // Whether it was cut is known by what follows.
    if (first.isClosed) return finish !== undefined || next !== undefined || !(first.isUnsaid || first.isHalf)
    return first.endsBy === "next" && next !== undefined && first.isWhole
  }

  #advance(finish: Finish | undefined): void {
    for (let first = this.#line[0]; first !== undefined; first = this.#line[0]) {
      if (!this.#isToEnd(first, finish)) return
      this.#endInput(first, finish)
      this.#tell(partEnds)
      this.#line.shift()
      const next = this.#line[0]
      if (next === undefined) return
      this.#tell({ kind: "part_begins", part: next.head })
      for (const held of next.released()) this.#tell(held)
      this.#held -= next.weight
    }
  }

  /** An input is JSON, and whole unless it was cut. */
  #endInput(part: LinePart, finish: Finish | undefined): void {
    if (finish !== undefined && isCut(finish) && this.#line.length === 1) return
    if (part.isHalf) this.fail(halfInput)
    else if (part.isUnsaid) {
      this.#emptied.add(part.key)
      this.#tell({ kind: "more", text: "{}" })
    }
  }
}

const madeId = (answer: string, at: number): string =>
  `call_${answer.replace(/[^\w-]/g, "").slice(0, 40)}_${at}`
