/**
 * One attempt: one target asked once, from the wait for a place until its answer has begun, with its end told to the breaker.
 *
 * What becomes of the call is decided in the socket's own events, and the fiber of the request wakes once, when it is known: the same as effects
 * (a scope, a mask, a pull for each read) took a third of all the time of a request (docs/performance.md).
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { type AnswerForm, type Beginning, begunWith, noBeginning, wholeForm } from "../domain/AnswerForm.ts"
import { chunksOf } from "../domain/AnswerInChunks.ts"
import { graceMs } from "../domain/AnswerStream.ts"
import { AttemptFailure, isAnswer, type Refused, reasonOf, refusedBy } from "../domain/AttemptPolicy.ts"
import type { AttemptRecord, Outcome } from "../domain/AuditRecord.ts"
import { answering, failing, nothing, type Signs, signsOf, well } from "../domain/Breaker.ts"
import type { Deadline } from "../domain/Deadline.ts"
import type { Endpoint } from "../domain/Endpoint.ts"
import { errorBody } from "../domain/ErrorInEvents.ts"
import { errorData, type ShapedError, shapedBody } from "../domain/ErrorShape.ts"
import type { JsonObject } from "../domain/Json.ts"
import { asJson } from "../domain/RequestHeaders.ts"
import type { BreakerPolicy, RetryPolicy } from "../domain/Snapshot.ts"
import { doneData, type SseEvent } from "../domain/Sse.ts"
import { noneWaiting, startWith, type Waiting } from "../domain/StreamStart.ts"
import type { Target } from "../domain/Upstream.ts"
import { judge } from "../domain/Verdict.ts"
import { EventReader } from "../stream/EventReader.ts"
import { type EventSource, eventsOf } from "../stream/EventSource.ts"
import { GatheredAnswer } from "../stream/GatheredAnswer.ts"
import { BodyCollector } from "./BodyCollector.ts"
import { Breakers } from "./Breakers.ts"
import { OpenStream, type StreamFault } from "./OpenStream.ts"
import { Slots } from "./Slots.ts"
import { type AnswerHead, type CallListener, type OpenCall, Upstreams } from "./Upstreams.ts"

/** What all attempts of a request have in common. */
export interface AttemptRequest {
  readonly endpoint: Endpoint
  readonly stream: boolean
  readonly retry: RetryPolicy
  readonly breaker: BreakerPolicy
  readonly deadline: Deadline
  /** Claims memory for a plain answer; false where there is none left. */
  readonly hold: (bytes: number) => boolean
  readonly headersFor: (target: Target) => Readonly<Record<string, string>>
  /** Notes what is to be given back when the request is over, should it not have been by then. */
  readonly whenOver: (release: () => void) => void
}

