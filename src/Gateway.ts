/**
 * One request from top to bottom: accept → decode → snapshot of the config → route → select → attempt (retry, fallback) →
 * transform → respond → audit.
 *
 * The impurity of a request enters once, here: one snapshot is read and one random seed drawn. The HTTP edge hands in a plain
 * value and gets a plain value back, so the way knows nothing of servers. What decides is pure and called as it is; what waits, the body and the
 * attempts, is an effect.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import type * as Runtime from "effect/Runtime"
import { PCGRandom } from "effect/Utils"
import { Audit } from "./audit/Audit.ts"
import { type Ending, endingOf, RecordDraft } from "./audit/RecordDraft.ts"
import { CurrentConfig } from "./config/CurrentConfig.ts"
import { isAccessKey } from "./domain/AccessKey.ts"
import { nothingOmitted } from "./domain/Additions.ts"
import { refusalOf } from "./domain/AttemptPolicy.ts"
import type { Outcome } from "./domain/AuditRecord.ts"
import { type ChoiceTransform, thinkingFormatOf } from "./domain/ChoiceTransform.ts"
import { clientAddress } from "./domain/ClientAddress.ts"
import { affinity, type ClientRequest, decode } from "./domain/ClientRequest.ts"
import { type Deadline, deadlineOf } from "./domain/Deadline.ts"
import type { Endpoint } from "./domain/Endpoint.ts"
import { errorData } from "./domain/ErrorShape.ts"
import {
  AccessDenied,
  answerOf,
  codeOf,
  describe,
  type GatewayError,
  InternalError,
  ModelNotFound,
  Overloaded,
  ShuttingDown,
} from "./domain/GatewayError.ts"
import { readAnswer, transformAnswer } from "./domain/PlainAnswer.ts"
import { plan } from "./domain/Plan.ts"
import { bodiesOf } from "./domain/Prepare.ts"
import { clientKey, sessionOf, toClient, toUpstream } from "./domain/RequestHeaders.ts"
import { drawsFrom } from "./domain/Selection.ts"
import type { Snapshot } from "./domain/Snapshot.ts"
import { hostOf, type Target, type Upstream } from "./domain/Upstream.ts"
import { type OpenRequest, OpenRequests } from "./OpenRequests.ts"
import { beginAtOnce } from "./stream/BeginAtOnce.ts"
import { sourceOf, streamOf } from "./stream/EventSource.ts"
import type { Relay } from "./stream/Relay.ts"
import { makeRespond, type Respond } from "./stream/ResponseStream.ts"
import { type Broken, resuming } from "./stream/Resume.ts"
import { AccessLog } from "./telemetry/AccessLog.ts"
import type { Answered, AnsweredPlain, AnsweredStream } from "./upstream/Answered.ts"
import { Attempts, type AttemptsRequest } from "./upstream/Attempts.ts"
import { streamFaultReason } from "./upstream/OpenStream.ts"
import { askToGoOn, mayGoOn } from "./upstream/Resumption.ts"
import { Upstreams } from "./upstream/Upstreams.ts"

/** A request as the edge accepted it. Header names are lower-case. */
export interface ClientCall {
  readonly id: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Of the other end of the connection. */
  readonly remoteAddress: string
}

/** What a request asks for that no endpoint serves. */
export interface Unserved {
  readonly method: string
  readonly path: string
}

/** Claims memory for bytes of a body until the request is over; false where there is none left. */
export type Hold = (bytes: number) => boolean

interface AnswerHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The answer for the edge to send. A relay never fails: what breaks it is said in its last event. */
export interface ClientAnswer extends AnswerHead {
  readonly body: Uint8Array | Relay<unknown>
}

/**
 * What a recorded request is answered with, and how that ended: known with an answer that is whole, told by a relay when it is over. There is no
 * answer without its ending, so that a request without one is known to have been left.
 */
export type RecordedAnswer =
  | (AnswerHead & { readonly body: Uint8Array; readonly ending: Ending })
  | (AnswerHead & { readonly body: Relay<Ending> })

/** The bounds of a body that is to be read. */
export interface WantedBody {
  readonly limitBytes: number
  /** To be told of every byte before it is kept. */
  readonly hold: Hold
}

/** A whole body, or why there is none. */
export type ReadBody = Either.Either<Uint8Array, GatewayError>

