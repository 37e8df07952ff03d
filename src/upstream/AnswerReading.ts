/**
 * The body of one answer, read as what its first bytes say it is and brought into the form that was asked for, until it is known what it comes to.
 * Decided in the socket's own events, and told once.
 */
import { type AnswerForm, type Beginning, begunWith, noBeginning, wholeForm } from "../answer/AnswerForm.ts"
import { drainMs, graceMs } from "../answer/AnswerRun.ts"
import { errorBody } from "../answer/ErrorInEvents.ts"
import { EventReader } from "../answer/EventReader.ts"
import { opensPage } from "../answer/RelayedAnswer.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import { noneWaiting, startWith, type Waiting } from "../answer/StreamStart.ts"
import { judge, type Verdict } from "../answer/Verdict.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import type { JsonObject } from "../wire/Json.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import type { SseEvent } from "../wire/Sse.ts"
import { BodyCollector } from "./calls/BodyCollector.ts"
import type { AnswerHead } from "./calls/UpstreamCall.ts"
import { GatheredAnswer, nothingGathered } from "./GatheredAnswer.ts"
import { GivingOut } from "./GivingOut.ts"
import { type StreamFault, streamFaultReason } from "./OpenStream.ts"
import { maxAnswerBytes, PlainBody } from "./PlainBody.ts"
import { AttemptFailure, noTurn, type ToldFailure } from "./policy/AttemptFailure.ts"
import {
  type AskedForm,
  type BodyReading,
  maxErrorBytes,
  type Read,
  type ReadingListener,
  refusedIn,
  saidNothing,
} from "./Reading.ts"
import { RelayedReading } from "./RelayedReading.ts"

const isEventStream = (headers: AnswerHead["headers"]): boolean =>
  (headers["content-type"] ?? "").toLowerCase().includes("text/event-stream")

const endedTooSoon = AttemptFailure.BrokenOff({ reason: "ended before its first event" })

/** What breaks a stream, as why a plain answer is not made of it. */
const failureOf = (fault: StreamFault): AttemptFailure =>
  fault._tag === "EventTooLarge" ? AttemptFailure.BrokenOff({ reason: streamFaultReason(fault) }) : fault

const noBytes = new Uint8Array()

/** What the body is read as. */
type Form =
  /** Its first bytes will tell. */
  | { readonly kind: "beginning"; beginning: Beginning }
  | { readonly kind: "plain"; readonly body: PlainBody }
  /** Whatever breaks it, its status stands. */
  | { readonly kind: "refusal"; readonly body: BodyCollector }
  | EventForm
  | GatheredForm
  /** It is no stream, and handed on though one was asked for. */
  | { readonly kind: "relayed"; readonly reading: RelayedReading }

/** A stream that has not begun. */
interface EventForm {
  readonly kind: "events"
  readonly grammar: StreamGrammar
  readonly reader: EventReader<StreamFault>
  /** What has come, and says nothing. */
  waiting: Waiting
}

/** Events that the client is given as a plain answer. */
interface GatheredForm {
  readonly kind: "gathered"
  readonly reader: EventReader<StreamFault>
  readonly answer: GatheredAnswer<StreamFault>
}

/** What an answer is; of an operation whose answers may tell of errors, one in any case. */
const judgedBy = ({ plain }: ServedOperation, answer: JsonObject | undefined): Verdict =>
  answer !== undefined && plain.kind === "judged" && plain.tellsErrors === true
    ? { kind: "answer", answer }
    : judge(answer, plain.says)

/** Mutable on purpose: one answer, one socket. */
export class AnswerReading implements BodyReading {
  readonly #head: AnswerHead
  readonly #asked: AskedForm
  readonly #listener: ReadingListener
  #givingOut: GivingOut | undefined
  #form: Form
  /** Rings when an answer is there and its upstream has not ended it in time. */
  #ending: NodeJS.Timeout | undefined
  /** Leaves what is done aside for it. */
  #doWithout: (() => void) | undefined
  #endsInMs = Number.POSITIVE_INFINITY
  #isOver = false