interface AnsweredHead {
  readonly target: Target
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The answer for the client: a plain body, whole, or a stream from its first event on. */
export type Answered =
  | (AnsweredHead & {
      readonly kind: "plain"
      readonly body: Uint8Array
      /** The body read, where it is an answer and no error. */
      readonly answer: JsonObject | undefined
    })
  /** No success, and for the client all the same. */
  | (AnsweredHead & { readonly kind: "refusal"; readonly refused: Refused })
  | (AnsweredHead & {
      readonly kind: "stream"
      /** All events, the first one included. */
      readonly events: EventSource<StreamFault>
      /** To be told how the stream ended, for the upstream's breaker; gives back what the attempt holds. */
      readonly ended: (outcome: Outcome) => void
    })

export const streamFaultReason = (fault: StreamFault): string =>
  fault._tag === "EventTooLarge" ? `one event was over ${fault.limitBytes} bytes` : `it ${reasonOf(fault)}`

/** How far an attempt has come, for who watches it from outside; and why it was cancelled, for its record. */
export interface AttemptProgress {
  /** The first byte is here. */
  hasBegun: boolean
  cancelledBecause: string | undefined
}

export const newProgress = (): AttemptProgress => ({ hasBegun: false, cancelledBecause: undefined })

/** An attempt that gave the client's answer. */
export interface Won {
  readonly answered: Answered
  readonly record: AttemptRecord
  /** Gives the answer up: its connection is closed. */
  readonly discard: () => AttemptRecord
}

/** Its answer, or why it gave none. */
export type AttemptResult = Either.Either<Won, AttemptFailure>

/** What a target is sent. */
export interface Sent {
  readonly body: Uint8Array
  /** Why a failure is this gateway's doing, which is no reason to blame the upstream; `undefined` where it is not. */
  readonly excuse: (failure: AttemptFailure) => string | undefined
}

export type Attempt = (
  request: AttemptRequest,
  target: Target,
  sent: Sent,
  progress: AttemptProgress,
  /** Told the record of an attempt that gave no answer; `cancelled` where it did not fail, but was left. */
  onFailed: (record: AttemptRecord, cancelled: boolean) => void,
) => Effect.Effect<AttemptResult>

/** The most of a plain answer that is held in memory. */
const maxAnswerBytes = 64 * 1024 * 1024

/** The most of an error's body that is kept for the client. */
const maxErrorBytes = 1024 * 1024

const isEventStream = (headers: Readonly<Record<string, string>>): boolean =>
  (headers["content-type"] ?? "").toLowerCase().includes("text/event-stream")

/** How long an upstream may take to end its body after the answer is there; a connection whose body was read to its end can be used again. */
const drainMs = 100

const endedTooSoon = AttemptFailure.BrokenOff({ reason: "ended before its first event" })

/** To an SDK it would be an empty answer. */
const saidNothing = (status: number): AttemptFailure =>
  AttemptFailure.Unusable({
    reason: `answered ${status} and said nothing: no choice, no text, no finish reason`,
  })

/** An error of a good status, told in the upstream's own bytes where they are of OpenAI's shape. */
const errorInAnswer = (error: ShapedError, said: Uint8Array): AttemptFailure =>
  AttemptFailure.ErrorInAnswer({
    message: error.message,
    body: shapedBody(said) === said ? said : errorData(error),
  })

/** What an answer's body is read as. */
type Reading =
  /** Its first bytes will tell. */
  | { readonly kind: "beginning"; readonly head: AnswerHead; readonly beginning: Beginning }
  | { readonly kind: "plain"; readonly head: AnswerHead; readonly body: BodyCollector }
  /** Whatever breaks it, its status stands. */
  | { readonly kind: "refusal"; readonly head: AnswerHead; body: BodyCollector | undefined }
  | EventReading
  | GatheredReading

/** A stream that has not begun. */
interface EventReading {
  readonly kind: "events"
  readonly head: AnswerHead
  readonly reader: EventReader<StreamFault>
  /** What has come, and says nothing. */
  waiting: Waiting
}

/** Events that the client is given as a plain answer. */
interface GatheredReading {
  readonly kind: "gathered"
  readonly head: AnswerHead
  readonly reader: EventReader<StreamFault>
  readonly answer: GatheredAnswer<StreamFault>
}

/** What attempts need of the layer they are made in. */
interface Surroundings {
  readonly breakers: Breakers["Type"]
  readonly upstreams: Upstreams["Type"]
  readonly now: () => number
}

/** An attempt under way. Mutable on purpose: one call, one socket. */
class Running implements CallListener {
  readonly #request: AttemptRequest
  readonly #target: Target
  readonly #excuse: Sent["excuse"]
  readonly #progress: AttemptProgress
  readonly #onFailed: (record: AttemptRecord, cancelled: boolean) => void
  readonly #onResult: (result: AttemptResult) => void
  readonly #surroundings: Surroundings
  readonly #beganAt: number
  /** Gives back its place among those the upstream takes at once. */
  readonly #leavePlace: () => void
  #call: OpenCall | undefined
  #reading: Reading | undefined
  /** Rings when an answer is there and its upstream has not ended it in time. */
  #ending: NodeJS.Timeout | undefined
  #endsInMs = Number.POSITIVE_INFINITY
  #isOver = false

