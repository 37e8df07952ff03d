/**
 * One request from top to bottom: accept → decode → snapshot of the config → route → select → attempt (retry, fallback) →
 * transform → respond → audit.
 *
 * The impurity of a request enters once: Admission reads one snapshot, one seed is drawn here. The HTTP edge hands in a plain
 * value and gets a plain value back, so the way knows nothing of servers. What decides is pure and called as it is; what waits, the body and the
 * attempts, is an effect.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { PCGRandom } from "effect/Utils"
import { credentialFor } from "../access/Credential.ts"
import { type Deadline, deadlineOf } from "../access/Deadline.ts"
import { OpenRequests } from "../access/OpenRequests.ts"
import { Strangers } from "../access/Strangers.ts"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import { Aside } from "../aside/Aside.ts"
import { Audit } from "../audit/Audit.ts"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { type BodyLimit, ResponseNotFound } from "../errors/RequestErrors.ts"
import { nothingOmitted } from "../operations/Additions.ts"
import { toUpstream } from "../operations/HeadersToUpstream.ts"
import { type Form, toldForm } from "../operations/multipart/Form.ts"
import type { AskedTarget, RequestFacts } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { makerOf } from "../operations/responses/ResponseId.ts"
import { sessionOf } from "../operations/Session.ts"
import { choicesOf } from "../operations/text/Choices.ts"
import { takesOf } from "../routing/Dialect.ts"
import { drawsFrom } from "../routing/Draws.ts"
import { onlyTarget, type PlanRequest, plan } from "../routing/Plan.ts"
import type { Target } from "../routing/Upstream.ts"
import { Spool } from "../spool/Spool.ts"
import { AccessLog } from "../telemetry/AccessLog.ts"
import type { Answered, AnsweredStream } from "../upstream/Answered.ts"
import { Attempts } from "../upstream/Attempts.ts"
import { Upstreams } from "../upstream/calls/Upstreams.ts"
import { Dialects, type KnownDialects } from "../upstream/Dialects.ts"
import { errorOfRefusal } from "../upstream/policy/LastError.ts"
import type { WalkRequest } from "../upstream/Walk.ts"
import { Admission, answeredWith } from "./Admission.ts"
import { plainAnswer, recorded, refusal, transformOf } from "./Answers.ts"
import { type AskToResume, askToResume, mayResume } from "./AskToResume.ts"
import type { ClientCall, LongBody, RecordedAnswer, RequestFrame, Served, Unserved } from "./Exchange.ts"
import { Frame } from "./Frame.ts"
import { type BodyToResume, type ReadRequest, readLong } from "./LongBodies.ts"
import { type PassOn, passingOn } from "./Passthrough.ts"
import { relayedBytes } from "./RelayedBytes.ts"
import { makeRespond } from "./Respond.ts"
import { begunAtOnce, type StreamTools, streamedAnswer } from "./StreamedAnswer.ts"
import { lacked, unplanned } from "./Unplanned.ts"
import { formBoundary, type UploadTools, wantedForm } from "./Uploads.ts"

export class Gateway extends Context.Tag("sluice/Gateway")<
  Gateway,
  {
    /** Answers one request of an operation. */
    readonly proxy: (operation: ServedOperation, call: ClientCall, target: AskedTarget) => Served
    /** Hands one request on to the upstream of a rule. */
    readonly passOn: PassOn
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

/** What every request goes through. */
interface Stations extends StreamTools, UploadTools {
  readonly aside: Aside["Type"]
  readonly attempts: Attempts["Type"]
  readonly dialects: KnownDialects
  readonly inFlight: Upstreams["Type"]["inFlight"]
  readonly random: PCGRandom
}

/** What was asked for, and until when. */
interface Asked {
  readonly operation: ServedOperation
  readonly call: ClientCall
  readonly target: AskedTarget
  readonly deadline: Deadline
  /** Of its body, where that is a form. */
  readonly boundary: string | undefined
}

/** One request of an operation, from its body to its answer. */
class Passage {
  readonly #stations: Stations
  readonly #frame: Frame
  readonly #asked: Asked

  constructor(stations: Stations, frame: Frame, asked: Asked) {
    this.#stations = stations
    this.#frame = frame
    this.#asked = asked
  }

