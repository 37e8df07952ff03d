/**
 * A request that is handed on to one upstream as it is asked, and its answer as it comes: nothing of either is read. It is let in, timed and
 * recorded as every other is; it takes a place at its upstream, and tells the breaker how it went. No other is asked after it.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { credentialFor } from "../access/Credential.ts"
import { type Deadline, deadlineOf } from "../access/Deadline.ts"
import type { AttemptOutcome } from "../audit/record/AuditRecord.ts"
import { type Ending, endingOf } from "../audit/record/RecordDraft.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { DeadlineExceeded } from "../errors/UpstreamErrors.ts"
import { passedToClient } from "../operations/HeadersToClient.ts"
import { type SentBody, toUpstream } from "../operations/HeadersToUpstream.ts"
import type { Passed, PassedMethod } from "../routing/Passthrough.ts"
import type { Target } from "../routing/Upstream.ts"
import { busy } from "../upstream/Attempt.ts"
import { type AttemptProgress, newProgress } from "../upstream/AttemptRequest.ts"
import type { Breakers } from "../upstream/Breakers.ts"
import { BodyCollector } from "../upstream/calls/BodyCollector.ts"
import type { AnswerHead, OpenCall, UpstreamCall } from "../upstream/calls/UpstreamCall.ts"
import type { Upstreams } from "../upstream/calls/Upstreams.ts"
import { OpenBytes } from "../upstream/OpenBytes.ts"
import {
  AttemptFailure,
  refusedBy,
  type ToldFailure,
  toldFailure,
  toldRefusal,
} from "../upstream/policy/AttemptFailure.ts"
import { recordedAs } from "../upstream/policy/FailureWords.ts"
import { errorOfAll, errorOfRefusal, failuresOf } from "../upstream/policy/LastError.ts"
import { answering, culpritOf, nothing, type Signs, signsOf, signsOfEnd } from "../upstream/policy/Signs.ts"
import type { Slots } from "../upstream/Slots.ts"
import { isSendable } from "../wire/Headers.ts"
import { encodeJson } from "../wire/JsonBytes.ts"
import { type Admission, answeredWith } from "./Admission.ts"
import { headersOf, recorded, refusal } from "./Answers.ts"
import type { ClientCall, PassingBody, RecordedAnswer, Served } from "./Exchange.ts"
import { Frame } from "./Frame.ts"
import { type BytesEnd, outcomes, relayOf } from "./RelayedBytes.ts"
import { tracedHeaders } from "./TracedHeaders.ts"

/** As the audit and the log call it. */
export const passthroughName = "passthrough"

/** What is asked, and until when. */
interface AskedPassage {
  readonly call: ClientCall
  readonly method: PassedMethod | "HEAD"
  readonly passed: Extract<Passed, { readonly kind: "below" }>
  readonly deadline: Deadline
}

/** What the upstream said: an answer that is under way, a refusal that is whole, or nothing. */
type Said =
  | { readonly kind: "answer"; readonly head: AnswerHead; readonly bytes: OpenBytes }
  | { readonly kind: "refusal"; readonly head: AnswerHead; readonly body: Uint8Array }
  | { readonly kind: "failed"; readonly failure: AttemptFailure }

/** What calls need of the layer they are made in. */
interface PassthroughTools {
  readonly breakers: Breakers["Type"]
  readonly slots: Slots["Type"]
  readonly open: Upstreams["Type"]["open"]
  readonly now: () => number
}

/** What belongs to bodies that are handed on, beside what goes to every upstream. */
const alsoPassed = ["content-encoding", "range"]

/** Of a refusal no more is read. */
const maxErrorBytes = 64 * 1024

/** One request that is handed on. */
class Passthrough {
  readonly #tools: PassthroughTools
  readonly #frame: Frame
  readonly #asked: AskedPassage
  readonly #target: Target
  readonly #progress: AttemptProgress
  #body: PassingBody | undefined
  #leaveSlot: (() => void) | undefined

  constructor(tools: PassthroughTools, frame: Frame, asked: AskedPassage) {
    this.#tools = tools
    this.#frame = frame
    this.#asked = asked
    this.#target = { upstream: asked.passed.rule.upstream, upstreamModel: "" }
    this.#progress = newProgress(this.#target)
  }