/** A request that was taken on. */
export interface Served {
  /** The body that has to be read before it can be answered: before its fiber starts, which would only have to wait for it. */
  readonly wanted: WantedBody | undefined
  /** To be run once, and sent; given the body, where one was wanted. */
  readonly answer: (body: ReadBody) => Effect.Effect<ClientAnswer>
  /**
   * To be called when it is cut before anything of its answer was sent: what ends with it says so. Gives the answer to send instead, once that has
   * ended.
   */
  readonly giveUp?: (when: string) => () => ClientAnswer
  /**
   * To be called when the request is over, however it ended: gives back what it still holds, hands its record to the audit and writes its line in
   * the access log. No finalizer of a scope, which would cost as much as the rest of the frame.
   */
  readonly close: () => void
}

/** What a request is answered with and from. */
export interface RequestFrame extends Pick<OpenRequest, "whenOver"> {
  readonly snapshot: Snapshot
  readonly draft: RecordDraft
  readonly hold: Hold
  /** Notes an attempt; one that failed has its line in the log. */
  readonly onAttempt: AttemptsRequest["onAttempt"]
}

export class Gateway extends Context.Tag("sluice/Gateway")<
  Gateway,
  {
    /** Answers one request of a proxied endpoint, for the deployment that its path names, where it does. */
    readonly proxy: (endpoint: Endpoint, call: ClientCall, deployment?: string) => Served
    /** Answers one request that reached no endpoint: it leaves a line in the access log, and no record. */
    readonly unserved: (asked: Unserved, call: ClientCall, error: GatewayError) => Served
    /** The frame around a request of any endpoint: lets in only who may, and answers errors as they are declared. */
    readonly serve: (
      endpointName: string,
      call: ClientCall,
      answer: (frame: RequestFrame) => Effect.Effect<RecordedAnswer, GatewayError>,
    ) => Served
  }
>() {}

/**
 * The credential an upstream is sent: its own key, else the client's. Where access keys are configured, what the client sends is
 * this gateway's key and goes nowhere; nor does it go where the configuration says not to.
 */
export const credentialFor = (
  snapshot: Snapshot,
  upstream: Upstream,
  headers: ClientCall["headers"],
): Redacted.Redacted<string> | undefined =>
  upstream.apiKey ??
  (upstream.passesKey && snapshot.server.accessKeys.length === 0 ? clientKey(headers) : undefined)

const authenticate = (
  snapshot: Snapshot,
  sent: Redacted.Redacted<string> | undefined,
): AccessDenied | undefined => {
  const { accessKeys } = snapshot.server
  if (accessKeys.length === 0) return undefined
  if (sent === undefined) return new AccessDenied({ reason: "missing" })
  return isAccessKey(sent, accessKeys) ? undefined : new AccessDenied({ reason: "wrong" })
}

/** Seconds after which a client may come again when too many requests are under way, or their bodies are too large. */
const roomRetrySeconds = 1

/** Why a request is not let in: there is no room for it, or it may not come in. */
const turnedAway = (
  snapshot: Snapshot,
  key: Redacted.Redacted<string> | undefined,
  openCount: number,
): AccessDenied | Overloaded | undefined =>
  openCount > snapshot.server.maxInFlight
    ? new Overloaded({ reason: "requests", retryAfterSeconds: roomRetrySeconds })
    : authenticate(snapshot, key)

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
      return error.isClientsFault ? "rejected" : "upstream_error"
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

/** The declared answer of an error. */
const refusal = (error: GatewayError, draft: RecordDraft): RecordedAnswer => {
  const { body, headers, status } = answerOf(error)
  draft.refused(codeOf(error))
  if (error._tag === "InvalidRequest" && error.model !== undefined) draft.askedFor(error.model)
  const ending = endingOf(status, outcomeOf(error), describe(error), body)
  return { status, headers: withAttempts(headers, draft, "failed"), body, ending }
}

/** The answer, errors as they are declared. A fault of this gateway is an answer, and goes to the log. */
const told = (
  answer: Effect.Effect<RecordedAnswer, GatewayError>,
  draft: RecordDraft,
): Effect.Effect<RecordedAnswer> =>
  Effect.catchAllCause(answer, (cause) => {
    const failure = Cause.failureOrCause(cause)
    if (Either.isLeft(failure)) return Effect.succeed(refusal(failure.left, draft))
    if (Cause.isInterruptedOnly(failure.right)) return Effect.failCause(failure.right)
    return Effect.as(
      Effect.logError("request failed inside the gateway", { id: draft.id }, failure.right),
      refusal(new InternalError({ requestId: draft.id }), draft),
    )
  })

