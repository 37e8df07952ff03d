/**
 * One request of an operation from top to bottom: its body → decode → route → select → attempt (retry, fallback) → transform → respond → audit.
 *
 * What decides is pure and called as it is; what waits, the body and the attempts, is an effect.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { credentialFor } from "../access/Credential.ts"
import type { Deadline } from "../access/Deadline.ts"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { Aside } from "../aside/Aside.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { BodyLimit } from "../errors/RequestErrors.ts"
import { nothingOmitted } from "../operations/Additions.ts"
import { toUpstream } from "../operations/HeadersToUpstream.ts"
import { type Form, toldForm } from "../operations/multipart/Form.ts"
import type { AskedRequest, AskedTarget, RequestFacts } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { choicesOf } from "../operations/text/Choices.ts"
import { conversations } from "../operations/translation/Conversations.ts"
import { preparedFor } from "../operations/translation/TranslatedRequest.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Answered } from "../upstream/Answered.ts"
import type { Attempts } from "../upstream/Attempts.ts"
import { errorOfRefusal } from "../upstream/policy/LastError.ts"
import type { WalkRequest } from "../upstream/Walk.ts"
import { plainAnswer, recorded, refusal, transformOf } from "./Answers.ts"
import { type AskToResume, askOthers } from "./AskToResume.ts"
import type { ClientCall, LongBody, RecordedAnswer, Served } from "./Exchange.ts"
import type { Frame } from "./Frame.ts"
import { type BodyToResume, type ReadRequest, readLong } from "./LongBodies.ts"
import { type PlanTools, planFor, whyNobody } from "./Planned.ts"
import { relayedBytes } from "./RelayedBytes.ts"
import { begunAtOnce, type StreamTools, streamedAnswer } from "./StreamedAnswer.ts"
import { tracedHeaders } from "./TracedHeaders.ts"
import { lacked } from "./Unplanned.ts"
import { type UploadTools, wantedForm } from "./Uploads.ts"

/** What every request goes through. */
export interface Stations extends PlanTools, StreamTools, UploadTools {
  readonly aside: Aside["Type"]
  readonly attempts: Attempts["Type"]
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

/** Whether there is a target that the request can be said to. One whose dialect cannot say it is passed by for the next. */
const isSayable = (
  bodyFor: ReadRequest["bodyFor"],
  [target, ...others]: ReadonlyArray<Target>,
): Effect.Effect<boolean> =>
  target === undefined
    ? Effect.succeed(false)
    : Effect.matchEffect(bodyFor(target, nothingOmitted), {
        onSuccess: () => Effect.succeed(true),
        onFailure: ({ _tag }) =>
          target.dialect === undefined || _tag !== "InvalidRequest"
            ? Effect.succeed(false)
            : isSayable(bodyFor, others),
      })

/** One request of an operation, from its body to its answer. */
export class Passage {
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

  #read(request: ReadRequest | AskedRequest): Effect.Effect<RecordedAnswer, GatewayError> {
    const { draft, opened, snapshot } = this.#frame
    draft.asked(request.facts)
    const targets = planFor(this.#stations, snapshot, this.#asked, request)
    if (targets.length === 0) {
      return Effect.fail(whyNobody(this.#stations, snapshot, this.#asked.operation, request.facts))
    }
    const prepared = this.#inDialects(request)
    const asking = this.#asking(prepared, targets)
    const answer = this.#answer(asking, request.facts, prepared.bodyToResume)
    const grammar = this.#grammar(request.facts)
    if (grammar === undefined || snapshot.streamStart === "first_event") return answer
    // What is wrong with the request is told with its status, as long as there is one to give.
    return Effect.flatMap(isSayable(prepared.bodyFor, targets), (sayable) =>
      sayable ? Effect.succeed(begunAtOnce(answer, grammar, draft, opened)) : answer,
    )
  }

  /**
   * A conversation is prepared for each target in the dialect in which that is asked, which its plan need not know: that it lacks another may be found
   * out on the way. What was read in the thread is prepared so there.
   */
  #inDialects(request: ReadRequest | AskedRequest): ReadRequest {
    const { operation } = this.#asked
    if (!("conversation" in request)) return request
    return {
      facts: request.facts,
      affinity: request.affinity,
      bodyFor: (target, omissions) => preparedFor(operation, request, target, omissions, undefined),
      bodyToResume: (target, omissions, said) => preparedFor(operation, request, target, omissions, said),
    }
  }

  #asking({ bodyFor, facts }: ReadRequest, targets: ReadonlyArray<Target>): WalkRequest {
    const {
      caller,
      draft,
      hold,
      onAsking,
      onAttempt,
      onPassedBy,
      onPassedOver,
      secrets,
      snapshot,
      whenOver,
    } = this.#frame
    const { boundary, call, deadline, operation, target: asked } = this.#asked
    return {
      requestId: draft.id,
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
      onPassedBy,
      onDropped: ({ upstream }, members) => draft.dropped(upstream.name, members),
      bodyFor,
      lacked: (lacking) => lacked(snapshot.routes, operation, facts.model, this.#stations.dialects, lacking),
      headersFor: ({ dialect, upstream }, span) => {
        const credential = credentialFor(snapshot.server.accessKeys, upstream, call)
        const body = operation.method !== "POST" ? "none" : boundary === undefined ? "json" : "form"
        return toUpstream(tracedHeaders(call.headers, span), upstream, credential, {
          body,
          face: dialect === undefined ? operation.face : conversations[dialect].face,
          isTranslated: dialect !== undefined,
        })
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
        answered.kind === "stream" && bodyToResume !== undefined && facts.unresumable === undefined
          ? askOthers(this.#stations.attempts.run, asking, answered, bodyToResume)
          : undefined
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
}
