/**
 * One request from top to bottom: accept → decode → snapshot of the config → route → select → attempt (retry, fallback) →
 * transform → respond → audit.
 *
 * The impurity of a request enters once, here: one snapshot is read and one random seed drawn. The HTTP edge hands in a plain
 * value and gets a plain value back, so the way knows nothing of servers.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { Audit } from "./audit/Audit.ts"
import { RecordDraft } from "./audit/RecordDraft.ts"
import { CurrentConfig } from "./config/CurrentConfig.ts"
import { isAccessKey } from "./domain/AccessKey.ts"
import type { Outcome } from "./domain/AuditRecord.ts"
import { type ChoiceTransform, thinkingFormatOf } from "./domain/ChoiceTransform.ts"
import { affinity, type ClientRequest, decode } from "./domain/ClientRequest.ts"
import { deadlineOf } from "./domain/Deadline.ts"
import type { Endpoint } from "./domain/Endpoint.ts"
import {
  AccessDenied,
  answerOf,
  describe,
  type GatewayError,
  ModelNotFound,
  Overloaded,
  UpstreamRefused,
} from "./domain/GatewayError.ts"
import { readAnswer, transformAnswer } from "./domain/PlainAnswer.ts"
import { plan } from "./domain/Plan.ts"
import { clean, prepare } from "./domain/Prepare.ts"
import { clientKey, toClient, toUpstream } from "./domain/RequestHeaders.ts"
import { drawsFrom } from "./domain/Selection.ts"
import type { Snapshot } from "./domain/Snapshot.ts"
import type { Upstream } from "./domain/Upstream.ts"
import { noUsage } from "./domain/Usage.ts"
import { OpenRequests } from "./OpenRequests.ts"
import { respond } from "./stream/ResponseStream.ts"
import { type Broken, resuming } from "./stream/Resume.ts"
import { logFailedAttempt, logRequest } from "./telemetry/AccessLog.ts"
import { type Answered, streamFaultReason } from "./upstream/Attempt.ts"
import { Attempts, type AttemptsRequest } from "./upstream/Attempts.ts"
import { type AnsweredStream, askToGoOn, mayGoOn } from "./upstream/Resumption.ts"
import { Upstreams } from "./upstream/Upstreams.ts"

/** A request as the edge accepted it. Header names are lower-case. */
export interface ClientCall {
  readonly id: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly remoteAddress: string
  /** The address a proxy says it forwards for, believed only under `server.trust_proxy`. */
  readonly forwardedFor: string | undefined
  /** The whole body, unless it is larger than the limit, breaks off, or `hold` refuses: it is told of every byte before it is kept. */
  readonly body: (limitBytes: number, hold: Hold) => Effect.Effect<Uint8Array, GatewayError>
}

/** Claims memory for bytes of a body until the request is over; false where there is none left. */
export type Hold = (bytes: number) => boolean

/** The answer for the edge to send. A stream never fails: what breaks it is said in its last event. */
export interface ClientAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | Stream.Stream<Uint8Array>
}

export class Gateway extends Context.Tag("sluice/Gateway")<
  Gateway,
  {
    /** Answers one request of a proxied endpoint. What it holds ends with the scope. */
    readonly proxy: (endpoint: Endpoint, call: ClientCall) => Effect.Effect<ClientAnswer, never, Scope.Scope>
    /**
     * The frame around a request of any endpoint: lets in only who may, answers errors as they are declared, and when the scope
     * ends, however it ends, hands over the audit record and writes the access log line.
     */
    readonly serve: <R>(
      endpointName: string,
      call: ClientCall,
      answer: (
        snapshot: Snapshot,
        draft: RecordDraft,
        hold: Hold,
      ) => Effect.Effect<ClientAnswer, GatewayError, R>,
    ) => Effect.Effect<ClientAnswer, never, R | Scope.Scope>
  }
>() {}

/**
 * The credential an upstream is sent: its own key, else the client's. Where access keys are configured, what the client sends is
 * this gateway's key and goes nowhere.
 */
export const credentialFor = (
  snapshot: Snapshot,
  upstream: Upstream,
  headers: ClientCall["headers"],
): Redacted.Redacted<string> | undefined =>
  upstream.apiKey ?? (snapshot.server.accessKeys.length === 0 ? clientKey(headers) : undefined)

const authenticate = (snapshot: Snapshot, call: ClientCall): Effect.Effect<void, AccessDenied> => {
  const { accessKeys } = snapshot.server
  if (accessKeys.length === 0) return Effect.void
  const sent = clientKey(call.headers)
  if (sent === undefined) return Effect.fail(new AccessDenied({ reason: "missing" }))
  return isAccessKey(sent, accessKeys) ? Effect.void : Effect.fail(new AccessDenied({ reason: "wrong" }))
}

/** Seconds after which a client may come again when too many requests are under way, or their bodies are too large. */
const roomRetrySeconds = 1