/** Notes how an answer ends, and hands it on. */
const noted = (answer: RecordedAnswer, draft: RecordDraft): ClientAnswer => {
  draft.answered("ending" in answer ? () => answer.ending : answer.body.ended)
  return answer
}

/** The answer, errors as they are declared, and how it ends noted in the draft. */
const recorded = (
  answer: Effect.Effect<RecordedAnswer, GatewayError>,
  draft: RecordDraft,
): Effect.Effect<ClientAnswer> => Effect.map(told(answer, draft), (given) => noted(given, draft))

/** A streamed answer that begins before any upstream has. Its status stands with that, whatever is told at last. */
const begunAtOnce = (
  answer: Effect.Effect<RecordedAnswer, GatewayError>,
  draft: RecordDraft,
): RecordedAnswer => {
  const status = 200
  const relay = beginAtOnce<Ending>({
    answer: told(answer, draft),
    left: { ...endingOf(status, "client_closed", undefined, new Uint8Array()), response: undefined },
    cutWith: (error) => {
      draft.givenUp("cut with the gateway")
      const body = errorData(error)
      return { body, ending: endingOf(status, "stream_broken", error.message, body) }
    },
  })
  const ended = (): Ending | undefined => {
    const ending = relay.ended()
    return ending === undefined ? undefined : { ...ending, status }
  }
  return { status, headers: streamHeaders, body: { ...relay, ended } }
}

/**
 * The headers, and which upstream was asked last, and how many attempts were made. Once this gateway has itself retried in vain, official SDKs are
 * told not to: they would otherwise triple the load on providers that are down.
 */
const withAttempts = (
  headers: ClientAnswer["headers"],
  draft: RecordDraft,
  result: "answered" | "failed",
): Record<string, string> => {
  const { answering, attempts } = draft
  // Member by member: of a copy that is added to V8 makes a hidden class for each object (docs/performance.md).
  const all: Record<string, string> = {}
  for (const name in headers) all[name] = headers[name] ?? ""
  if (answering === undefined) return all
  all["x-sluice-upstream"] = encodeURI(answering.upstream)
  all["x-sluice-attempts"] = String(attempts.length)
  if (result === "failed" && attempts.length > 1) all["x-should-retry"] = "false"
  return all
}

export const layer: Layer.Layer<
  Gateway,
  never,
  AccessLog | Attempts | Audit | CurrentConfig | OpenRequests | Upstreams