  /** To be run with the body, which is read before. */
  served(): Served {
    const { draft, hold, opened, snapshot } = this.#frame
    const { boundary } = this.#asked
    const limit: BodyLimit = { limitBytes: snapshot.server.maxBodyBytes, setBy: "max_body_bytes" }
    return {
      wanted:
        boundary === undefined
          ? { limit, hold, form: undefined }
          : wantedForm(boundary, this.#frame, this.#stations),
      answer: (body) =>
        recorded(
          Either.isRight(body) ? Effect.suspend(() => this.#received(body.right)) : this.#unread(body.left),
          draft,
          opened,
        ),
      isStranger: false,
      deadline: this.#asked.deadline,
      ends: this.#frame,
    }
  }

  /** What was kept of a body that is not read on is let go of at once: its client may be sending for a while. */
  #unread(error: GatewayError): Effect.Effect<never, GatewayError> {
    this.#frame.opened.letGo()
    return Effect.fail(error)
  }

  #received(body: Uint8Array | LongBody | Form): Effect.Effect<RecordedAnswer, GatewayError> {
    const { draft, hold, snapshot } = this.#frame
    const { operation, target } = this.#asked
    if ("parts" in body) return this.#form(body)
    if (!(body instanceof Uint8Array)) {
      const received = (bytes: Uint8Array): void => draft.received(bytes)
      const beside = { target, onlyModel: snapshot.routes.onlyModel }
      const read = readLong(this.#stations.aside, operation, body, beside, hold, received)
      return Effect.flatMap(read, (request) => this.#read(request))
    }
    draft.received(body)
    const request = operation.decode(body, target, snapshot.routes.onlyModel)
    return Either.isLeft(request) ? Effect.fail(request.left) : this.#read(request.right)
  }

  #form(form: Form): Effect.Effect<RecordedAnswer, GatewayError> {
    const { draft, secrets } = this.#frame
    const { operation, target } = this.#asked
    draft.received(Buffer.from(secrets.without(toldForm(form))))
    const request = operation.form?.(form, target)
    if (request === undefined) return Effect.dieMessage("a form was read that no operation takes")
    return Either.isLeft(request) ? Effect.fail(request.left) : this.#read(request.right)
  }

  /** How the client is answered with a stream, where it is: whatever it asks for, only an operation whose answers stream gives one. */
  #grammar({ stream }: RequestFacts): StreamGrammar | undefined {
    return stream ? this.#asked.operation.stream : undefined
  }

  #read(request: ReadRequest): Effect.Effect<RecordedAnswer, GatewayError> {
    const { draft, opened, snapshot } = this.#frame
    draft.asked(request.facts)
    const targets = this.#plan(request)
    const [first] = targets
    if (first === undefined) return Effect.fail(this.#unplanned(request.facts))
    const asking = this.#asking(request, targets)
    const answer = this.#answer(asking, request.facts, request.bodyToResume)
    const grammar = this.#grammar(request.facts)
    if (grammar === undefined || snapshot.streamStart === "first_event") return answer
    // What is wrong with the request is told with its status, as long as there is one to give.
    return Effect.as(request.bodyFor(first, nothingOmitted), begunAtOnce(answer, grammar, draft, opened))
  }

  #unplanned({ continues, model }: RequestFacts): GatewayError {
    return continues === undefined
      ? unplanned(this.#frame.snapshot.routes, this.#asked.operation, model, this.#stations.dialects)
      : new ResponseNotFound(continues)
  }

  /** The targets that speak the dialect as far as is known; where that leaves none, those of which it was only learned that they do not. */
  #plan(request: ReadRequest): ReadonlyArray<Target> {
    const { continues, model } = request.facts
    if (continues !== undefined) {
      const maker = makerOf(continues.id, this.#frame.snapshot.routes.upstreams)
      return maker === undefined ? [] : [onlyTarget(maker, model)]
    }
    const { dialect } = this.#asked.operation
    if (dialect === undefined) return this.#planFor(request, takesOf(dialect))
    const { dialects } = this.#stations
    const targets = this.#planFor(request, (upstream) => dialects.spokenBy(upstream).includes(dialect))
    return targets.length > 0 ? targets : this.#planFor(request, takesOf(dialect))
  }

