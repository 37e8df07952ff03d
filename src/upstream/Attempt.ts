/**
 * One attempt: one target asked once, from the wait for a place until its answer has begun, with its end told to the breaker.
 *
 * What becomes of the call is decided in the socket's own events, and the fiber of the request wakes once, when it is known: the same as effects
 * (a scope, a mask, a pull for each read) took a third of all the time of a request (docs/performance.md).
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Deadline } from "../access/Deadline.ts"
import type { AnswerShape } from "../answer/AnswerShape.ts"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { EventReader } from "../answer/EventReader.ts"
import { Aside, type AsideFailed } from "../aside/Aside.ts"
import type { AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { Answered, AttemptResult } from "./Answered.ts"
import {
  AnswerReading,
  type AskedForm,
  type Read,
  type ReadingListener,
  type RunAside,
} from "./AnswerReading.ts"
import { Breakers } from "./Breakers.ts"
import type { AnswerHead, CallListener, OpenCall } from "./calls/UpstreamCall.ts"
import { Upstreams } from "./calls/Upstreams.ts"
import { OpenStream, type StreamFault } from "./OpenStream.ts"
import {
  AttemptFailure,
  type Refused,
  refusedBy,
  type ToldFailure,
  toldFailure,
  toldRefusal,
} from "./policy/AttemptFailure.ts"
import type { BreakerPolicy } from "./policy/Breaker.ts"
import { reasonOf, recordedAs } from "./policy/FailureWords.ts"
import { isAnswer, type RetryPolicy } from "./policy/Retry.ts"
import { answering, nothing, type Signs, signsOf, signsOfEnd, well } from "./policy/Signs.ts"
import { Slots } from "./Slots.ts"

/** What all attempts of a request have in common. */
export interface AttemptRequest extends Omit<AskedForm, "aside" | "choices"> {
  /** How many choices a target's answer is to have. */
  readonly choicesFor: (target: Target) => number
  /** What is to be done to the texts of a target's answer. */
  readonly transformFor: (target: Target) => ChoiceTransform
  readonly retry: RetryPolicy
  readonly breaker: BreakerPolicy
  readonly deadline: Deadline
  readonly headersFor: (target: Target) => Readonly<Record<string, string>>
  /** Whose request it is: what fails may be its doing alone. */
  readonly caller?: string
  /** What no target may say of what it was sent. */
  readonly secrets: Secrets
  /** Told of each event of an upstream that was no JSON object. */
  readonly onPassedOver: (upstream: string) => void
  /** Notes what is to be given back when the request is over, should it not have been by then. */
  readonly whenOver: (release: () => void) => void
}

/** How far an attempt has come, for who watches it from outside; and why it was cancelled, for its record. */
export interface AttemptProgress {
  /** The first byte is here. */
  hasBegun: boolean
  cancelledBecause: string | undefined
}

export const newProgress = (): AttemptProgress => ({ hasBegun: false, cancelledBecause: undefined })

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

/** Apart from `Running`, which a stream under way is not to keep. */
const passingOver = (tell: AttemptRequest["onPassedOver"], upstream: string) => (): void => tell(upstream)

/** What attempts need of the layer they are made in. */
interface Surroundings {
  readonly breakers: Breakers["Type"]
  readonly upstreams: Upstreams["Type"]
  readonly aside: RunAside
  readonly now: () => number
}

