/**
 * An attempt under way, from its call until its answer has begun, with its end told to the breaker.
 *
 * What becomes of the call is decided in the socket's own events, and the fiber of the request wakes once, when it is known: the same as effects
 * (a scope, a mask, a pull for each read) took a third of all the time of a request (docs/performance.md).
 */
import * as Either from "effect/Either"
import { graceMs } from "../answer/AnswerRun.ts"
import type { ChoiceTransform } from "../answer/ChoiceTransform.ts"
import type { EventReader } from "../answer/EventReader.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import type { AttemptOutcome, AttemptRecord } from "../audit/record/AuditRecord.ts"
import type { HandedOn } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { conversations } from "../operations/translation/Conversations.ts"
import { translatedEvents, unsaidBy } from "../operations/translation/TranslatedAnswer.ts"
import { pathAt, type Upstream } from "../routing/Upstream.ts"
import type { EventSource } from "../wire/EventSource.ts"
import { liftFinishing } from "../wire/Lift.ts"
import type { Answered, AnsweredStream, AttemptResult } from "./Answered.ts"
import { AnswerReading } from "./AnswerReading.ts"
import { type AttemptAt, type AttemptRequest, cancelledCause, recordOf, type Sent } from "./AttemptRequest.ts"
import type { Breakers } from "./Breakers.ts"
import type { AnswerHead, CallListener, OpenCall, UpstreamCall } from "./calls/UpstreamCall.ts"
import type { Upstreams } from "./calls/Upstreams.ts"
import { OpenBytes } from "./OpenBytes.ts"
import { OpenStream, type StreamFault } from "./OpenStream.ts"
import {
  AttemptFailure,
  type Refused,
  refusedBy,
  type ToldFailure,
  toldFailure,
  toldRefusal,
} from "./policy/AttemptFailure.ts"
import { recordedAs } from "./policy/FailureWords.ts"
import { isAnswer } from "./policy/Retry.ts"
import { answering, culpritOf, nothing, type Signs, signsOf, signsOfEnd, well } from "./policy/Signs.ts"
import type { BodyReading, Read, ReadingListener } from "./Reading.ts"
import { RelayedReading } from "./RelayedReading.ts"
import type { RunAside } from "./RunAside.ts"

const isRelayed = ({ plain }: ServedOperation): boolean => plain.kind === "relayed"

const isBytes = ({ headers }: AnswerHead): boolean =>
  (headers["content-type"] ?? "").toLowerCase().startsWith("application/octet-stream")

/** What is known of an answer that is handed on from its first bytes on; nothing where it is judged. */
const handedOnBy = ({ plain }: ServedOperation, head: AnswerHead): HandedOn | undefined => {
  if (plain.kind === "relayed") return plain
  return plain.holdsVectors === true && isBytes(head) ? { ...plain, holds: "bytes" } : undefined
}

/** Whoever packs a body without saying so says how long it is packed. */
const unpackedHead = (head: AnswerHead): AnswerHead => {
  const { "content-length": _, ...headers } = head.headers
  return { ...head, headers }
}

/** Sound may begin as something packed does. */
const unpacksOf = ({ plain }: ServedOperation): UpstreamCall["unpacks"] =>
  plain.kind === "relayed" && plain.holds === "sound" ? "told" : "any"

const pathFor = (upstream: Upstream, operation: ServedOperation, { id }: AttemptRequest["asked"]): string =>
  id === undefined || operation.keptAt === undefined
    ? pathAt(upstream, operation)
    : operation.keptAt(upstream, id)

/** Apart from `RunningAttempt`, which a stream under way is not to keep. */
const passingOver = (tell: AttemptRequest["onPassedOver"], upstream: string) => (): void => tell(upstream)

/** What attempts need of the layer they are made in. */
export interface AttemptSurroundings {
  readonly breakers: Breakers["Type"]
  readonly upstreams: Upstreams["Type"]
  readonly aside: RunAside
  readonly now: () => number
}

/** How an attempt began, and who is told what it comes to. */
export interface AttemptBeginning {
  /** Epoch milliseconds, before the wait for a slot. */
  readonly beganAt: number
  /** Gives back its slot among those the upstream takes at once. */
  readonly leaveSlot: () => void
  readonly excuse: Sent["excuse"]
  readonly translation: Sent["translation"]
  readonly onResult: (result: AttemptResult) => void
}

