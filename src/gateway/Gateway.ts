/**
 * One request from top to bottom: accept → decode → snapshot of the config → route → select → attempt (retry, fallback) →
 * transform → respond → audit.
 *
 * The impurity of a request enters once, here: one snapshot is read and one random seed drawn. The HTTP edge hands in a plain
 * value and gets a plain value back, so the way knows nothing of servers. What decides is pure and called as it is; what waits, the body and the
 * attempts, is an effect.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import { PCGRandom } from "effect/Utils"
import { keyCount } from "../access/AccessKey.ts"
import { clientAddress } from "../access/ClientAddress.ts"
import { clientKey, credentialFor, deniedTo } from "../access/Credential.ts"
import { deadlineOf } from "../access/Deadline.ts"
import { OpenRequests } from "../access/OpenRequests.ts"
import { Strangers } from "../access/Strangers.ts"
import { Aside } from "../aside/Aside.ts"
import { Audit } from "../audit/Audit.ts"
import { RecordDraft } from "../audit/record/RecordDraft.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import type { AccessDenied } from "../errors/AccessErrors.ts"
import { answerOf, codeOf, type GatewayError } from "../errors/GatewayError.ts"
import { ModelNotFound } from "../errors/RequestErrors.ts"
import { nothingOmitted } from "../operations/Additions.ts"
import { toUpstream } from "../operations/HeadersToUpstream.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { sessionOf } from "../operations/Session.ts"
import { choicesOf } from "../operations/text/Choices.ts"
import { plan } from "../routing/Plan.ts"
import { drawsFrom } from "../routing/Selection.ts"
import { AccessLog } from "../telemetry/AccessLog.ts"
import type { AnsweredStream } from "../upstream/Answered.ts"
import { Attempts, type AttemptsRequest } from "../upstream/Attempts.ts"
import { Upstreams } from "../upstream/calls/Upstreams.ts"
import { errorOfRefusal } from "../upstream/policy/LastError.ts"
import { networkOf } from "../wire/Address.ts"
import {
  begunAtOnce,
  plainAnswer,
  recorded,
  refusal,
  roomless,
  streamedAnswer,
  transformOf,
} from "./Answers.ts"
import { type AskToResume, askToResume, mayResume } from "./AskToResume.ts"
import type { ClientCall, LongBody, RecordedAnswer, RequestFrame, Served, Unserved } from "./Exchange.ts"
import { Frame, Refused } from "./Frame.ts"
import { type ReadRequest, readLong } from "./LongBodies.ts"
import { makeRespond } from "./ResponseStream.ts"

export class Gateway extends Context.Tag("sluice/Gateway")<
  Gateway,
  {
    /** Answers one request of an operation, for the deployment that its path names, where it does. */
    readonly proxy: (operation: ServedOperation, call: ClientCall, deployment?: string) => Served
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

/** What is kept of the headers of a stranger, who may send as many and as long ones as it likes. */
const headersOfStranger = ({
  "content-type": type,
  host,
  "user-agent": agent,
}: ClientCall["headers"]): ClientCall["headers"] => ({ host, "content-type": type, "user-agent": agent })

/** How long the end waits for requests that were cut. */
const closingTimeout = "5 seconds"

const nanosPerMilli = 1_000_000

export const layer: Layer.Layer<
  Gateway,
  never,
  AccessLog | Aside | Attempts | Audit | CurrentConfig | OpenRequests | Strangers | Upstreams