/** An attempt under way. Mutable on purpose: one call, one socket. */
class Running implements CallListener, ReadingListener {
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
  readonly onPassedOver: () => void
  #call: OpenCall | undefined
  #reading: AnswerReading | undefined
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
    this.onPassedOver = passingOver(request.onPassedOver, target.upstream.name)
  }

  start(body: Uint8Array): void {
    const { deadline, headersFor, operation, stream } = this.#request
    this.#call = this.#surroundings.upstreams.open(
      {
        upstream: this.#target.upstream,
        method: operation.method,
        path: operation.path,
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
    this.#endBreaker(nothing, undefined)
    this.#onFailed(this.#record({ status: undefined, cause: this.#cancelled() }), true)
  }

  onHead(head: AnswerHead): void {
    const { choicesFor, hold, operation, retry, stream } = this.#request
    const isGood = head.status < 300
    const mayBeGiven = isGood || !retry.retryOn(head.status)
    // What is given as it comes has begun with its head; a good answer to a stream may yet be either.
    if (mayBeGiven && !(isGood && stream)) this.onBegun()
    const { aside } = this.#surroundings
    const asked = { operation, stream, hold, choices: choicesFor(this.#target), aside }
    this.#reading = new AnswerReading(head, asked, this)
  }

  onBytes(bytes: Uint8Array): void {
    this.#reading?.bytes(bytes)
  }

  onEnd(failure: AttemptFailure | undefined): void {
    if (this.#reading !== undefined) {
      this.#reading.end(failure === undefined ? undefined : toldFailure(failure, this.#request.secrets))
    } else this.#fail(failure ?? AttemptFailure.BrokenOff({ reason: "no answer" }))
  }

  onBegun(): void {
    this.#call?.begun()
    this.#progress.hasBegun = true
  }

  transform(): ChoiceTransform {
    return this.#request.transformFor(this.#target)
  }

  onRead(head: AnswerHead, read: Read): void {
    const { headers, status } = head
    const target = this.#target
    switch (read.kind) {
      case "plain": {
        const { answer, body } = read
        this.#winWhole({ kind: "plain", target, status, headers, body, answer })
        return
      }
      case "begun":
        this.#begin(head, read.shape, read.reader)
        return
      case "chunks": {
        const { events, isTransformed, shape } = read
        this.#winWhole({
          kind: "stream",
          target,
          status,
          headers,
          shape,
          events,
          isTransformed,
          ended: () => {},
        })
        return
      }
      case "refusal":
        this.#refused(refusedBy(head, read.body))
        return
      case "failed":
        if (read.failure._tag === "Refused") this.#refused(read.failure)
        else this.#fail(read.failure)
        return
    }
  }

  #refused(given: Refused): void {
    const refused = toldRefusal(given, this.#request.secrets)
    if (!isAnswer(refused, this.#request.retry) || this.#excuse(refused) !== undefined) {
      this.#failAs(refused)
      return
    }
    const { headers, status } = refused
    this.#winWhole(
      { kind: "refusal", target: this.#target, status, headers, refused },
      this.#signsOf(refused),
    )
  }

  #begin(head: AnswerHead, shape: AnswerShape, reader: EventReader<StreamFault>): void {
    const call = this.#call
    // Bytes only come to a call that is open.
    if (call === undefined) return
    call.begun()
    this.#isOver = true
    this.#endBreaker(answering, this.#request.caller)
    const events = new OpenStream(call, reader, this.#request.secrets)
    call.tell(events)
    this.#win(
      answeredStream(
        this.#target,
        head,
        shape,
        events,
        this.#request,
        this.#surroundings,
        this.#beganAt,
        this.#leavePlace,
      ),
    )
    if (reader.excess !== undefined) call.close()
  }

  /** All of the answer is here. */
  #winWhole(answered: Answered, signs: Signs = well): void {
    this.#release()
    this.#endBreaker(signs, this.#request.caller)
    this.#win(answered)
  }

  #win(answered: Answered): void {
    const { status } = answered
    this.#onResult(
      Either.right({
        answered,
        record: this.#record(
          answered.kind === "refusal" ? recordedAs(answered.refused) : { status, cause: undefined },
        ),
        discard: () => {
          this.#release()
          return this.#record({ status, cause: this.#cancelled() })
        },
      }),
    )
  }

  #fail(failure: AttemptFailure): void {
    this.#failAs(toldFailure(failure, this.#request.secrets))
  }

  #failAs(failure: ToldFailure): void {
    if (this.#isOver) return
    this.#release()
    const excuse = this.#excuse(failure)
    const { cause, status } = recordedAs(failure)
    // That there is no connection is no request's doing.
    const caller = failure._tag === "ConnectFailed" ? undefined : this.#request.caller
    this.#endBreaker(excuse === undefined ? this.#signsOf(failure) : nothing, caller)
    this.#onFailed(this.#record({ status, cause: excuse ?? cause }), false)
    this.#onResult(Either.left(failure))
  }

  /** Nothing more is to be read. */
  #release(): void {
    this.#isOver = true
    this.#reading?.close()
    this.#call?.close()
    this.#leavePlace()
  }

  #signsOf(failure: AttemptFailure): Signs {
    return signsOf(failure, this.#target.upstream.apiKey !== undefined)
  }

  #endBreaker(signs: Signs, caller: string | undefined): void {
    this.#surroundings.breakers.end(this.#target, signs, this.#beganAt, this.#request.breaker, caller)
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
    return this.#progress.cancelledBecause ?? "the caller left"
  }
}

/** A stream as the answer for the client. Apart from `Running`, which it is not to keep: with it all that the stream was asked with. */
const answeredStream = (
  target: Target,
  { headers, status }: AnswerHead,
  shape: AnswerShape,
  events: OpenStream,
  { breaker, caller, deadline, whenOver }: AttemptRequest,
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
    shape,
    events,
    isTransformed: false,
    ended: (outcome) => {
      breakers.end(target, signsOfEnd(outcome, now() >= deadline.at), beganAt, breaker, caller)
      release()
    },
  }
}

const nothingToLeave = (): void => {}

const isFull = (cause: Cause.Cause<AsideFailed>): boolean =>
  Option.exists(Cause.failureOption(cause), ({ reason }) => reason === "full")

export const makeAttempt: Effect.Effect<Attempt, never, Aside | Breakers | Slots | Upstreams> = Effect.gen(
  function* () {
    const clock = yield* Effect.clock
    const slots = yield* Slots
    const aside = yield* Aside
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const surroundings: Surroundings = {
      breakers: yield* Breakers,
      upstreams: yield* Upstreams,
      aside: (name, input, done) => {
        const fiber = runFork(
          Effect.matchCauseEffect(aside.run(name, input), {
            onSuccess: (output) => Effect.sync(() => done(output)),
            onFailure: (cause) =>
              Effect.zipRight(
                // That many wait is no fault, and would fill the log when it is least wanted.
                isFull(cause)
                  ? Effect.void
                  : Effect.logWarning("a long answer could not be read aside", cause),
                Effect.sync(() => done(undefined)),
              ),
          }),
        )
        return () => fiber.unsafeInterruptAsFork(FiberId.none)
      },
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
        const unplaced = (failure: ToldFailure, cancelled: string | undefined): AttemptResult => {
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
            Effect.sync(() => unplaced(noRoom(""), progress.cancelledBecause ?? "the caller left")),
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

const noRoom = (reason: string): ToldFailure => toldFailure(AttemptFailure.NoRoom({ lacks: "place", reason }))