  served(): Served {
    const { draft, hold, opened, snapshot } = this.#frame
    const limit = { limitBytes: snapshot.server.maxUploadBytes, setBy: "max_upload_bytes" } as const
    const pass = (body: PassingBody | undefined): void => {
      this.#body = body
    }
    return {
      wanted: { limit, hold, form: undefined, pass },
      answer: () =>
        recorded(
          Effect.suspend(() => this.#answer()),
          draft,
          opened,
        ),
      isStranger: false,
      deadline: this.#asked.deadline,
      ends: this.#frame,
    }
  }

  #answer(): Effect.Effect<RecordedAnswer, GatewayError> {
    const tooLong = this.#body?.fault()
    if (tooLong !== undefined) return this.#fail(tooLong)
    this.#progress.beganAt = this.#tools.now()
    this.#progress.span = this.#frame.onAsking(this.#progress)
    const told = (outcome: AttemptOutcome, failed: boolean): void => {
      const { beganAt, span, upstream } = this.#progress
      const ms = this.#tools.now() - beganAt
      const traced = span === undefined ? undefined : { span }
      this.#frame.onAttempt(
        { upstream: upstream.name, upstreamModel: undefined, ...outcome, ms, ...traced },
        failed,
      )
    }
    return this.#inTurn().pipe(
      Effect.onInterrupt(() =>
        Effect.sync(() => told({ status: undefined, cause: "the caller left" }, false)),
      ),
      Effect.flatMap((said) => this.#answered(said, told)),
    )
  }

  /** Asks the upstream, once it has a place for that. */
  #inTurn(): Effect.Effect<Said> {
    const { breakers, now, slots } = this.#tools
    const leftMs = Math.max(0, this.#asked.deadline.at - now())
    return Effect.matchEffect(slots.take(this.#target.upstream, leftMs, this.#frame.whenOver), {
      onFailure: (noSlot) => Effect.succeed<Said>({ kind: "failed", failure: busy(noSlot) }),
      onSuccess: (leave) =>
        Effect.suspend(() => {
          this.#leaveSlot = leave
          this.#progress.hasSlot = true
          breakers.begin([this.#target], this.#frame.caller)
          return this.#asking()
        }),
    })
  }

  /** Tells the breaker what the attempt says of its upstream. Of models it says nothing. */
  #sign({ upstream }: Signs, failure?: AttemptFailure): void {
    const { caller, snapshot } = this.#frame
    // A key may hold for some paths and not for others.
    const signs: Signs = {
      upstream: upstream === "credentials_rejected" ? "nothing" : upstream,
      model: "nothing",
    }
    const culprit = failure === undefined ? caller : culpritOf(failure, caller)
    this.#tools.breakers.end(this.#target, signs, this.#progress.beganAt, snapshot.breaker, culprit)
  }

  /** The call is over, where it came to one. */
  #over(signs: Signs, failure?: AttemptFailure): void {
    if (this.#leaveSlot === undefined) return
    this.#sign(signs, failure)
    this.#leaveSlot()
    this.#leaveSlot = undefined
  }

  /** Asks the upstream, until its answer begins or is a refusal. */
  #asking(): Effect.Effect<Said> {
    return Effect.async<Said>((resume) => {
      const body = new BodyCollector(maxErrorBytes)
      let head: AnswerHead | undefined
      const say = (said: Said): void => resume(Effect.succeed(said))
      const call: OpenCall = this.#tools.open(this.#call(), {
        onHead: (given) => {
          head = given
          call.begun()
          if (given.status >= 300) return
          const bytes = new OpenBytes(call, undefined, this.#frame.secrets)
          call.tell(bytes)
          this.#frame.whenOver(() => bytes.close())
          say({ kind: "answer", head: given, bytes })
        },
        onBytes: (bytes) => {
          if (head === undefined || body.keep(bytes) === undefined) return
          call.close()
          say({ kind: "refusal", head, body: body.whole() })
        },
        onEnd: (failure) => {
          // Of a refusal that breaks off its status stands.
          if (head !== undefined) say({ kind: "refusal", head, body: body.whole() })
          else say({ kind: "failed", failure: failure ?? AttemptFailure.BrokenOff({ reason: "no answer" }) })
        },
      })
      return Effect.sync(() => {
        call.close()
        this.#over(nothing)
      })
    })
  }

  #call(): UpstreamCall {
    const { call, deadline, method, passed } = this.#asked
    const { upstream } = this.#target
    const credential = credentialFor(this.#frame.snapshot.server.accessKeys, upstream, call)
    const about: SentBody = { body: this.#body === undefined ? "none" : "as_said", face: call.face }
    const headers: Record<string, string> = {
      ...toUpstream(tracedHeaders(call.headers, this.#progress.span), upstream, credential, about),
    }
    for (const name of alsoPassed) {
      const value = call.headers[name]
      if (value !== undefined && isSendable(name, value)) headers[name] = value
    }
    if (this.#body?.length !== undefined) headers["content-length"] = String(this.#body.length)
    return {
      upstream,
      method,
      path: passed.path,
      query: passed.query,
      headers,
      body: this.#body?.bytes,
      awaits: "bytes",
      unpacks: "none",
      deadline,
    }
  }

  #answered(
    said: Said,
    told: (outcome: AttemptOutcome, failed: boolean) => void,
  ): Effect.Effect<RecordedAnswer, GatewayError> {
    const { draft, secrets } = this.#frame
    switch (said.kind) {
      case "answer":
        told({ status: said.head.status, cause: undefined }, false)
        this.#sign(answering)
        return Effect.succeed(this.#relayed(said.head, said.bytes))
      case "refusal": {
        const refused = toldRefusal(refusedBy(said.head, said.body), secrets)
        told(recordedAs(refused), false)
        this.#over(this.#signsOf(refused))
        this.#note()
        return Effect.succeed(refusal(errorOfRefusal(refused, this.#target, []), draft))
      }
      case "failed": {
        const failure = toldFailure(said.failure, secrets)
        const ownFault = this.#body?.fault()
        told(recordedAs(failure), ownFault === undefined)
        this.#over(ownFault === undefined ? this.#signsOf(failure) : nothing, failure)
        return this.#fail(ownFault ?? this.#errorOf(failure))
      }
    }
  }

  #signsOf(failure: ToldFailure): Signs {
    return signsOf(failure, this.#target.upstream.apiKey !== undefined)
  }

  #errorOf(failure: ToldFailure): GatewayError {
    const failed = [{ target: this.#target, failure }]
    return failure._tag === "TimedOut" && failure.phase === "deadline"
      ? new DeadlineExceeded({ ...this.#asked.deadline, failures: failuresOf(failed) })
      : errorOfAll(failed)
  }

  #fail(error: GatewayError): Effect.Effect<never, GatewayError> {
    this.#note()
    return Effect.fail(error)
  }

  #relayed(head: AnswerHead, source: OpenBytes): RecordedAnswer {
    const { draft, secrets } = this.#frame
    const { headers, status } = head
    const given = passedToClient(headers, secrets)
    let bytes = 0
    draft.begun()
    const onEnd = (end: BytesEnd): Ending => {
      const outcome = outcomes[end.kind]
      this.#over(signsOfEnd(outcome, this.#tools.now() >= this.#asked.deadline.at))
      draft.streamed()
      this.#note()
      const type = given["content-type"]
      const kept = { content_type: type ?? null, bytes }
      const error = end.kind === "broken" ? end.error : undefined
      const ending = endingOf(status, outcome, error, encodeJson(kept) ?? noBytes)
      return { ...ending, answerBytes: bytes, answerType: type }
    }
    return {
      status,
      headers: Object.assign(headersOf(head, draft, secrets), given),
      body: relayOf({
        source,
        onBytes: (more) => {
          bytes += more.length
        },
        onEnd,
      }),
    }
  }

  /** Notes what was asked in the place of its body, which nobody has. */
  #note(): void {
    const { call, method, passed } = this.#asked
    const { draft, secrets } = this.#frame
    const sent =
      this.#body === undefined
        ? {}
        : { content_type: call.headers["content-type"] ?? null, bytes: this.#body.received() }
    draft.received(encodeJson({ method, path: secrets.without(passed.asked), ...sent }) ?? noBytes)
  }
}

const noBytes = new Uint8Array()

/** Hands one request on. */
export type PassOn = (asked: Pick<AskedPassage, "method" | "passed">, call: ClientCall) => Served

/** Hands on who is let in. */
export const passingOn =
  (admission: Admission, tools: PassthroughTools): PassOn =>
  (asked, call) => {
    const frame = admission.open(
      {
        name: passthroughName,
        dialect: undefined,
        method: asked.method,
        paths: [`/${asked.passed.rule.path}`],
      },
      call,
    )
    if (!(frame instanceof Frame)) return frame
    const { draft, snapshot } = frame
    const deadline = deadlineOf(call.headers, draft.startedAt, snapshot.server.requestTimeoutMs)
    if (Either.isLeft(deadline)) {
      return answeredWith(deadline.left, draft, { ends: frame, isStranger: false })
    }
    return new Passthrough(tools, frame, { ...asked, call, deadline: deadline.right }).served()
  }