> = Layer.scoped(
  Gateway,
  Effect.gen(function* () {
    const accessLog = yield* AccessLog
    const attempts = yield* Attempts
    const audit = yield* Audit
    const current = yield* CurrentConfig
    const { inFlight } = yield* Upstreams
    const clock = yield* Effect.clock
    const openRequests = yield* OpenRequests
    const respond = yield* makeRespond
    const runtime = yield* Effect.runtime<never>()
    // Seeded once by the service that tests own; asking it for each request would be an effect each time.
    const random = new PCGRandom(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER))

    // What is beneath stays open until all requests have ended. A finalizer cannot be interrupted otherwise, not even by its timeout.
    yield* Effect.addFinalizer(() =>
      Effect.timeoutOption(Effect.interruptible(openRequests.allEnded), closingTimeout),
    )

    const clientIpOf = (snapshot: Snapshot, call: ClientCall): string =>
      clientAddress(snapshot.server.trustProxy, call.remoteAddress, call.headers)

    /** Takes a request on, and says why it is not let in where it is not. */
    const open = (endpointName: string, call: ClientCall) => {
      const snapshot = current.snapshot()
      const key = clientKey(call.headers)
      const started = clock.unsafeCurrentTimeNanos()
      const opened = openRequests.begin()
      const draft = new RecordDraft({
        id: call.id,
        startedAt: clock.unsafeCurrentTimeMillis(),
        clientIp: clientIpOf(snapshot, call),
        endpoint: endpointName,
        headers: call.headers,
        keyFingerprint: key === undefined ? undefined : audit.fingerprint(key),
        policy: snapshot.audit,
        elapsedMs: () => Number(clock.unsafeCurrentTimeNanos() - started) / nanosPerMilli,
      })
      const { maxBufferedBytes } = snapshot.server
      const frame: RequestFrame = {
        snapshot,
        draft,
        hold: (bytes) => opened.hold(bytes, maxBufferedBytes),
        whenOver: opened.whenOver,
        onAttempt: (attempt, failed) => {
          draft.attempted(attempt, failed)
          if (!failed) return
          const upstream = snapshot.routes.upstreams.find(({ name }) => name === attempt.upstream)
          accessLog.failedAttempt(call.id, attempt, {
            number: draft.attempts.length,
            host: upstream === undefined ? undefined : hostOf(upstream.baseUrl),
          })
        },
      }
      return {
        frame,
        refused: turnedAway(snapshot, key, openRequests.count()),
        giveUp: (when: string) => {
          draft.givenUp(`cut ${when}`)
          return () => noted(refusal(new ShuttingDown({ retryAfterSeconds: 1, cut: when }), draft), draft)
        },
        close: () => {
          opened.end()
          const record = draft.close()
          audit.record(record)
          accessLog.request(record, draft.code)
        },
      }
    }

    const serve: Gateway["Type"]["serve"] = (endpointName, call, answer) => {
      const { frame, refused, ...ends } = open(endpointName, call)
      return {
        wanted: undefined,
        answer: () =>
          recorded(
            refused === undefined ? Effect.suspend(() => answer(frame)) : Effect.fail(refused),
            frame.draft,
          ),
        ...ends,
      }
    }

    const proxy: Gateway["Type"]["proxy"] = (endpoint, call, deployment) => {
      const { frame, refused, ...ends } = open(endpoint.name, call)
      const { draft, hold, onAttempt, snapshot, whenOver } = frame
      const { server } = snapshot
      const deadline: Either.Either<Deadline, GatewayError> =
        refused === undefined
          ? deadlineOf(call.headers, draft.startedAt, server.requestTimeoutMs)
          : Either.left(refused)
      if (Either.isLeft(deadline)) {
        return { wanted: undefined, answer: () => recorded(Effect.fail(deadline.left), draft), ...ends }
      }

      const answered = (bytes: Uint8Array): Effect.Effect<RecordedAnswer, GatewayError> => {
        draft.received(bytes)
        const request = decode(endpoint, bytes, deployment)
        if (Either.isLeft(request)) return Effect.fail(request.left)
        draft.asked(request.right)

        const { model, stream } = request.right
        const targets = plan(
          snapshot,
          { model, affinity: () => sessionOf(call.headers) ?? affinity(request.right) },
          { draws: drawsFrom(random.number()), load: inFlight },
        )
        const [first] = targets
        if (first === undefined) return Effect.fail(new ModelNotFound({ model }))

        const asking: AttemptsRequest = {
          endpoint,
          stream,
          choices: request.right.choices,
          targets,
          retry: snapshot.retry,
          breaker: snapshot.breaker,
          deadline: deadline.right,
          hold,
          whenOver,
          bodyFor: bodiesOf(request.right),
          headersFor: ({ upstream }) =>
            toUpstream(call.headers, upstream, credentialFor(snapshot, upstream, call.headers), "json"),
          onAttempt,
        }
        const answer = Effect.map(attempts.run(asking), (answered): RecordedAnswer => {
          switch (answered.kind) {
            case "plain":
              return plainAnswer(answered, request.right, snapshot, draft)
            case "refusal":
              return refusal(refusalOf(answered.refused, answered.target, []), draft)
            case "stream":
              return streamedAnswer(
                answered,
                request.right,
                frame,
                goOnOf(asking, answered),
                respond,
                runtime,
              )
          }
        })
        if (!stream || snapshot.streamStart === "first_event") return answer
        // What is wrong with the request is told with its status, as long as there is one to give.
        return Effect.as(asking.bodyFor(first, nothingOmitted), begunAtOnce(answer, draft))
      }
      return {
        wanted: { limitBytes: server.maxBodyBytes, hold },
        answer: (body) =>
          recorded(
            Either.isRight(body) ? Effect.suspend(() => answered(body.right)) : Effect.fail(body.left),
            draft,
          ),
        ...ends,
      }
    }

    /** How others can go on with an answer, should it break off; nothing where none may. */
    const goOnOf = (asking: AttemptsRequest, answered: AnsweredStream): GoOn | undefined => {
      const { onAttempt, targets } = asking
      if (!targets.some((target) => target !== answered.target && mayGoOn(target))) return undefined
      return (broken, hasTried) =>
        askToGoOn(
          attempts.run,
          {
            ...asking,
            targets: targets.filter((target) => !hasTried(target)),
            onAttempt: (attempt, failed) => onAttempt({ ...attempt, resumed: true }, failed),
          },
          broken,
        )
    }

    const unserved: Gateway["Type"]["unserved"] = (asked, call, error) => {
      const clientIp = clientIpOf(current.snapshot(), call)
      const answer = answerOf(error)
      return {
        wanted: undefined,
        answer: () => Effect.succeed(answer),
        close: () =>
          accessLog.unserved({
            id: call.id,
            client_ip: clientIp,
            ...asked,
            status: answer.status,
            code: codeOf(error),
          }),
      }
    }

    return Gateway.of({ serve, proxy, unserved })
  }),
)