/** Lets in whom there is room for, and who may come in. */
const admit = (
  snapshot: Snapshot,
  call: ClientCall,
  openCount: number,
): Effect.Effect<void, AccessDenied | Overloaded> =>
  openCount > snapshot.server.maxInFlight
    ? Effect.fail(new Overloaded({ reason: "requests", retryAfterSeconds: roomRetrySeconds }))
    : authenticate(snapshot, call)

/** How long the end waits for requests that were cut. */
const closingTimeout = "5 seconds"

const nanosPerMilli = 1_000_000

/** Streams go through proxies unbuffered, and are never stored. */
const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
}

/** Whose doing an error is, as the audit tells it. */
const outcomeOf = (error: GatewayError): Outcome => {
  switch (error._tag) {
    case "UpstreamRefused":
    case "UpstreamCredentialsRejected":
    case "UpstreamUnreachable":
    case "UpstreamTimeout":
    case "DeadlineExceeded":
    case "InternalError":
      return "upstream_error"
    case "RequestUnreadable":
      return "client_closed"
    default:
      return "rejected"
  }
}

/** The declared answer of an error, noted in the draft. */
const refuse = (error: GatewayError, draft: RecordDraft): ClientAnswer => {
  const answer = answerOf(error)
  draft.ended({
    status: answer.status,
    outcome: outcomeOf(error),
    error: describe(error),
    usage: noUsage,
    finishReason: undefined,
    toolCalls: undefined,
    response: { kind: "plain", bytes: answer.body },
  })
  return { ...answer, headers: { ...answer.headers, ...attemptHeaders(draft, "failed") } }
}

/**
 * Which upstream was asked last, and how many attempts were made. Once this gateway has itself retried in vain, official SDKs are
 * told not to: they would otherwise triple the load on providers that are down.
 */
const attemptHeaders = (draft: RecordDraft, result: "answered" | "failed"): Record<string, string> => {
  const { attempts } = draft
  const last = attempts.at(-1)
  if (last === undefined) return {}
  return {
    "x-sluice-upstream": encodeURI(last.upstream),
    "x-sluice-attempts": String(attempts.length),
    ...(result === "failed" && attempts.length > 1 ? { "x-should-retry": "false" } : undefined),
  }
}

export const layer: Layer.Layer<Gateway, never, Attempts | Audit | CurrentConfig | OpenRequests | Upstreams> =
  Layer.scoped(
    Gateway,
    Effect.gen(function* () {
      const attempts = yield* Attempts
      const audit = yield* Audit
      const current = yield* CurrentConfig
      const { inFlight } = yield* Upstreams
      const clock = yield* Effect.clock
      const openRequests = yield* OpenRequests

      // What is beneath stays open until all requests have ended. A finalizer cannot be interrupted otherwise, not even by its timeout.
      yield* Effect.addFinalizer(() =>
        Effect.timeoutOption(Effect.interruptible(openRequests.allEnded), closingTimeout),
      )

      const serve: Gateway["Type"]["serve"] = (endpointName, call, answer) =>
        Effect.gen(function* () {
          const snapshot = current.snapshot()
          const key = clientKey(call.headers)
          const started = clock.unsafeCurrentTimeNanos()
          const draft = new RecordDraft({
            id: call.id,
            startedAt: clock.unsafeCurrentTimeMillis(),
            clientIp: (snapshot.server.trustProxy ? call.forwardedFor : undefined) ?? call.remoteAddress,
            endpoint: endpointName,
            headers: call.headers,
            keyFingerprint: key === undefined ? undefined : audit.fingerprint(key),
            policy: snapshot.audit,
            elapsedMs: () => Number(clock.unsafeCurrentTimeNanos() - started) / nanosPerMilli,
          })
          const close = Effect.suspend(() => {
            const record = draft.close()
            return Effect.zipRight(audit.record(record), logRequest(record))
          })
          // `Effect.acquireRelease` would do, but it also compares and restores all fiber refs, about 150 µs.
          const open = yield* Effect.uninterruptible(
            Effect.flatMap(Effect.scope, (scope) => {
              const begun = openRequests.begin()
              return Effect.as(
                Scope.addFinalizer(scope, Effect.ensuring(close, Effect.sync(begun.end))),
                begun,
              )
            }),
          )
          const { maxBufferedBytes } = snapshot.server
          const hold: Hold = (bytes) => open.hold(bytes, maxBufferedBytes)
          return yield* admit(snapshot, call, openRequests.count()).pipe(
            Effect.zipRight(answer(snapshot, draft, hold)),
            Effect.catchAll((error) => Effect.succeed(refuse(error, draft))),
          )
        })

      const proxy: Gateway["Type"]["proxy"] = (endpoint, call) =>
        serve(endpoint.name, call, (snapshot, draft, hold) =>
          Effect.gen(function* () {
            const deadline = yield* deadlineOf(
              call.headers,
              draft.startedAt,
              snapshot.server.requestTimeoutMs,
            )
            const bytes = yield* call.body(snapshot.server.maxBodyBytes, hold)
            draft.received(bytes)
            const request = yield* decode(endpoint, bytes)
            draft.asked(request)
            const cleaned = yield* clean(request, snapshot.requestCleaning)

            const targets = plan(
              snapshot,
              { model: request.model, affinity: () => affinity(request) },
              { draws: drawsFrom(yield* Random.next), load: inFlight },
            )
            if (targets.length === 0) return yield* new ModelNotFound({ model: request.model })

            const asking: AttemptsRequest = {
              endpoint,
              stream: request.stream,
              targets,
              retry: snapshot.retry,
              breaker: snapshot.breaker,
              deadline,
              hold,
              bodyFor: (target) => Either.map(prepare(cleaned, target), ({ body }) => body),
              headersFor: ({ upstream }) =>
                toUpstream(call.headers, upstream, credentialFor(snapshot, upstream, call.headers), "json"),
              onAttempt: (attempt, failed) => {
                draft.attempted(attempt, failed)
                return failed ? logFailedAttempt(call.id, attempt) : Effect.void
              },
            }
            const answered = yield* attempts.run(asking)
            if (answered.kind === "plain") return plainAnswer(answered, request, snapshot, draft)

            const goOn: GoOn = (broken) =>
              askToGoOn(
                attempts.run,
                {
                  ...asking,
                  targets: targets.filter((target) => !draft.hasTried(target)),
                  onAttempt: (attempt, failed) => asking.onAttempt({ ...attempt, resumed: true }, failed),
                },
                broken,
              )
            const others = targets.some((target) => target !== answered.target && mayGoOn(target))
            return streamedAnswer(answered, request, snapshot, draft, others ? goOn : undefined)
          }),
        )

      return Gateway.of({ serve, proxy })
    }),
  )