  #planFor({ affinity, facts }: ReadRequest, takes: PlanRequest["takes"]): ReadonlyArray<Target> {
    const { inFlight, random } = this.#stations
    const { call } = this.#asked
    return plan(
      this.#frame.snapshot,
      { model: facts.model, affinity: () => sessionOf(call.headers) ?? affinity(), takes },
      { draws: drawsFrom(random.number()), load: inFlight },
    )
  }

  #asking({ bodyFor, facts }: ReadRequest, targets: ReadonlyArray<Target>): WalkRequest {
    const { caller, draft, hold, onAsking, onAttempt, onPassedOver, secrets, snapshot, whenOver } =
      this.#frame
    const { boundary, call, deadline, operation, target: asked } = this.#asked
    return {
      operation,
      asked,
      stream: this.#grammar(facts) !== undefined,
      mayBeBytes: snapshot.streamStart === "first_event",
      choicesFor: ({ upstream }) => choicesOf(facts.choices, upstream),
      transformFor: (target) => transformOf(operation, target, facts, snapshot),
      targets,
      retry: snapshot.retry,
      breaker: snapshot.breaker,
      deadline,
      hold,
      whenOver,
      onPassedOver,
      onDropped: ({ upstream }, members) => draft.dropped(upstream.name, members),
      bodyFor,
      lacked: (lacking) => lacked(snapshot.routes, operation, facts.model, this.#stations.dialects, lacking),
      headersFor: ({ upstream }) => {
        const credential = credentialFor(snapshot.server.accessKeys, upstream, call.headers)
        const body = operation.method !== "POST" ? "none" : boundary === undefined ? "json" : "form"
        return toUpstream(call.headers, upstream, credential, { body, face: operation.face })
      },
      secrets,
      caller,
      onAsking,
      onAttempt,
    }
  }

  #answer(
    asking: WalkRequest,
    facts: RequestFacts,
    bodyToResume: BodyToResume | undefined,
  ): Effect.Effect<RecordedAnswer, GatewayError> {
    return Effect.flatMap(this.#stations.attempts.run(asking), (answered) => {
      const ask =
        answered.kind === "stream" ? this.#resumers(asking, answered, facts, bodyToResume) : undefined
      // Unless somebody may have to be asked to resume it, what it was asked with is let go of.
      if (ask === undefined) this.#frame.opened.giveBack()
      return this.#answered(answered, asking.transformFor(answered.target), facts, ask)
    })
  }

  #answered(
    answered: Answered,
    transform: ChoiceTransform,
    facts: RequestFacts,
    ask: AskToResume | undefined,
  ): Effect.Effect<RecordedAnswer, GatewayError> {
    const { aside } = this.#stations
    const frame = this.#frame
    switch (answered.kind) {
      case "plain":
        return plainAnswer(answered, this.#asked.operation, transform, frame, aside)
      case "bytes":
        return Effect.succeed(relayedBytes(answered, frame))
      case "refusal":
        return Effect.succeed(refusal(errorOfRefusal(answered.refused, answered.target, []), frame.draft))
      case "stream":
        return Effect.succeed(streamedAnswer(answered, facts, transform, frame, ask, this.#stations))
    }
  }

  /** How others are asked to resume an answer, should it break off; nothing where none may. */
  #resumers(
    asking: WalkRequest,
    answered: AnsweredStream,
    { unresumable }: RequestFacts,
    bodyToResume: BodyToResume | undefined,
  ): AskToResume | undefined {
    if (unresumable !== undefined || bodyToResume === undefined) return undefined
    const { onAttempt, targets } = asking
    if (!targets.some((target) => target !== answered.target && mayResume(target))) return undefined
    return (broken, hasTried) =>
      askToResume(
        this.#stations.attempts.run,
        {
          ...asking,
          targets: targets.filter((target) => !hasTried(target)),
          onAttempt: (attempt, failed) => onAttempt({ ...attempt, resumed: true }, failed),
        },
        bodyToResume,
        broken,
      )
  }
}

export const layer: Layer.Layer<
  Gateway,
  never,
  | AccessLog
  | Aside
  | Attempts
  | Audit
  | CurrentConfig
  | Dialects
  | OpenRequests
  | Spool
  | Strangers
  | Upstreams
> = Layer.scoped(
  Gateway,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const openRequests = yield* OpenRequests
    const admission = new Admission({
      accessLog: yield* AccessLog,
      audit: yield* Audit,
      clock,
      current: yield* CurrentConfig,
      openRequests,
      strangers: yield* Strangers,
    })
    const { inFlight, open } = yield* Upstreams
    const runFork = yield* FiberSet.makeRuntime<never>()
    const stations: Stations = {
      aside: yield* Aside,
      attempts: yield* Attempts,
      dialects: yield* Dialects,
      inFlight,
      // Seeded once by the service that tests own; asking it for each request would be an effect each time.
      random: new PCGRandom(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)),
      respond: yield* makeRespond(runFork),
      runFork,
      spool: yield* Spool,
    }

    // What is beneath stays open until all requests have ended, those that were cut too. A finalizer cannot be interrupted otherwise, not even by its timeout.
    yield* Effect.addFinalizer(() =>
      Effect.timeoutOption(Effect.interruptible(openRequests.allEnded), "5 seconds"),
    )

    return Gateway.of({
      serve: (endpointName, call, answer) => admission.serve(endpointName, call, answer),
      unserved: (asked, call, error) => admission.unserved(asked, call, error),
      passOn: passingOn(admission, open, clock),
      proxy: (operation, call, target) => {
        const frame = admission.open(operation, call)
        if (!(frame instanceof Frame)) return frame
        const { draft, snapshot } = frame
        const boundary = formBoundary(operation, call.headers)
        if (boundary !== undefined && Either.isLeft(boundary))
          return answeredWith(boundary.left, draft, { ends: frame, isStranger: false })
        const deadline = deadlineOf(call.headers, draft.startedAt, snapshot.server.requestTimeoutMs)
        return Either.isLeft(deadline)
          ? answeredWith(deadline.left, draft, { ends: frame, isStranger: false })
          : new Passage(stations, frame, {
              operation,
              call,
              target,
              deadline: deadline.right,
              boundary: boundary?.right,
            }).served()
      },
    })
  }),
)
