/** One attempt: one target asked once, from the wait for a place until its answer has begun, with its end told to the breaker. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { AttemptFailure, isAnswer, reasonOf } from "../domain/AttemptPolicy.ts"
import type { AttemptRecord, Outcome } from "../domain/AuditRecord.ts"
import { type Sign, signOf } from "../domain/Breaker.ts"
import type { Deadline } from "../domain/Deadline.ts"
import type { Endpoint } from "../domain/Endpoint.ts"
import { noAnswer } from "../domain/PlainAnswer.ts"
import type { BreakerPolicy, RetryPolicy } from "../domain/Snapshot.ts"
import { isDone, type SseEvent } from "../domain/Sse.ts"
import { errorEvent } from "../domain/StreamError.ts"
import type { Target } from "../domain/Upstream.ts"
import { type EventTooLarge, firstEvent } from "../stream/FirstEvent.ts"
import { Breakers } from "./Breakers.ts"
import { Slots } from "./Slots.ts"
import { Upstreams } from "./Upstreams.ts"

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
}

interface AnsweredHead {
  readonly target: Target
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The answer for the client: a plain body, whole, or a stream from its first event on. */
export type Answered =
  | (AnsweredHead & { readonly kind: "plain"; readonly body: Uint8Array })
  | (AnsweredHead & {
      readonly kind: "stream"
      /** All events, the first one included. */
      readonly events: Stream.Stream<SseEvent, StreamFault>
      /** To be told how the stream ended, for the upstream's breaker; gives back what the attempt holds. */
      readonly ended: (outcome: Outcome) => Effect.Effect<void>
    })

/** What can break a stream that has begun. */
export type StreamFault = AttemptFailure | EventTooLarge

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
  readonly discard: Effect.Effect<AttemptRecord>
}

/** An attempt that gave none. Its record is told to `onFailed` however it ended. */
export type Attempt = (
  request: AttemptRequest,
  target: Target,
  body: Uint8Array,
  progress: AttemptProgress,
  /** `cancelled` where it did not fail, but was left. */
  onFailed: (record: AttemptRecord, cancelled: boolean) => Effect.Effect<void>,
) => Effect.Effect<Won, AttemptFailure, Scope.Scope>

/** The most of a plain answer that is held in memory. */
const maxAnswerBytes = 64 * 1024 * 1024

/** The most of an error's body that is kept for the client. */
const maxErrorBytes = 1024 * 1024

const isEventStream = (headers: Readonly<Record<string, string>>): boolean =>
  (headers["content-type"] ?? "").toLowerCase().includes("text/event-stream")