  constructor(
    request: AttemptRequest,
    target: Target,
    excuse: Sent["excuse"],
    progress: AttemptProgress,
    onFailed: (record: AttemptRecord, cancelled: boolean) => void,
    onResult: (result: AttemptResult) => void,
    surroundings: Surroundings,
    beganAt: number,
    leavePlace: () => void,
  ) {
    this.#request = request
    this.#target = target
    this.#excuse = excuse
    this.#progress = progress
    this.#onFailed = onFailed
    this.#onResult = onResult
    this.#surroundings = surroundings
    this.#beganAt = beganAt
    this.#leavePlace = leavePlace
  }

  start(body: Uint8Array): void {
    const { deadline, endpoint, headersFor, stream } = this.#request
    this.#call = this.#surroundings.upstreams.open(
      {
        upstream: this.#target.upstream,
        method: "POST",
        path: endpoint.path,
        headers: headersFor(this.#target),
        body,
        awaits: stream ? "event" : "answer",
        deadline,
      },
      this,
    )
    // It may have ended at once.
    if (this.#isOver) this.#call.close()
  }

  /** Its client left, or another upstream was faster. */
  leave(): void {
    if (this.#isOver) return
    this.#release()
    this.#endBreaker(nothing)
    this.#onFailed(this.#record({ status: undefined, cause: this.#cancelled() }), true)
  }

  readonly onHead = (head: AnswerHead): void => {
    const { status } = head
    const { retry, stream } = this.#request
    if (status >= 300) {
      this.#readRefusal(head, retry.retryOn(status))
      return
    }
    if (!stream) this.#progress.hasBegun = true
    this.#reading = { kind: "beginning", head, beginning: noBeginning }
  }

  /** It is known what it is: brought into the form that was asked for, should it be another. */
  #readAs(form: AnswerForm, head: AnswerHead, bytes: Uint8Array): void {
    const { endpoint, hold, stream } = this.#request
    if (form !== "events" && !(form === "other" && isEventStream(head.headers))) this.#readPlain(head)
    else if (stream) this.#reading = { kind: "events", head, reader: new EventReader(), waiting: noneWaiting }
    else {
      const failureOf = (fault: StreamFault): AttemptFailure =>
        fault._tag === "EventTooLarge"
          ? AttemptFailure.BrokenOff({ reason: streamFaultReason(fault) })
          : fault
      const answer = new GatheredAnswer({ endpoint, limitBytes: maxAnswerBytes, hold, failureOf })
      const reader = new EventReader<StreamFault>()
      reader.attach(answer)
      this.#reading = { kind: "gathered", head, reader, answer }
    }
    if (bytes.length > 0) this.onBytes(bytes)
  }

  /** What may be the client's answer is read as an answer is. */
  #readRefusal(head: AnswerHead, isFailure: boolean): void {
    if (!isFailure) this.#begun()
    const body = isFailure
      ? new BodyCollector(maxErrorBytes)
      : new BodyCollector(maxAnswerBytes, this.#request.hold)
    this.#reading = { kind: "refusal", head, body }
  }

  #readPlain(head: AnswerHead): void {
    this.#begun()
    this.#reading = { kind: "plain", head, body: new BodyCollector(maxAnswerBytes, this.#request.hold) }
  }

  #begun(): void {
    this.#call?.begun()
    this.#progress.hasBegun = true
  }