  constructor(head: AnswerHead, asked: AskedForm, listener: ReadingListener) {
    this.#head = head
    this.#asked = asked
    this.#listener = listener
    this.#form =
      head.status < 300
        ? { kind: "beginning", beginning: noBeginning }
        : {
            kind: "refusal",
            body: new BodyCollector(maxErrorBytes),
          }
  }

  bytes(bytes: Uint8Array): void {
    const form = this.#form
    switch (form.kind) {
      case "beginning": {
        const beginning = begunWith(form.beginning, bytes)
        if (beginning.form === undefined) form.beginning = beginning
        else this.#readAs(beginning.form, beginning.bytes)
        return
      }
      case "plain": {
        const excess = form.body.keep(bytes)
        if (excess === undefined) this.#handOn(form.body)
        else this.#fail(excess)
        return
      }
      case "refusal":
        if (form.body.keep(bytes) !== undefined) {
          const begun = Buffer.concat([form.body.whole(), bytes]).subarray(0, maxErrorBytes)
          this.#tell({ kind: "refusal", body: begun })
        }
        return
      case "events": {
        this.#look(form, form.reader.read(bytes))
        const { excess } = form.reader
        if (excess !== undefined) this.#fail(failureOf(excess))
        return
      }
      case "gathered":
        form.reader.read(bytes)
        this.#gather(form, false)
        return
      case "relayed":
        form.reading.bytes(bytes)
        return
    }
  }