> = Layer.scoped(
  Gateway,
  Effect.gen(function* () {
    const accessLog = yield* AccessLog
    const aside = yield* Aside
    const attempts = yield* Attempts
    const audit = yield* Audit
    const current = yield* CurrentConfig
    const { inFlight } = yield* Upstreams
    const clock = yield* Effect.clock
    const openRequests = yield* OpenRequests
    const strangers = yield* Strangers
    const books = { accessLog, audit }
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

    const draftOf = (
      snapshot: Snapshot,
      endpoint: string,
      call: ClientCall,
      headers: ClientCall["headers"],
      keyFingerprint: string | undefined,
    ): RecordDraft => {
      const started = clock.unsafeCurrentTimeNanos()
      return new RecordDraft({
        id: call.id,
        startedAt: clock.unsafeCurrentTimeMillis(),
        clientIp: clientIpOf(snapshot, call),
        endpoint,
        headers,
        keyFingerprint,
        policy: snapshot.audit,
        elapsedMs: () => Number(clock.unsafeCurrentTimeNanos() - started) / nanosPerMilli,
      })
    }

    /** What who has no key is answered: it takes no place, and leaves its record as long as there are not too many of them. */
    const stranger = (
      endpoint: string,
      call: ClientCall,
      snapshot: Snapshot,
      key: Redacted.Redacted<string> | undefined,
      denied: AccessDenied,
    ): Served => {
      const none = { wanted: undefined, isStranger: true, deadline: undefined }
      if (!strangers.isNoted())
        return { ...none, answer: () => Effect.succeed(answerOf(denied)), ends: undefined }
      const fingerprint = key === undefined ? undefined : audit.fingerprint(key)
      const draft = draftOf(snapshot, endpoint, call, headersOfStranger(call.headers), fingerprint)
      return {
        ...none,
        answer: () => recorded(Effect.fail(denied), draft),
        ends: new Refused(books, draft),
      }
    }

    /** Takes a request on; one that is not let in is served already, with why. */
    const open = (endpointName: string, call: ClientCall): Frame | Served => {
      const snapshot = current.snapshot()
      const { server } = snapshot
      const key = clientKey(call.headers)
      const denied = deniedTo(server.accessKeys, key)
      if (denied !== undefined) return stranger(endpointName, call, snapshot, key, denied)
      const fingerprint = key === undefined ? undefined : audit.fingerprint(key)
      const draft = draftOf(snapshot, endpointName, call, call.headers, fingerprint)
      // Keys are anybody's to invent where none is asked for.
      const caller =
        keyCount(server.accessKeys) === 0 || fingerprint === undefined
          ? networkOf(draft.clientIp)
          : fingerprint
      const opened = openRequests.begin(caller, server.maxInFlight)
      if (typeof opened !== "string") {
        const secrets =
          key === undefined || keyCount(server.accessKeys) > 0 ? snapshot.secrets : snapshot.secrets.and(key)
        return new Frame(books, snapshot, draft, opened, secrets, caller)
      }
      return {
        wanted: undefined,
        answer: () => recorded(Effect.fail(roomless("requests", opened)), draft),
        isStranger: false,
        deadline: undefined,
        ends: new Refused(books, draft),
      }
    }

    const serve: Gateway["Type"]["serve"] = (endpointName, call, answer) => {
      const frame = open(endpointName, call)
      if (!(frame instanceof Frame)) return frame
      const { draft, snapshot } = frame
      const afterMs = snapshot.server.requestTimeoutMs
      return {
        wanted: undefined,
        answer: () =>
          recorded(
            Effect.suspend(() => answer(frame)),
            draft,
            frame.opened,
          ),
        isStranger: false,
        deadline: { at: draft.startedAt + afterMs, afterMs, setBy: "configuration" },
        ends: frame,
      }
    }

    const proxy: Gateway["Type"]["proxy"] = (operation, call, deployment) => {
      const frame = open(operation.name, call)
      if (!(frame instanceof Frame)) return frame
      const { caller, draft, hold, onAttempt, onPassedOver, opened, secrets, snapshot, whenOver } = frame
      const { server } = snapshot
      const deadline = deadlineOf(call.headers, draft.startedAt, server.requestTimeoutMs)
      if (Either.isLeft(deadline)) {
        return {
          wanted: undefined,
          answer: () => recorded(Effect.fail(deadline.left), draft),
          isStranger: false,
          deadline: undefined,
          ends: frame,
        }
      }

      /** What was kept of a body that is not read on is let go of at once: its client may be sending for a while. */
      const unread = (error: GatewayError): Effect.Effect<never, GatewayError> => {
        opened.letGo()
        return Effect.fail(error)
      }

      const received = (body: Uint8Array | LongBody): Effect.Effect<RecordedAnswer, GatewayError> => {
        if (!(body instanceof Uint8Array)) {
          const read = readLong(aside, operation, body, deployment, hold, (bytes) => draft.received(bytes))
          return Effect.flatMap(read, answered)
        }
        draft.received(body)
        const request = operation.decode(body, deployment)
        if (Either.isLeft(request)) return Effect.fail(request.left)
        return answered(request.right)
      }

      const answered = ({
        affinity,
        bodyFor,
        facts,
      }: ReadRequest): Effect.Effect<RecordedAnswer, GatewayError> => {
        draft.asked(facts)

        const { choices, model, stream } = facts
        const targets = plan(
          snapshot,
          { model, affinity: () => sessionOf(call.headers) ?? affinity() },
          { draws: drawsFrom(random.number()), load: inFlight },
        )
        const [first] = targets
        if (first === undefined) return Effect.fail(new ModelNotFound({ model }))

        const asking: AttemptsRequest = {
          operation,
          stream,
          choicesFor: ({ upstream }) => choicesOf(choices, upstream),
          transformFor: (target) => transformOf(operation, target, facts, snapshot),
          targets,
          retry: snapshot.retry,
          breaker: snapshot.breaker,
          deadline: deadline.right,
          hold,
          whenOver,
          onPassedOver,
          bodyFor,
          headersFor: ({ upstream }) =>
            toUpstream(
              call.headers,
              upstream,
              credentialFor(server.accessKeys, upstream, call.headers),
              "json",
            ),
          secrets,
          caller,
          onAttempt,
        }
        const answer = Effect.flatMap(
          attempts.run(asking),
          (answered): Effect.Effect<RecordedAnswer, GatewayError> => {
            const ask = answered.kind === "stream" ? askOf(asking, answered) : undefined
            // Unless somebody may have to be asked to resume it, what it was asked with is let go of.
            if (ask === undefined) opened.giveBack()
            switch (answered.kind) {
              case "plain":
                return plainAnswer(answered, operation, asking.transformFor(answered.target), frame, aside)
              case "refusal":
                return Effect.succeed(refusal(errorOfRefusal(answered.refused, answered.target, []), draft))
              case "stream":
                return Effect.succeed(
                  streamedAnswer(
                    answered,
                    facts,
                    asking.transformFor(answered.target),
                    frame,
                    ask,
                    respond,
                    runtime,
                  ),
                )
            }
          },
        )
        if (!stream || snapshot.streamStart === "first_event") return answer
        // What is wrong with the request is told with its status, as long as there is one to give.
        return Effect.as(asking.bodyFor(first, nothingOmitted), begunAtOnce(answer, draft, opened))
      }
      return {
        wanted: { limitBytes: server.maxBodyBytes, hold },
        answer: (body) =>
          recorded(
            Either.isRight(body) ? Effect.suspend(() => received(body.right)) : unread(body.left),
            draft,
            opened,
          ),
        isStranger: false,
        deadline: deadline.right,
        ends: frame,
      }
    }

    /** How others are asked to resume an answer, should it break off; nothing where none may. */
    const askOf = (asking: AttemptsRequest, answered: AnsweredStream): AskToResume | undefined => {
      const { onAttempt, targets } = asking
      if (!targets.some((target) => target !== answered.target && mayResume(target))) return undefined
      return (broken, hasTried) =>
        askToResume(
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
      const answer = answerOf(error)
      return {
        wanted: undefined,
        answer: () => Effect.succeed(answer),
        isStranger: true,
        deadline: undefined,
        ends: strangers.isNoted()
          ? {
              close: () =>
                accessLog.unserved({
                  id: call.id,
                  client_ip: clientIpOf(current.snapshot(), call),
                  ...asked,
                  status: answer.status,
                  code: codeOf(error),
                }),
            }
          : undefined,
      }
    }

    return Gateway.of({ serve, proxy, unserved })
  }),
)