  readonly onBytes = (bytes: Uint8Array): void => {
    const reading = this.#reading
    switch (reading?.kind) {
      case "beginning": {
        const beginning = begunWith(reading.beginning, bytes)
        if (beginning.form === undefined) this.#reading = { ...reading, beginning }
        else this.#readAs(beginning.form, reading.head, beginning.bytes)
        return
      }
      case "plain": {
        const excess = reading.body.keep(bytes)
        if (excess !== undefined) this.#fail(excess)
        return
      }
      case "refusal":
        if (reading.body?.keep(bytes) !== undefined) {
          reading.body = undefined
          this.#refused(reading)
        }
        return
      case "events":
        this.#look(reading, reading.reader.read(bytes))
        if (reading.reader.excess === undefined) return
        this.#call?.close()
        this.#fail(AttemptFailure.BrokenOff({ reason: streamFaultReason(reading.reader.excess) }))
        return
      case "gathered":
        reading.reader.read(bytes)
        this.#gather(reading, false)
        return
    }
  }

  readonly onEnd = (failure: AttemptFailure | undefined): void => {
    const reading = this.#reading
    switch (reading?.kind) {
      case undefined:
        this.#fail(failure ?? AttemptFailure.BrokenOff({ reason: "no answer" }))
        return
      case "beginning":
        this.#readAs(wholeForm(reading.beginning), reading.head, reading.beginning.bytes)
        this.onEnd(failure)
        return
      case "plain":
        if (failure === undefined) this.#read(reading.head, reading.body.whole())
        else this.#fail(failure)
        return
      case "refusal":
        if (failure !== undefined) reading.body = undefined
        this.#refused(reading)
        return
      case "events":
        this.#look(
          reading,
          reading.reader.end(failure === undefined ? { kind: "ended" } : { kind: "failed", error: failure }),
        )
        if (!this.#isOver) this.#fail(failure ?? endOf(reading))
        return
      case "gathered":
        reading.reader.end(failure === undefined ? { kind: "ended" } : { kind: "failed", error: failure })
        this.#gather(reading, true)
        return
    }
  }

  #refused({ body, head }: Extract<Reading, { readonly kind: "refusal" }>): void {
    if (this.#isOver) return
    const refused = refusedBy(head, body === undefined ? noBytes : errorBody(body.whole()))
    if (!isAnswer(refused, this.#request.retry) || this.#excuse(refused) !== undefined) {
      this.#fail(refused)
      return
    }
    const { headers, status } = head
    this.#winWhole(
      { kind: "refusal", target: this.#target, status, headers, refused },
      this.#signsOf(refused),
    )
  }

  /** Sees whether the answer that events make is there. */
  #gather(reading: GatheredReading, isRead: boolean): void {
    const { answer, head } = reading
    const { gathered } = answer
    if (this.#isOver) return
    if (gathered.kind === "open") {
      if (answer.isFinished) this.#endIn(graceMs, reading)
    } else if (gathered.kind === "failed") this.#fail(gathered.failure)
    else if (isRead) this.#read(head, gathered.body)
    else this.#endIn(drainMs, reading)
  }

  /** Whatever comes until then, only a shorter time takes the place of one that runs. */
  #endIn(ms: number, reading: GatheredReading): void {
    if (ms >= this.#endsInMs) return
    this.#endsInMs = ms
    clearTimeout(this.#ending)
    this.#ending = setTimeout(() => {
      reading.reader.end({ kind: "ended" })
      this.#gather(reading, true)
    }, ms)
  }