export const makeAttempt: Effect.Effect<Attempt, never, Breakers | Slots | Upstreams> = Effect.gen(
  function* () {
    const breakers = yield* Breakers
    const clock = yield* Effect.clock
    const slots = yield* Slots
    const upstreams = yield* Upstreams

    const place = ({ deadline }: AttemptRequest, { upstream }: Target) =>
      upstream.concurrency === undefined
        ? Effect.void
        : Effect.mapError(
            slots.take(upstream, Math.max(0, deadline.at - clock.unsafeCurrentTimeMillis())),
            ({ max, reason, waitedMs }) =>
              AttemptFailure.NoRoom({
                lacks: "place",
                reason:
                  reason === "line_full"
                    ? `is busy (${max} requests under way, and its line is full)`
                    : `is busy (${max} requests under way, none ended in ${waitedMs} ms)`,
              }),
          )

    const call = (
      request: AttemptRequest,
      target: Target,
      body: Uint8Array,
      progress: AttemptProgress,
      beganAt: number,
    ): Effect.Effect<Answered, AttemptFailure, Scope.Scope> =>
      Effect.gen(function* () {
        yield* place(request, target)
        const answer = yield* upstreams.send({
          upstream: target.upstream,
          method: "POST",
          path: request.endpoint.path,
          headers: request.headersFor(target),
          body,
          firstByte: request.stream ? "event" : "head",
          deadline: request.deadline,
        })
        const { headers, status } = answer
        const encoding = headers["content-encoding"]?.slice(0, 64) ?? "identity"
        if (status < 300 && encoding !== "identity") {
          return yield* Effect.fail(
            AttemptFailure.Unusable({ reason: `answered in the encoding ${encoding}, not asked for` }),
          )
        }
        if (!isAnswer(status, request.retry)) {
          const refusal = yield* answer
            .bytes(maxErrorBytes)
            .pipe(Effect.orElseSucceed(() => new Uint8Array()))
          return yield* Effect.fail(
            AttemptFailure.Refused({ status, headers, body: refusal, retryAfterMs: answer.retryAfterMs }),
          )
        }
        if (request.stream && status < 300 && isEventStream(headers)) {
          const { first, events } = yield* Effect.catchTags(firstEvent(answer.body), {
            EndedBeforeFirstEvent: () =>
              Effect.fail(AttemptFailure.BrokenOff({ reason: "ended before its first event" })),
            EventTooLarge: (fault) =>
              Effect.fail(AttemptFailure.BrokenOff({ reason: streamFaultReason(fault) })),
          })
          // An end and nothing before it: an SDK would take it for an empty answer.
          if (isDone(first)) {
            return yield* Effect.fail(AttemptFailure.BrokenOff({ reason: "ended before its first event" }))
          }
          answer.begun()
          const error = errorEvent(first)
          if (error !== undefined) {
            return yield* Effect.fail(
              AttemptFailure.ErrorInAnswer({ message: error.message, body: first.data }),
            )
          }
          const ended = (outcome: Outcome) =>
            Effect.suspend(() =>
              breakers.end(
                target.upstream,
                signOfEnd(outcome, clock.unsafeCurrentTimeMillis() >= request.deadline.at),
                beganAt,
                request.breaker,
              ),
            )
          return { kind: "stream", target, status, headers, events, ended }
        }
        answer.begun()
        progress.hasBegun = true
        const whole = yield* answer.bytes(maxAnswerBytes, request.hold)
        const fault = status < 300 ? noAnswer(whole) : undefined
        if (fault?.kind === "not_json") {
          return yield* Effect.fail(
            AttemptFailure.Unusable({ reason: `answered ${status} with a body that is no JSON object` }),
          )
        }
        if (fault?.kind === "error") {
          return yield* Effect.fail(
            AttemptFailure.ErrorInAnswer({ message: fault.error.message, body: whole }),
          )
        }
        return { kind: "plain", target, status, headers, body: whole }
      })

    return (request, target, body, progress, onFailed) =>
      // A scope of its own, closed as soon as nothing more is to be read.
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const beganAt = clock.unsafeCurrentTimeMillis()
          const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
          const exit = yield* Effect.exit(
            restore(Scope.extend(call(request, target, body, progress, beganAt), scope)),
          )
          if (Exit.isFailure(exit) || exit.value.kind === "plain") yield* Scope.close(scope, exit)
          yield* breakers.end(target.upstream, signOfExit(exit, target), beganAt, request.breaker)
          const recordOf = (outcome: Pick<AttemptRecord, "status" | "cause">): AttemptRecord => ({
            upstream: target.upstream.name,
            upstreamModel: target.upstreamModel,
            ...outcome,
            ms: clock.unsafeCurrentTimeMillis() - beganAt,
          })
          const cancelled = () => progress.cancelledBecause ?? "the client left"
          if (Exit.isFailure(exit)) {
            yield* onFailed(recordOf(outcomeOf(exit.cause, cancelled())), Exit.isInterrupted(exit))
            return yield* Effect.failCause(exit.cause)
          }
          const answered = exit.value.kind === "stream" ? releasing(exit.value, scope) : exit.value
          return {
            answered,
            record: recordOf({ status: answered.status, cause: undefined }),
            discard: Effect.map(Scope.close(scope, Exit.void), () =>
              recordOf({ status: answered.status, cause: cancelled() }),
            ),
          }
        }),
      )
  },
)

/** The stream's place and connection are free as soon as it has ended, though the request may go on with another. */
const releasing = (
  stream: Extract<Answered, { readonly kind: "stream" }>,
  scope: Scope.CloseableScope,
): Answered => ({
  ...stream,
  ended: (outcome) => Effect.zipRight(stream.ended(outcome), Scope.close(scope, Exit.void)),
})

/** What an attempt's end says of its upstream; of a stream it is only the beginning. */
const signOfExit = (exit: Exit.Exit<Answered, AttemptFailure>, { upstream }: Target): Sign =>
  Exit.match(exit, {
    onSuccess: ({ kind }): Sign => (kind === "plain" ? "well" : "answering"),
    onFailure: (cause) =>
      cause._tag === "Fail" ? signOf(cause.error, upstream.apiKey !== undefined) : "nothing",
  })

/** What a stream's end says of its upstream, which is not to blame for a client that left or gave it too little time. */
const signOfEnd = (outcome: Outcome, isTimeOver: boolean): Sign =>
  outcome === "ok" ? "well" : outcome === "stream_broken" && !isTimeOver ? "failing" : "nothing"

/** An attempt's failure as the audit writes it: a status, or a cause. */
const outcomeOf = (
  cause: Cause.Cause<AttemptFailure>,
  cancelled: string,
): Pick<AttemptRecord, "status" | "cause"> => {
  if (cause._tag !== "Fail") return { status: undefined, cause: cancelled }
  return cause.error._tag === "Refused"
    ? { status: cause.error.status, cause: undefined }
    : { status: undefined, cause: reasonOf(cause.error) }
}