/** An attempt under way. Mutable on purpose: one call, one socket. */
export class RunningAttempt implements CallListener, ReadingListener {
  readonly #at: AttemptAt
  readonly #beginning: AttemptBeginning
  readonly #surroundings: AttemptSurroundings
  readonly onPassedOver: () => void
  #call: OpenCall | undefined
  #reading: BodyReading | undefined
  #isOver = false

  constructor(at: AttemptAt, beginning: AttemptBeginning, surroundings: AttemptSurroundings) {
    this.#at = at
    this.#beginning = beginning
    this.#surroundings = surroundings
    this.onPassedOver = passingOver(at.request.onPassedOver, at.target.upstream.name)
  }

  start(body: Sent["body"]): void {
    const { asked, deadline, headersFor, operation, stream } = this.#at.request
    const { progress, target } = this.#at
    this.#call = this.#surroundings.upstreams.open(
      {
        upstream: target.upstream,
        method: operation.method,
        path: pathFor(target.upstream, operation, asked),
        query: asked.query,
        headers: headersFor(target, progress.span),
        body: operation.method === "POST" ? body : undefined,
        awaits: stream ? "event" : isRelayed(operation) ? "bytes" : "answer",
        unpacks: unpacksOf(operation),
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
    this.#at.onFailed(this.#record({ status: undefined, cause: cancelledCause(this.#at.progress) }), true)
  }

  onHead(head: AnswerHead): void {
    const { choicesFor, hold, mayBeBytes, operation, requestId, retry, stream } = this.#at.request
    const isGood = head.status < 300
    const mayBeGiven = isGood || !retry.retryOn(head.status)
    // What is given as it comes has begun with its head; a good answer to a stream may yet be either.
    if (mayBeGiven && !(isGood && (stream || isRelayed(operation)))) this.onBegun()
    const { aside } = this.#surroundings
    const { beganAt, translation } = this.#beginning
    const choices = choicesFor(this.#at.target)
    const asked = { requestId, operation, stream, mayBeBytes, hold, choices, aside, translation, beganAt }
    const relayed = isGood && !stream ? handedOnBy(operation, head) : undefined
    this.#reading =
      relayed === undefined
        ? new AnswerReading(head, asked, this)
        : new RelayedReading(head, operation, relayed, this)
  }

  onBytes(bytes: Uint8Array): void {
    this.#reading?.bytes(bytes)
  }

  onEnd(failure: AttemptFailure | undefined): void {
    if (this.#reading !== undefined) {
      this.#reading.end(failure === undefined ? undefined : toldFailure(failure, this.#at.request.secrets))
    } else this.#fail(failure ?? AttemptFailure.BrokenOff({ reason: "no answer" }))
  }

  onBegun(): void {
    this.#call?.begun()
    this.#at.progress.hasBegun = true
  }

  transform(): ChoiceTransform {
    return this.#at.request.transformFor(this.#at.target)
  }

  onRead(head: AnswerHead, read: Read): void {
    const { headers, status } = head
    const target = this.#at.target
    switch (read.kind) {
      case "plain": {
        const { answer, body, counts } = read
        this.#winWhole({ kind: "plain", target, status, headers, body, answer, counts })
        return
      }
      case "begun":
        this.#begin(head, read.grammar, read.reader)
        return
      case "chunks": {
        const { counts, events, grammar, isTransformed } = read
        this.#winWhole({
          kind: "stream",
          target,
          status,
          headers,
          grammar,
          events,
          isTransformed,
          counts: counts === undefined ? undefined : () => counts,
          ended: () => {},
        })
        return
      }
      case "relayed":
        this.#relay(head, read)
        return
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
    const refused = toldRefusal(given, this.#at.request.secrets)
    if (!isAnswer(refused, this.#at.request.retry) || this.#beginning.excuse(refused) !== undefined) {
      this.#failAs(refused)
      return
    }
    const { headers, status } = refused
    this.#winWhole(
      { kind: "refusal", target: this.#at.target, status, headers, refused },
      this.#signsOf(refused),
    )
  }

  #begin(head: AnswerHead, grammar: StreamGrammar, reader: EventReader<StreamFault>): void {
    const call = this.#opened()
    if (call === undefined) return
    const { beganAt, translation } = this.#beginning
    const { requestId } = this.#at.request
    const stream = new OpenStream(call, reader, this.#at.request.secrets)
    call.tell(stream)
    const translated =
      translation === undefined ? undefined : translatedEvents(translation, unsaidBy(requestId, beganAt))
    const events: EventSource<StreamFault> =
      translated === undefined ? stream : liftFinishing(translated, graceMs)<StreamFault>(stream)
    this.#win({
      kind: "stream",
      ...this.#open(head, () => events.close()),
      grammar: translation === undefined ? grammar : (conversations[translation.to].stream ?? grammar),
      events,
      isTransformed: false,
      counts: translated === undefined ? undefined : () => translated.counts,
    })
    if (reader.excess !== undefined) call.close()
  }

  #relay(head: AnswerHead, { answer, form, isWhole, plain }: Extract<Read, { kind: "relayed" }>): void {
    const call = this.#opened()
    if (call === undefined) return
    call.handedOn()
    const bytes = new OpenBytes(call, answer, this.#at.request.secrets)
    call.tell(bytes)
    if (isWhole) bytes.onEnd(undefined)
    this.#win({
      kind: "bytes",
      ...this.#open(call.isUnpacked ? unpackedHead(head) : head, () => bytes.close()),
      plain,
      form,
      bytes,
      answer: () => answer.answer,
    })
  }

  /** The call, whose answer has begun. */
  #opened(): OpenCall | undefined {
    // Bytes only come to a call that is open.
    const call = this.#call
    if (call === undefined) return undefined
    call.begun()
    this.#isOver = true
    this.#endBreaker(answering, this.#at.request.caller)
    return call
  }

  #open(head: AnswerHead, close: () => void): OpenAnswer {
    const { breakers, now } = this.#surroundings
    const { beganAt, leaveSlot } = this.#beginning
    return openAnswer(this.#at, head, close, { breakers, now, beganAt, leaveSlot })
  }

  /** All of the answer is here. */
  #winWhole(answered: Answered, signs: Signs = well): void {
    this.#release()
    this.#endBreaker(signs, this.#at.request.caller)
    this.#win(answered)
  }

  #win(answered: Answered): void {
    const { status } = answered
    this.#beginning.onResult(
      Either.right({
        answered,
        record: this.#record(
          answered.kind === "refusal" ? recordedAs(answered.refused) : { status, cause: undefined },
        ),
        discard: () => {
          this.#release()
          return this.#record({ status, cause: cancelledCause(this.#at.progress) })
        },
      }),
    )
  }

  #fail(failure: AttemptFailure): void {
    this.#failAs(toldFailure(failure, this.#at.request.secrets))
  }

  #failAs(failure: ToldFailure): void {
    if (this.#isOver) return
    this.#release()
    const excuse = this.#beginning.excuse(failure)
    const told = recordedAs(failure)
    this.#endBreaker(
      excuse === undefined ? this.#signsOf(failure) : nothing,
      culpritOf(failure, this.#at.request.caller),
    )
    this.#at.onFailed(this.#record({ ...told, cause: excuse ?? told.cause }), false)
    this.#beginning.onResult(Either.left(failure))
  }

  /** Nothing more is to be read. */
  #release(): void {
    this.#isOver = true
    this.#reading?.close()
    this.#call?.close()
    this.#beginning.leaveSlot()
  }

  #signsOf(failure: AttemptFailure): Signs {
    return signsOf(failure, this.#at.target.upstream.apiKey !== undefined)
  }

  #endBreaker(signs: Signs, caller: string | undefined): void {
    this.#surroundings.breakers.end(
      this.#at.target,
      signs,
      this.#beginning.beganAt,
      this.#at.request.breaker,
      caller,
    )
  }

  #record(outcome: AttemptOutcome): AttemptRecord {
    return recordOf(this.#at, outcome, this.#surroundings.now() - this.#beginning.beganAt)
  }
}

type OpenAnswer = Pick<AnsweredStream, "ended" | "headers" | "status" | "target">

/** What answers have that are under way to the client. Apart from `RunningAttempt`, which they are not to keep: with it all that they were asked with. */
const openAnswer = (
  { request: { breaker, caller, deadline, whenOver }, target }: AttemptAt,
  { headers, status }: AnswerHead,
  close: () => void,
  {
    beganAt,
    breakers,
    leaveSlot,
    now,
  }: Pick<AttemptBeginning, "beganAt" | "leaveSlot"> & Pick<AttemptSurroundings, "breakers" | "now">,
): OpenAnswer => {
  const release = (): void => {
    close()
    leaveSlot()
  }
  whenOver(release)
  return {
    target,
    status,
    headers,
    ended: (outcome) => {
      breakers.end(target, signsOfEnd(outcome, now() >= deadline.at), beganAt, breaker, caller)
      release()
    },
  }
}