  /** A plain body is whole: it may be no answer all the same. */
  #read({ headers, status }: AnswerHead, body: Uint8Array): void {
    const judged = judge(body)
    switch (judged.kind) {
      case "not_json":
        this.#fail(
          AttemptFailure.Unusable({ reason: `answered ${status} with a body that is no JSON object` }),
        )
        return
      case "error":
        this.#fail(errorInAnswer(judged.error, body))
        return
      case "silent":
        this.#fail(saidNothing(status))
        return
      case "answer": {
        const { answer } = judged
        if (this.#request.stream) this.#giveOut(status, headers, body)
        else {
          const target = this.#target
          this.#winWhole({ kind: "plain", target, status, headers: asJson(headers), body, answer })
        }
        return
      }
    }
  }

  /** Gives a plain answer out as a stream. */
  #giveOut(status: number, headers: AnswerHead["headers"], body: Uint8Array): void {
    const datas = chunksOf(this.#request.endpoint, body, maxAnswerBytes)
    if (datas === undefined) {
      this.#fail(
        AttemptFailure.Unusable({ reason: `answered ${status} with JSON of which no stream can be made` }),
      )
    } else if (!this.#request.hold(datas.reduce((sum, { length }) => sum + length, 0))) {
      this.#fail(AttemptFailure.NoRoom({ lacks: "memory", reason: "no memory left for its answer" }))
    } else {
      const events = eventsOf<StreamFault>([...datas, doneData])
      this.#winWhole({ kind: "stream", target: this.#target, status, headers, events, ended: () => {} })
    }
  }

  /** Sees what events have come of a stream: whether it begins with one, is an error, or over. */
  #look(reading: EventReading, events: ReadonlyArray<SseEvent>): void {
    for (const event of events) {
      if (this.#isOver) return
      const start = startWith(reading.waiting, event)
      switch (start.kind) {
        case "waits":
          reading.waiting = start.waiting
          break
        case "begins":
          this.#begin(reading)
          break
        case "error":
          this.#fail(errorInAnswer(start.error, event.data))
          break
        case "over":
          this.#fail(endOf(reading))
          break
      }
    }
  }

  #begin({ head, reader }: EventReading): void {
    this.#call?.begun()
    const call = this.#call
    // Bytes only come to a call that is open.
    if (call === undefined) return
    this.#isOver = true
    this.#endBreaker(answering)
    const events = new OpenStream(call, reader)
    call.tell(events)
    this.#win(
      answeredStream(
        this.#target,
        head,
        events,
        this.#request,
        this.#surroundings,
        this.#beganAt,
        this.#leavePlace,
      ),
    )
  }

  /** All of the answer is here. */
  #winWhole(answered: Answered, signs: Signs = well): void {
    this.#release()
    this.#endBreaker(signs)
    this.#win(answered)
  }

  #win(answered: Answered): void {
    const { status } = answered
    this.#onResult(
      Either.right({
        answered,
        record: this.#record({ status, cause: undefined }),
        discard: () => {
          this.#release()
          return this.#record({ status, cause: this.#cancelled() })
        },
      }),
    )
  }

  #fail(failure: AttemptFailure): void {
    if (this.#isOver) return
    this.#release()
    const excuse = this.#excuse(failure)
    const { cause, status } = outcomeOf(failure)
    this.#endBreaker(excuse === undefined ? this.#signsOf(failure) : nothing)
    this.#onFailed(this.#record({ status, cause: excuse ?? cause }), false)
    this.#onResult(Either.left(failure))
  }

  /** Nothing more is to be read. */
  #release(): void {
    this.#isOver = true
    clearTimeout(this.#ending)
    this.#call?.close()
    this.#leavePlace()
  }

  #signsOf(failure: AttemptFailure): Signs {
    return signsOf(failure, this.#target.upstream.apiKey !== undefined)
  }

  #endBreaker(signs: Signs): void {
    this.#surroundings.breakers.end(this.#target, signs, this.#beganAt, this.#request.breaker)
  }

  #record(outcome: Pick<AttemptRecord, "status" | "cause">): AttemptRecord {
    return {
      upstream: this.#target.upstream.name,
      upstreamModel: this.#target.upstreamModel,
      ...outcome,
      ms: this.#surroundings.now() - this.#beganAt,
    }
  }

  #cancelled(): string {
    return this.#progress.cancelledBecause ?? "the client left"
  }
}

