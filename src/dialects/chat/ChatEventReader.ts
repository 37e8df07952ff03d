/** A streamed answer in chat, read as it comes. */
import { ChunkReader } from "../../answer/transcript/ChunkReader.ts"
import { errorIn } from "../../answer/Verdict.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { isDone, type SseEvent } from "../../wire/Sse.ts"
import type { AnswerEvent, Finish, PartBeginning } from "../Answer.ts"
import type { EventReading } from "../DialectForm.ts"
import { EventLine } from "../EventLine.ts"
import { numberIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import { citationOf, headOf } from "./ChatAnswer.ts"
import { countsOf, finishOf } from "./ChatFinish.ts"
import { sealsIn } from "./ChatSeals.ts"

type Events = ReadonlyArray<AnswerEvent>

const none: Events = []

/** One by one: a list may be longer than a call takes arguments. */
const add = (events: Array<AnswerEvent>, more: Events): void => {
  for (const event of more) events.push(event)
}

/** What a delta says of a call. Custom tools have an input, functions arguments. */
interface CallDelta {
  readonly index: number | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly text: string
  readonly isFreeForm: boolean
}

const callDelta = (call: JsonObject): CallDelta => {
  const free = objectIn(call["custom"])
  const said = free ?? objectIn(call["function"]) ?? {}
  return {
    index: numberIn(call["index"]),
    id: saidIn(call["id"]),
    name: saidIn(said["name"]),
    text: textIn(free === undefined ? said["arguments"] : said["input"]) ?? "",
    isFreeForm: free !== undefined,
  }
}

/** A call of which deltas came. */
interface KnownCall {
  readonly key: string
  id: string | undefined
  /** What it was called with before its name was known; `undefined` once it is open. */
  unnamed: string | undefined
}

/** Mutable on purpose: one stream. */
class Reader implements EventReading {
  readonly #chunks = new ChunkReader()
  readonly #line = new EventLine()
  readonly #calls: Array<KnownCall> = []
  /** The last call of each index: several servers give all of them the same, or none. */
  readonly #byIndex = new Map<number | undefined, KnownCall>()
  #hasBegun = false
  #isOver = false
  #finish: Finish | undefined

  get isFinished(): boolean {
    return this.#finish !== undefined
  }

  take(events: Iterable<SseEvent>): Events {
    const told: Array<AnswerEvent> = []
    for (const event of events) if (!this.#isOver) for (const one of this.#event(event)) told.push(one)
    return told
  }

  rest(): Events {
    if (this.#isOver || this.#finish === undefined) return none
    this.#isOver = true
    return [...this.#line.end(), { kind: "ends", finish: this.#finish }]
  }

  #event(event: SseEvent): Events {
    if (isDone(event)) return this.rest()
    const chunk = this.#chunks.read(event.data)
    if (chunk === undefined) return none
    const error = errorIn(chunk)
    if (error !== undefined) {
      this.#isOver = true
      return [{ kind: "error", error }]
    }
    return [...this.#begin(chunk), ...this.#choice(chunk), ...this.#counts(chunk)]
  }

  #begin(chunk: JsonObject): Events {
    if (this.#hasBegun) return none
    this.#hasBegun = true
    return [{ kind: "begins", head: headOf(chunk) }]
  }

  #counts({ usage }: JsonObject): Events {
    return objectIn(usage) === undefined ? none : [{ kind: "counts", counts: countsOf(usage) }]
  }

  #choice({ choices }: JsonObject): Events {
    const choice = objectsIn(choices).find(({ index = 0 }) => index === 0)
    if (choice === undefined) return none
    const events = this.#delta(objectIn(choice["delta"]) ?? {})
    this.#finish = finishOf(choice, this.#calls.length > 0) ?? this.#finish
    return events
  }

  #delta(delta: JsonObject): Events {
    const events: Array<AnswerEvent> = []
    const reasoning = saidIn(delta["reasoning_content"]) ?? saidIn(delta["reasoning"])
    if (reasoning !== undefined) add(events, this.#say("reasoning", reasoning))
    for (const seal of sealsIn(delta)) {
      add(events, this.#open("reasoning"))
      add(events, this.#line.add("reasoning", { kind: "sealed", seal }))
    }
    const text = saidIn(delta["content"])
    if (text !== undefined) add(events, this.#say("text", text))
    const refusal = saidIn(delta["refusal"])
    if (refusal !== undefined) add(events, this.#say("refusal", refusal))
    for (const annotation of objectsIn(delta["annotations"])) add(events, this.#cite(annotation))
    for (const call of objectsIn(delta["tool_calls"])) add(events, this.#call(callDelta(call)))
    const old = objectIn(delta["function_call"])
    if (old !== undefined) add(events, this.#call(callDelta({ index: 0, function: old })))
    return events
  }

  #open(kind: "text" | "refusal" | "reasoning"): Events {
    return this.#line.has(kind) ? none : this.#line.open(kind, { kind }, "next")
  }

  #say(kind: "text" | "refusal" | "reasoning", text: string): Events {
    return [...this.#open(kind), ...this.#line.more(kind, text)]
  }

  #cite(annotation: JsonObject): Events {
    const citation = citationOf(annotation)
    return citation === undefined ? none : this.#line.add("text", { kind: "cited", citation })
  }

  #call(delta: CallDelta): Events {
    const call = this.#callOf(delta)
    const { isFreeForm, name, text } = delta
    if (call.unnamed === undefined) return this.#line.more(call.key, text)
    const input = call.unnamed + text
    if (name === undefined) {
      call.unnamed = input
      return none
    }
    call.unnamed = undefined
    const head: PartBeginning = { kind: "tool_call", id: call.id ?? `call_${call.key}`, name, isFreeForm }
    return [...this.#line.open(call.key, head, "next"), ...this.#line.more(call.key, input)]
  }

  /** The call that a delta belongs to: that of its index, unless it has another id, or names a tool where that one has its name and no ids are given. */
  #callOf({ id, index, name }: CallDelta): KnownCall {
    const last = this.#byIndex.get(index) ?? (index === undefined ? this.#calls.at(-1) : undefined)
    const isNext =
      last === undefined ||
      (id !== undefined && last.id !== undefined && id !== last.id) ||
      (index === undefined && id === undefined && name !== undefined && last.unnamed === undefined)
    if (!isNext) {
      last.id ??= id
      return last
    }
    const call: KnownCall = { key: `${this.#calls.length}`, id, unnamed: "" }
    this.#calls.push(call)
    this.#byIndex.set(index, call)
    return call
  }
}

/** `DialectForm.readEvents`: of the first choice. An answer without a reason why it ended has not ended. */
export const readEvents = (): EventReading => new Reader()