  /** No more bytes come: all are here, or something broke. */
  end(failure: ToldFailure | undefined): void {
    const form = this.#form
    switch (form.kind) {
      case "beginning":
        this.#readAs(wholeForm(form.beginning), form.beginning.bytes)
        this.end(failure)
        return
      case "plain":
        if (failure === undefined) this.#judge(form.body.bytes, form.body.answer)
        else this.#fail(failure)
        return
      case "refusal":
        this.#tell({
          kind: "refusal",
          body: failure === undefined ? errorBody(form.body.whole()) : noBytes,
        })
        return
      case "events":
        this.#look(
          form,
          form.reader.end(failure === undefined ? { kind: "ended" } : { kind: "failed", error: failure }),
        )
        this.#fail(
          failure ?? (form.reader.excess === undefined ? this.#endOf(form) : failureOf(form.reader.excess)),
        )
        return
      case "gathered":
        form.reader.end(failure === undefined ? { kind: "ended" } : { kind: "failed", error: failure })
        this.#gather(form, true)
        return
      case "relayed":
        form.reading.end(failure)
        return
    }
  }

  /** Nothing more is to be read, or told. */
  close(): void {
    this.#isOver = true
    clearTimeout(this.#ending)
    this.#doWithout?.()
    this.#givingOut?.leave()
  }

  /** Made for a plain answer alone. */
  get #given(): GivingOut {
    this.#givingOut ??= new GivingOut(
      this.#head.status,
      this.#asked,
      () => this.#listener.transform(),
      (read) => this.#tell(read),
    )
    return this.#givingOut
  }

  #tell(read: Read): void {
    if (this.#isOver) return
    this.close()
    this.#listener.onRead(this.#head, read)
  }

  #fail(failure: AttemptFailure): void {
    this.#tell({ kind: "failed", failure })
  }

  /** It is known what it is: brought into the form that was asked for, should it be another. */
  #readAs(form: AnswerForm, bytes: Uint8Array): void {
    const { choices, hold, mayBeBytes, operation, stream } = this.#asked
    const { plain, stream: grammar } = operation
    const isEvents = form === "events" || (form === "other" && isEventStream(this.#head.headers))
    if (!isEvents && mayBeBytes && plain.kind === "relayed" && plain.holds === "sound") {
      const reading = new RelayedReading(this.#head, operation, plain, this.#listener)
      this.#form = { kind: "relayed", reading }
    } else if (grammar === undefined || !isEvents) {
      this.#listener.onBegun()
      this.#form = { kind: "plain", body: new PlainBody(plain.outline, hold) }
    } else {
      const reader = new EventReader<StreamFault>(this.#listener.onPassedOver)
      if (stream) this.#form = { kind: "events", grammar, reader, waiting: noneWaiting }
      else {
        const answer = new GatheredAnswer({ grammar, choices, limitBytes: maxAnswerBytes, hold, failureOf })
        reader.attach(answer)
        this.#form = { kind: "gathered", reader, answer }
      }
    }
    if (bytes.length > 0) this.bytes(bytes)
  }

  /** No more is held of a long object that is given out as it is. */
  #handOn(body: PlainBody): void {
    const { plain } = this.#asked.operation
    const answer = plain.kind === "judged" && plain.isHandedOn === true ? body.begun : undefined
    if (answer === undefined) return
    this.#tell({
      kind: "relayed",
      plain: { ...plain, holds: "json" },
      form: "object",
      answer,
      isWhole: false,
    })
  }

  /** Sees what events have come of a stream: whether it begins with one, is an error, or over. */
  #look(form: EventForm, events: ReadonlyArray<SseEvent>): void {
    for (const event of events) {
      if (this.#isOver) return
      const start = startWith(form.grammar, form.waiting, event)
      switch (start.kind) {
        case "waits":
          form.waiting = start.waiting
          break
        case "begins":
          this.#tell({ kind: "begun", grammar: form.grammar, reader: form.reader })
          break
        case "error":
          this.#fail(refusedIn(start.error, event.data, this.#asked.operation))
          break
        case "over":
          this.#fail(this.#endOf(form))
          break
      }
    }
  }

  /** Why a stream that came to its end is no answer. */
  #endOf({ waiting }: EventForm): AttemptFailure {
    return waiting.events === 0 ? endedTooSoon : saidNothing(this.#head.status, this.#asked.operation.plain)
  }

  /** Sees whether the answer that events make is there. */
  #gather(form: GatheredForm, isRead: boolean): void {
    if (this.#isOver) return
    const { answer } = form
    const { gathered } = answer
    if (gathered.kind === "open") {
      if (answer.isFinished) this.#endIn(graceMs, form)
    } else if (gathered.kind === "failed") this.#fail(gathered.failure)
    else if (!isRead) this.#endIn(drainMs, form)
    else if (gathered.kind === "whole") {
      this.#judge(gathered.body, outlineOf(gathered.body, answerLimits))
    } else this.#putTogether(gathered.packed)
  }

  #putTogether(packed: Uint8Array): void {
    const { aside, operation } = this.#asked
    this.#doWithout = aside("gather", { operation: operation.name, packed }, (gathered) => {
      if (gathered?.body === undefined) {
        this.#fail(gathered === undefined ? noTurn : nothingGathered.failure)
      } else this.#judge(gathered.body, gathered.outline)
    })
  }

  /** Whatever comes until then, only a shorter time takes the place of one that runs. */
  #endIn(ms: number, form: GatheredForm): void {
    if (ms >= this.#endsInMs) return
    this.#endsInMs = ms
    clearTimeout(this.#ending)
    this.#ending = setTimeout(() => {
      form.reader.end({ kind: "ended" })
      this.#gather(form, true)
    }, ms)
  }

  /** A plain body is whole: it may be no answer all the same. */
  #judge(body: Uint8Array, answer: JsonObject | undefined): void {
    const { operation } = this.#asked
    const judged = judgedBy(operation, answer)
    const { status } = this.#head
    switch (judged.kind) {
      case "not_json": {
        const said = opensPage(body) ? undefined : this.#objectOf(body)
        if (said !== undefined && operation.stream !== undefined) this.#given.asStream(operation.stream, said)
        else
          this.#fail(
            AttemptFailure.Unusable({ reason: `answered ${status} with a body that is no JSON object` }),
          )
        return
      }
      case "error":
        this.#fail(refusedIn(judged.error, body, operation))
        return
      case "silent":
        this.#fail(saidNothing(status, operation.plain))
        return
      case "answer":
        this.#given.give(body, judged.answer)
        return
    }
  }

  /** A text that came in place of events, as the object that says the same. */
  #objectOf(body: Uint8Array): Uint8Array | undefined {
    const { operation, stream } = this.#asked
    const { plain } = operation
    return stream && body.length > 0 && plain.kind === "relayed" ? plain.objectOf?.(body) : undefined
  }
}