/** Why a stream that came to its end is no answer. */
const endOf = ({ head, waiting }: EventReading): AttemptFailure =>
  waiting.events === 0 ? endedTooSoon : saidNothing(head.status)

/** A stream as the answer for the client. Apart from `Running`, which it is not to keep: with it all that the stream was asked with. */
const answeredStream = (
  target: Target,
  { headers, status }: AnswerHead,
  events: OpenStream,
  { breaker, deadline, whenOver }: AttemptRequest,
  { breakers, now }: Surroundings,
  beganAt: number,
  leavePlace: () => void,
): Answered => {
  const release = (): void => {
    events.close()
    leavePlace()
  }
  whenOver(release)
  return {
    kind: "stream",
    target,
    status,
    headers,
    events,
    ended: (outcome) => {
      breakers.end(target, signsOfEnd(outcome, now() >= deadline.at), beganAt, breaker)
      release()
    },
  }
}

const noBytes = new Uint8Array()

const nothingToLeave = (): void => {}

export const makeAttempt: Effect.Effect<Attempt, never, Breakers | Slots | Upstreams> = Effect.gen(
  function* () {
    const clock = yield* Effect.clock
    const slots = yield* Slots
    const surroundings: Surroundings = {
      breakers: yield* Breakers,
      upstreams: yield* Upstreams,
      now: () => clock.unsafeCurrentTimeMillis(),
    }

    return (request, target, { body, excuse }, progress, onFailed) => {
      const call = (beganAt: number, leavePlace: () => void): Effect.Effect<AttemptResult> =>
        Effect.async((resume) => {
          const running = new Running(
            request,
            target,
            excuse,
            progress,
            onFailed,
            (result) => resume(Effect.succeed(result)),
            surroundings,
            beganAt,
            leavePlace,
          )
          running.start(body)
          return Effect.sync(() => running.leave())
        })
      const { upstream } = target
      if (upstream.concurrency === undefined) {
        return Effect.suspend(() => call(surroundings.now(), nothingToLeave))
      }
      return Effect.suspend(() => {
        const beganAt = surroundings.now()
        const unplaced = (failure: AttemptFailure, cancelled: string | undefined): AttemptResult => {
          onFailed(
            {
              upstream: upstream.name,
              upstreamModel: target.upstreamModel,
              status: undefined,
              cause: cancelled ?? reasonOf(failure),
              ms: surroundings.now() - beganAt,
            },
            cancelled !== undefined,
          )
          return Either.left(failure)
        }
        return slots.take(upstream, Math.max(0, request.deadline.at - beganAt), request.whenOver).pipe(
          Effect.onInterrupt(() =>
            Effect.sync(() => unplaced(noRoom(""), progress.cancelledBecause ?? "the client left")),
          ),
          Effect.matchEffect({
            onFailure: ({ max, reason, waitedMs }) =>
              Effect.sync(() =>
                unplaced(
                  noRoom(
                    reason === "line_full"
                      ? `is busy (${max} requests under way, and its line is full)`
                      : `is busy (${max} requests under way, none ended in ${waitedMs} ms)`,
                  ),
                  undefined,
                ),
              ),
            onSuccess: (leave) => call(beganAt, leave),
          }),
        )
      })
    }
  },
)

const noRoom = (reason: string): AttemptFailure => AttemptFailure.NoRoom({ lacks: "place", reason })

/** What a stream's end says of its upstream, which is not to blame for a client that left or gave it too little time. */
const signsOfEnd = (outcome: Outcome, isTimeOver: boolean): Signs =>
  outcome === "ok" ? well : outcome === "stream_broken" && !isTimeOver ? failing : nothing

/** An attempt's failure as the audit writes it: a status, or a cause. */
const outcomeOf = (failure: AttemptFailure): Pick<AttemptRecord, "status" | "cause"> =>
  failure._tag === "Refused"
    ? { status: failure.status, cause: undefined }
    : { status: undefined, cause: reasonOf(failure) }