const transformOf = ({ target }: Answered, request: ClientRequest, snapshot: Snapshot): ChoiceTransform => ({
  prefix: target.upstream.specialPrefix,
  thinking: thinkingFormatOf(snapshot, target, request.model),
})

/** The client's answer out of the upstream's: transformed, and noted in the draft. */
const plainAnswer = (
  answered: Extract<Answered, { readonly kind: "plain" }>,
  request: ClientRequest,
  snapshot: Snapshot,
  draft: RecordDraft,
): ClientAnswer => {
  const { status } = answered
  const ok = status < 400
  const { body, headers } = ok
    ? {
        body: transformAnswer(request.endpoint, transformOf(answered, request, snapshot), answered.body),
        headers: toClient(answered.headers),
      }
    : answerOf(
        new UpstreamRefused({
          upstream: answered.target.upstream.name,
          status,
          headers: toClient(answered.headers),
          body: answered.body,
        }),
      )
  draft.ended({
    status,
    outcome: ok ? "ok" : "upstream_error",
    error: ok ? undefined : `the upstream answered ${status}`,
    ...readAnswer(body),
    response: { kind: "plain", bytes: body },
  })
  return { status, headers: { ...headers, ...attemptHeaders(draft, "answered") }, body }
}

/** Asks for another upstream to go on with a stream that broke off. */
type GoOn = (broken: Broken) => Effect.Effect<Option.Option<AnsweredStream>, never, Scope.Scope>

/** The same of a stream, noted in the draft when it is over. What one upstream began is transformed as its answers are, whoever goes on. */
const streamedAnswer = (
  answered: AnsweredStream,
  request: ClientRequest,
  snapshot: Snapshot,
  draft: RecordDraft,
  goOn: GoOn | undefined,
): ClientAnswer => {
  const { status } = answered
  const transform = transformOf(answered, request, snapshot)
  /** Whose events are being read. */
  let reading = answered
  const resumed = (goOn: GoOn) =>
    resuming({
      request,
      prefix: transform.prefix,
      events: answered.events,
      reasonOf: streamFaultReason,
      next: (broken) =>
        Effect.gen(function* () {
          draft.brokeOff(broken.reason)
          const other = yield* goOn(broken)
          if (Option.isSome(other)) {
            yield* reading.ended("stream_broken")
            reading = other.value
          }
          return other
        }),
    })
  draft.begun()
  const body = respond({
    events: goOn === undefined ? answered.events : resumed(goOn),
    settings: { endpoint: request.endpoint, transform, includeUsage: request.includeUsage },
    reasonOf: streamFaultReason,
    keepBytes: snapshot.audit.bodies === "full" ? snapshot.audit.maxBodyBytes : 0,
    onEnd: (end) =>
      Effect.suspend(() => {
        draft.ended({ ...end, status, response: { kind: "events", ...end.sent } })
        return reading.ended(end.outcome)
      }),
  })
  return {
    status,
    headers: { ...toClient(answered.headers), ...attemptHeaders(draft, "answered"), ...streamHeaders },
    body,
  }
}
