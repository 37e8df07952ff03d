/** A streamed answer in chat, read as it comes. */
import { ChunkReader } from "../../answer/transcript/ChunkReader.ts"
import { errorIn } from "../../answer/Verdict.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import { type AnswerEvent, type Finish, isCut } from "../Answer.ts"
import { inputText } from "../CallInput.ts"
import type { EventReading } from "../DialectForm.ts"
import { EventLine } from "../EventLine.ts"
import { numberIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import { citationOf, headOf } from "./ChatAnswer.ts"
import { countsOf, finishOf } from "./ChatFinish.ts"
import { sealsIn } from "./ChatSeals.ts"

/** What a delta says of a call. Custom tools have an input, functions arguments. */
interface CallDelta {
  readonly index: number | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly text: string
  readonly isFreeForm: boolean
}

/** Several hosts give the object itself. */
const argumentsIn = (given: Json | undefined): string =>
  typeof given === "object" && given !== null ? inputText(given) : (textIn(given) ?? "")

const callDelta = (call: JsonObject): CallDelta => {
  const free = objectIn(call["custom"])
  const said = free ?? objectIn(call["function"]) ?? {}
  return {
    index: numberIn(call["index"]),
    id: saidIn(call["id"]),
    name: saidIn(said["name"]),
    text: free === undefined ? argumentsIn(said["arguments"]) : (textIn(free["input"]) ?? ""),
    isFreeForm: free !== undefined,
  }
}

/** What it takes to know a call, in UTF-16 units. */
const callWeight = 256

/** A call of which deltas came. */
interface KnownCall {
  readonly key: string
  id: string | undefined
  /** Its tool, once it is known: then it is open. */
  name: string | undefined
  /** What it was called with before. */
  unnamed: string
}

/** Azure first tells what it filtered of the request, before it knows which answer this is. */
const saysNothing = ({ choices, id, model }: JsonObject): boolean =>
  saidIn(id) === undefined && saidIn(model) === undefined && objectsIn(choices).length === 0

/** Foundry Local counts the chunks where others number the choices: a choice that is alone is the first. */
const firstOf = (choices: ReadonlyArray<JsonObject>): JsonObject | undefined =>
  choices.find(({ index }) => (index ?? 0) === 0) ?? (choices.length === 1 ? choices[0] : undefined)

/** Mutable on purpose: one stream. */
class Reader implements EventReading {
  readonly #chunks = new ChunkReader()
  readonly #line: EventLine
  /** The last call of each index: several servers give all of them the same, or none. */
  readonly #byIndex = new Map<number | undefined, KnownCall>()
  #lastCall: KnownCall | undefined
  /** Calls of which deltas came, and those that were named. */
  #begun = 0
  #calls = 0
  #finish: Finish | undefined

  constructor(ownId: string | undefined) {
    this.#line = new EventLine(ownId)
  }

  get isFinished(): boolean {
    return this.#finish !== undefined
  }

  take(events: Iterable<SseEvent>): ReadonlyArray<AnswerEvent> {
    for (const event of events) {
      if (this.#line.isOver) break
      this.#read(event)
    }
    return this.#line.take()
  }

  rest(): ReadonlyArray<AnswerEvent> {
    this.#end()
    return this.#line.take()
  }

  #end(): void {
    if (this.#finish === undefined) return
    for (const { name, unnamed } of this.#byIndex.values()) {
      if (name === undefined && unnamed.trim() !== "") this.#line.failUnnamed()
    }
    this.#line.end(this.#finish)
  }

  #read(event: SseEvent): void {
    if (isDone(event)) {
      this.#end()
      return
    }
    const chunk = this.#chunks.read(event.data)
    if (chunk === undefined) return
    const error = errorIn(chunk)
    if (error !== undefined) {
      this.#line.fail(error)
      return
    }
    if (!this.#line.hasBegun && !saysNothing(chunk)) this.#line.begin(headOf(chunk))
    this.#choice(chunk)
    if (objectIn(chunk["usage"]) !== undefined) this.#line.count(countsOf(chunk["usage"]))
  }

  #choice({ choices }: JsonObject): void {
    const choice = firstOf(objectsIn(choices))
    if (choice === undefined) return
    this.#delta(objectIn(choice["delta"]) ?? {})
    // The word of an answer that was cut stands, whatever its server says behind it.
    if (this.#finish === undefined || !isCut(this.#finish))
      this.#finish = finishOf(choice, this.#calls > 0) ?? this.#finish
  }

  #delta(delta: JsonObject): void {
    this.#say("reasoning", saidIn(delta["reasoning_content"]) ?? saidIn(delta["reasoning"]))
    for (const seal of sealsIn(delta)) {
      this.#open("reasoning")
      this.#line.seal("reasoning", seal)
    }
    this.#say("text", saidIn(delta["content"]))
    this.#say("refusal", saidIn(delta["refusal"]))
    for (const annotation of objectsIn(delta["annotations"])) {
      const citation = citationOf(annotation)
      if (citation !== undefined) this.#line.cite("text", citation)
    }
    for (const call of objectsIn(delta["tool_calls"])) this.#call(callDelta(call))
    const old = objectIn(delta["function_call"])
    if (old !== undefined) this.#call(callDelta({ index: 0, function: old }))
  }

  #open(kind: "text" | "refusal" | "reasoning"): void {
    if (!this.#line.has(kind)) this.#line.open(kind, { kind }, "next")
  }

  #say(kind: "text" | "refusal" | "reasoning", text: string | undefined): void {
    if (text === undefined) return
    this.#open(kind)
    this.#line.more(kind, text)
  }

  #call(delta: CallDelta): void {
    const call = this.#callOf(delta)
    const { isFreeForm, name, text } = delta
    if (call.name !== undefined) {
      this.#line.more(call.key, text)
      return
    }
    if (name === undefined) {
      this.#line.keep(text.length)
      call.unnamed += text
      return
    }
    call.name = name
    this.#calls += 1
    this.#line.open(call.key, { kind: "tool_call", id: call.id ?? "", name, isFreeForm }, "next")
    this.#line.more(call.key, call.unnamed + text)
    call.unnamed = ""
  }

  #callOf(delta: CallDelta): KnownCall {
    const { id, index } = delta
    const last = this.#byIndex.get(index) ?? (index === undefined ? this.#lastCall : undefined)
    if (last !== undefined && !this.#isNext(last, delta)) {
      last.id ??= id
      return last
    }
    const call: KnownCall = { key: `${this.#begun++}`, id, name: undefined, unnamed: "" }
    this.#line.keep(callWeight + (id?.length ?? 0))
    this.#byIndex.set(index, call)
    this.#lastCall = call
    return call
  }

  /**
   * A delta belongs to the call of its index, unless it has another id; or names a tool where that one has its name, and no ids and places are given, or
   * its input is whole and this is another tool, or another input. Poolside and mlx give each delta an id of its own: one that names no tool is more of
   * the call whose input is not whole.
   */
  #isNext(last: KnownCall, { id, index, name, text }: CallDelta): boolean {
    if (id !== undefined && last.id !== undefined && id !== last.id) {
      return name !== undefined || index === undefined || last.name === undefined || this.#isOver(last)
    }
    if (name === undefined || last.name === undefined) return false
    if (index === undefined && id === undefined) return true
    return this.#isOver(last) && (name !== last.name || this.#line.isBehind(last.key, text))
  }

  #isOver({ key }: KnownCall): boolean {
    return !this.#line.has(key) || this.#line.isWhole(key)
  }
}

/** `DialectForm.readEvents`: of the first choice. An answer without a reason why it ended has not ended. */
export const readEvents = (ownId?: string): EventReading => new Reader(ownId)