const transformOf = ({ target }: Answered, request: ClientRequest, snapshot: Snapshot): ChoiceTransform => ({
  prefix: target.upstream.specialPrefix,
  thinking: thinkingFormatOf(snapshot, target, request.model),
})

/** The client's answer out of the upstream's, transformed. */
const plainAnswer = (
  answered: AnsweredPlain,
  request: ClientRequest,
  snapshot: Snapshot,
  draft: RecordDraft,
): RecordedAnswer => {
  const { status } = answered
  const body = transformAnswer(request.endpoint, transformOf(answered, request, snapshot), answered.body)
  const ending: Ending = {
    status,
    outcome: "ok",
    error: undefined,
    ...readAnswer(answered.answer),
    response: { kind: "plain", bytes: body },
  }
  const headers = withAttempts(toClient(answered.headers), draft, "answered")
  return { status, headers, body, ending }
}

/** Asks for another upstream to go on with a stream that broke off, of those that were not tried. */
type GoOn = (
  broken: Broken,
  hasTried: (target: Target) => boolean,
) => Effect.Effect<Option.Option<AnsweredStream>>

/** Whose events are being read. */
interface Reading {
  stream: AnsweredStream
}

/**
 * The events of an answer, gone on with by others should it break off. A function of its own: of an answer with which nobody may go on, nothing is to
 * keep the request.
 */
const goingOn = (
  reading: Reading,
  request: ClientRequest,
  { prefix }: ChoiceTransform,
  draft: RecordDraft,
  goOn: GoOn,
) =>
  resuming({
    request,
    prefix,
    events: streamOf(reading.stream.events),
    reasonOf: streamFaultReason,
    next: (broken) =>
      Effect.gen(function* () {
        draft.brokeOff(broken.reason)
        const other = yield* goOn(broken, (target) => draft.hasTried(target))
        if (Option.isNone(other)) return Option.none()
        reading.stream.ended("stream_broken")
        reading.stream = other.value
        return Option.some({ events: streamOf(reading.stream.events) })
      }),
  })

/** The same of a stream. What one upstream began is transformed as its answers are, whoever goes on. */
const streamedAnswer = (
  answered: AnsweredStream,
  request: ClientRequest,
  { draft, snapshot }: RequestFrame,
  goOn: GoOn | undefined,
  respond: Respond,
  runtime: Runtime.Runtime<never>,
): RecordedAnswer => {
  const { status } = answered
  const transform = transformOf(answered, request, snapshot)
  const reading: Reading = { stream: answered }
  draft.begun()
  const body = respond({
    events:
      goOn === undefined
        ? answered.events
        : sourceOf(goingOn(reading, request, transform, draft, goOn), runtime),
    settings: {
      endpoint: request.endpoint,
      transform,
      includeUsage: request.includeUsage || snapshot.givesUsage === "always",
      choices: request.choices,
    },
    reasonOf: streamFaultReason,
    keepBytes: snapshot.audit.bodies === "full" ? snapshot.audit.maxBodyBytes : 0,
    hasBegun: snapshot.streamStart === "at_once",
    onEnd: ({ error, finishReason, outcome, toolCalls, usage }, { packed, truncated }): Ending => {
      reading.stream.ended(outcome)
      const response = { kind: "events", packed, truncated } as const
      return { status, outcome, error, usage, finishReason, toolCalls, response }
    },
  })
  return {
    status,
    headers: Object.assign(withAttempts(toClient(answered.headers), draft, "answered"), streamHeaders),
    body,
  }
}
