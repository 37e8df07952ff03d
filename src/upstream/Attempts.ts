/**
 * Walks a plan until a target gives the client's answer: fail over first, wait last. One attempt runs at a time, and none after the
 * client left: interrupting the walk ends the call under way and starts no other.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import {
  AttemptFailure,
  delayBeforeRound,
  errorOf,
  type Failed,
  isAnswer,
  isTransient,
  reasonOf,
} from "../domain/AttemptPolicy.ts"
import type { AttemptRecord } from "../domain/AuditRecord.ts"
import { type Sign, signOf } from "../domain/Breaker.ts"
import type { Endpoint } from "../domain/Endpoint.ts"
import type { GatewayError, InvalidRequest } from "../domain/GatewayError.ts"
import type { BreakerPolicy, RetryPolicy } from "../domain/Snapshot.ts"
import type { SseEvent } from "../domain/Sse.ts"
import { errorEvent } from "../domain/StreamError.ts"
import type { Target } from "../domain/Upstream.ts"
import { type EventTooLarge, firstEvent } from "../stream/FirstEvent.ts"
import { Breakers } from "./Breakers.ts"
import { Upstreams } from "./Upstreams.ts"

export interface AttemptsRequest {
  readonly endpoint: Endpoint
  readonly stream: boolean
  /** In the order to be asked. */
  readonly targets: ReadonlyArray<Target>
  readonly retry: RetryPolicy
  readonly breaker: BreakerPolicy
  readonly bodyFor: (target: Target) => Either.Either<Uint8Array, InvalidRequest>
  readonly headersFor: (target: Target) => Readonly<Record<string, string>>
  /** Told of every attempt when it is over, or when its answer has begun. One the client left has not failed. */
  readonly onAttempt: (attempt: AttemptRecord, failed: boolean) => Effect.Effect<void>
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
    })

/** What can break a stream that has begun. */
export type StreamFault = AttemptFailure | EventTooLarge

export const streamFaultReason = (fault: StreamFault): string =>
  fault._tag === "EventTooLarge" ? `one event was over ${fault.limitBytes} bytes` : `it ${reasonOf(fault)}`

export class Attempts extends Context.Tag("sluice/Attempts")<
  Attempts,
  {
    /**
     * The first answer that is the client's. A stream's connection lives as long as the scope. Fails when every attempt of
     * every round failed.
     */
    readonly run: (request: AttemptsRequest) => Effect.Effect<Answered, GatewayError, Scope.Scope>
  }
>() {}

/** The most of a plain answer that is held in memory. */
const maxAnswerBytes = 64 * 1024 * 1024

/** The most of an error's body that is kept for the client. */
const maxErrorBytes = 1024 * 1024

const isEventStream = (headers: Readonly<Record<string, string>>): boolean =>
  (headers["content-type"] ?? "").toLowerCase().includes("text/event-stream")

export const layer: Layer.Layer<Attempts, never, Breakers | Upstreams> = Layer.effect(
  Attempts,
  Effect.gen(function* () {
    const breakers = yield* Breakers
    const upstreams = yield* Upstreams

    const call = (
      request: AttemptsRequest,
      target: Target,
      body: Uint8Array,
    ): Effect.Effect<Answered, AttemptFailure, Scope.Scope> =>
      Effect.gen(function* () {
        const answer = yield* upstreams.send({
          upstream: target.upstream,
          method: "POST",
          path: request.endpoint.path,
          headers: request.headersFor(target),
          body,
          firstByte: request.stream ? "event" : "head",
        })
        const { headers, status } = answer
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
          answer.begun()
          const error = errorEvent(first)
          if (error !== undefined) {
            return yield* Effect.fail(AttemptFailure.ErrorEvent({ message: error.message, body: first.data }))
          }
          return { kind: "stream", target, status, headers, events }
        }
        answer.begun()
        return { kind: "plain", target, status, headers, body: yield* answer.bytes(maxAnswerBytes) }
      })

    /** One attempt in a scope of its own, closed as soon as nothing more is to be read from it. */
    const attempt = (
      request: AttemptsRequest,
      target: Target,
      body: Uint8Array,
    ): Effect.Effect<Answered, AttemptFailure, Scope.Scope> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const startedAt = yield* Clock.currentTimeMillis
          const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
          const exit = yield* Effect.exit(restore(Scope.extend(call(request, target, body), scope)))
          if (Exit.isFailure(exit) || exit.value.kind === "plain") yield* Scope.close(scope, exit)
          yield* breakers.end(target.upstream, signOfExit(exit, target), request.breaker)
          yield* request.onAttempt(
            {
              upstream: target.upstream.name,
              upstreamModel: target.upstreamModel,
              ...outcomeOf(exit),
              ms: (yield* Clock.currentTimeMillis) - startedAt,
            },
            Exit.isFailure(exit) && !Exit.isInterrupted(exit),
          )
          return yield* exit
        }),
      )

    const run = (request: AttemptsRequest): Effect.Effect<Answered, GatewayError, Scope.Scope> =>
      Effect.gen(function* () {
        const failed: Array<Failed> = []
        let targets = request.targets
        for (let round = 1; ; round++) {
          const transient: Array<Failed> = []
          const waiting = [...targets]
          while (waiting.length > 0) {
            const [target] = waiting.splice(breakers.begin(waiting), 1)
            if (target === undefined) break
            const body = yield* request.bodyFor(target)
            const result = yield* Effect.either(attempt(request, target, body))
            if (result._tag === "Right") return result.right
            const one: Failed = { target, failure: result.left }
            failed.push(one)
            if (isTransient(one.failure)) transient.push(one)
          }
          if (transient.length === 0 || round >= request.retry.rounds) return yield* errorOf(failed)
          const draw = yield* Random.next
          yield* Effect.sleep(
            delayBeforeRound(
              round + 1,
              transient.map((one) => one.failure),
              request.retry,
              draw,
            ),
          )
          targets = transient.map((one) => one.target)
        }
      })

    return Attempts.of({ run })
  }),
)

/** What an attempt's end says of its upstream. An answer that has begun says that it is well. */
const signOfExit = (exit: Exit.Exit<Answered, AttemptFailure>, { upstream }: Target): Sign =>
  Exit.match(exit, {
    onSuccess: (): Sign => "well",
    onFailure: (cause) =>
      cause._tag === "Fail" ? signOf(cause.error, upstream.apiKey !== undefined) : "nothing",
  })

/** An attempt's end as the audit writes it: a status, a cause, or both. */
const outcomeOf = (exit: Exit.Exit<Answered, AttemptFailure>): Pick<AttemptRecord, "status" | "cause"> =>
  Exit.match(exit, {
    onSuccess: ({ status }) => ({ status, cause: undefined }),
    onFailure: (cause) => {
      const failure = cause._tag === "Fail" ? cause.error : undefined
      if (failure === undefined) return { status: undefined, cause: "the client left" }
      return failure._tag === "Refused"
        ? { status: failure.status, cause: undefined }
        : { status: undefined, cause: reasonOf(failure) }
    },
  })
