/**
 * The audit record of a request under way: facts are noted as they become known, and it is closed once, however the request ends.
 *
 * How it ended comes with its answer (gateway/Exchange.ts), so that what has no ending was not answered: its client left before.
 */
import { noUsage, type Usage } from "../../answer/Usage.ts"
import type { Addressee, FaceName } from "../../errors/faces/Face.ts"
import type { Outcome } from "../../errors/Outcome.ts"
import type { RequestFacts } from "../../operations/Operation.ts"
import type { Target } from "../../routing/Upstream.ts"
import { withoutKeyForms } from "../../secrets/KeyForm.ts"
import type { AuditPolicy } from "./AuditPolicy.ts"
import type { AttemptRecord, AuditedBody, AuditRecord, PassedByRecord } from "./AuditRecord.ts"
import { keptHeader, redactHeaders } from "./KeptHeaders.ts"
import type { AttemptSpan, RequestTrace } from "./RequestTrace.ts"
import type { AskedUpstream, SoFar } from "./SoFar.ts"
import { UpstreamTime } from "./UpstreamTime.ts"

/** What is known of a request before anything was read of it. */
export interface Opening extends Addressee {
  readonly id: string
  readonly startedAt: number
  readonly clientIp: string
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The conversation dialect that the client speaks; none where the endpoint is not for conversations. */
  readonly dialect: string | undefined
  /** Of the key the client sent. */
  readonly keyFingerprint: string | undefined
  /** Of the name that the client gave its conversation. */
  readonly conversation: string | undefined
  /** Of the configuration in force when the request came. */
  readonly configHash: string
  readonly policy: AuditPolicy
  /** Where traces are on. */
  readonly trace?: RequestTrace | undefined
  /** Milliseconds since the request was accepted, by a monotonic clock. */
  readonly elapsedMs: () => number
}

/** How an answer ended, as far as it got. */
export interface Ending {
  readonly status: number
  readonly outcome: Outcome
  readonly error: string | undefined
  readonly usage: Usage
  readonly finishReason: string | undefined
  readonly toolCalls: boolean | undefined
  /** What the answer calls itself. Of a stream it is read when its record is written down, off the answer put together. */
  readonly responseId?: string | undefined
  /** By which tariff the answer says it was made; of a stream likewise. */
  readonly serviceTier?: string | undefined
  /** How many bytes of an answer came that was handed on as they did, and as what. */
  readonly answerBytes?: number
  readonly answerType?: string | undefined
  readonly response: AuditedBody | undefined
}

/** Why not all of an answer was sent: its client left, or its connection was cut for what this says. */
export type Unsent = { readonly by: "client" } | { readonly by: "gateway"; readonly why: string }

/** An answer as it went out: nobody has got a whole one of which something is left. */
const sentPart = (ending: Ending, unsent: Unsent): Ending => {
  if (unsent.by === "gateway") return { ...ending, outcome: "client_closed", error: unsent.why }
  // What went wrong before is told of the others.
  return ending.outcome === "ok"
    ? { ...ending, outcome: "client_closed", error: "the client left before it had taken the whole answer" }
    : ending
}

/** How an answer of this gateway's own ended, which is not one of a model: it has neither usage nor a reason to finish. */
export const endingOf = (
  status: number,
  outcome: Outcome,
  error: string | undefined,
  body: Uint8Array,
): Ending => ({
  status,
  outcome,
  error,
  usage: noUsage,
  finishReason: undefined,
  toolCalls: undefined,
  response: { kind: "plain", bytes: body },
})

const nothingDropped: ReadonlyArray<string> = []
const nobodyPassedBy: ReadonlyArray<PassedByRecord> = []

/** The name of a model, where one was asked for: a response is asked for by its id alone. */
const named = (model: string | undefined): string | undefined => (model === "" ? undefined : model)

/** nginx's word for a client that left before it was answered; never sent. */
const clientClosedRequest = 499

/** Mutable on purpose: one request, one fiber, many small facts. */
export class RecordDraft implements Addressee {
  #asked: Partial<Pick<RequestFacts, "characters" | "model" | "stream" | "tools" | "multimodal">> = {}
  #request: Uint8Array | undefined
  #attempts: Array<AttemptRecord> = []
  #answering: AttemptRecord | undefined
  #ttftMs: number | undefined
  #ended: () => Ending | undefined = () => undefined
  /** Those that failed or broke off. */
  readonly #tried: Array<AttemptRecord> = []
  #dropped: Map<string, ReadonlyArray<string>> | undefined
  #passedBy: Array<PassedByRecord> | undefined
  #isGathered = false
  #givenUp: string | undefined
  #code: string | undefined
  #upstreamRequestId: string | undefined
  readonly #upstreamTime = new UpstreamTime()
  /** Whom it waits for, and who is asked beside. */
  #asking: AskedUpstream | undefined
  #hedge: AskedUpstream | undefined
  /** The span of the attempt whose stream is under way. */
  #streaming: AttemptSpan | undefined
  readonly #opening: Opening

  constructor(opening: Opening) {
    this.#opening = opening
  }

  get id(): string {
    return this.#opening.id
  }

  get dialect(): string | undefined {
    return this.#opening.dialect
  }

  get face(): FaceName {
    return this.#opening.face
  }

  get endpoint(): string {
    return this.#opening.endpoint
  }

  get clientIp(): string {
    return this.#opening.clientIp
  }

  /** Epoch milliseconds. */
  get startedAt(): number {
    return this.#opening.startedAt
  }

  get attempts(): ReadonlyArray<AttemptRecord> {
    return this.#attempts
  }

  /** The attempt that answers, else the last one; none of an answer that is gathered from many. Of a stream that nobody resumed, the one that began it. */
  get answering(): AttemptRecord | undefined {
    return this.#isGathered ? undefined : (this.#answering ?? this.#attempts.at(-1))
  }

  /** The body as it came, where one did. */
  received(bytes: Uint8Array): void {
    if (bytes.length > 0 && this.#opening.policy.bodies === "full") this.#request = bytes
  }

  asked({ characters, model, multimodal, stream, tools }: RequestFacts): void {
    // Not the request itself: its body in all its forms would live as long as the answer.
    this.#asked = { characters, model, multimodal, stream, tools }
  }

  /** The request is refused, with an error of this code. */
  refused(code: string | undefined): void {
    this.#code = code
  }

  /** The `code` of the error it was refused with. */
  get code(): string | undefined {
    return this.#code
  }

  /** The request is given up: attempts that end from here on were cut with it. */
  givenUp(why: string): void {
    this.#givenUp = why
  }

  /** An upstream is asked: `attempted` follows, once for each. */
  asking(asked: AskedUpstream): AttemptSpan | undefined {
    const { elapsedMs, startedAt, trace } = this.#opening
    const at = elapsedMs()
    this.#upstreamTime.begin(at)
    if (asked.isHedge) this.#hedge = asked
    else this.#asking = asked
    return trace?.attempt(asked.upstream, startedAt + at)
  }

  attempted(attempt: AttemptRecord, failed: boolean): void {
    const at = this.#opening.elapsedMs()
    this.#upstreamTime.end(at)
    if (attempt.hedged === true) this.#hedge = undefined
    else this.#asking = undefined
    if (attempt.span !== undefined) this.#endSpan(attempt.span, at)
    this.#attempts.push(this.#givenUp === undefined ? attempt : { ...attempt, cause: this.#givenUp })
    if (failed) this.#tried.push(attempt)
    else this.#answer(attempt)
  }

  /** It answers, for as long as no later one does; it resumes the stream that has begun. */
  #answer(attempt: AttemptRecord): void {
    this.#answering = attempt
    if (this.#ttftMs !== undefined) this.#streaming = attempt.span
  }

  #endSpan(span: AttemptSpan, at: number): void {
    span.endedAt = this.#opening.startedAt + at
  }

  /** The stream under way is over, or cut. */
  #endStreaming(at: number): void {
    if (this.#streaming !== undefined) this.#endSpan(this.#streaming, at)
    this.#streaming = undefined
  }

  /** An upstream is not asked, though it was its turn. */
  passedBy(upstream: PassedByRecord): void {
    this.#passedBy ??= []
    this.#passedBy.push(upstream)
  }

  /** What of the request an upstream is not sent. */
  dropped(upstream: string, members: ReadonlyArray<string>): void {
    this.#dropped ??= new Map()
    this.#dropped.set(upstream, members)
  }

  /** What of the request the upstream that answers was not sent. */
  get droppedMembers(): ReadonlyArray<string> {
    return this.#dropped?.get(this.answering?.upstream ?? "") ?? nothingDropped
  }

  /** Something was asked for by this name, without a body. */
  askedFor(model: string): void {
    this.#asked = { model }
  }

  /** Its answer is made of those of many upstreams, so that none of them is the one that answers. */
  gathered(): void {
    this.#isGathered = true
  }

  /** Whether a target has shown that it cannot: of one that was only slower than another nothing is known. */
  hasTried({ upstream, upstreamModel }: Target): boolean {
    return this.#tried.some(
      (attempt) => attempt.upstream === upstream.name && attempt.upstreamModel === upstreamModel,
    )
  }

  /** The stream of the attempt that was answering broke off, and others are asked to resume it. */
  brokeOff(cause: string): void {
    if (this.#answering !== undefined) this.#tried.push(this.#answering)
    if (this.#streaming !== undefined) this.#endStreaming(this.#opening.elapsedMs())
    this.#attempts = this.#attempts.map((attempt) =>
      attempt === this.#answering ? { ...attempt, cause, failure: "cut" } : attempt,
    )
  }

  /** What the request's stream says first is here: a text, a thought, a refusal or a call of a tool (answer/StreamStart.ts). */
  begun(): void {
    const at = this.#opening.elapsedMs()
    this.#ttftMs = at
    this.#streaming = this.#answering?.span
    this.#upstreamTime.begin(at)
  }

  /** The last event of the stream is here, whoever had to resume it. */
  streamed(): void {
    const at = this.#opening.elapsedMs()
    this.#upstreamTime.end(at)
    this.#endStreaming(at)
  }

  /** What the upstream that answers called this request, as the client is told it. */
  calledUpstream(requestId: string | undefined): void {
    this.#upstreamRequestId = requestId
  }

  /** It is being answered: how that ended, as soon as it has. */
  answered(ended: () => Ending | undefined): void {
    this.#ended = ended
  }

  /** As it was asked for; one that nobody serves is a slip, of the key perhaps. */
  get #model(): string | undefined {
    const model = named(this.#asked.model)
    return model === undefined || this.#attempts.length > 0 ? model : withoutKeyForms(model)
  }

  /** What is known of it by now. */
  get soFar(): SoFar {
    const { conversation, keyFingerprint } = this.#opening
    return {
      model: this.#model,
      stream: this.#asked.stream,
      keyFingerprint,
      conversation,
      ttftMs: this.#ttftMs,
      asked: [this.#asking, this.#hedge].filter((asked) => asked !== undefined),
      isAnswered: this.#answering !== undefined || this.#ended() !== undefined,
      isGathered: this.#isGathered,
    }
  }

  /** The record, once the request is over. A request that ends without an answer was left by its client. */
  close(unsent?: Unsent): AuditRecord {
    const whole = this.#ended()
    const ending = whole === undefined || unsent === undefined ? whole : sentPart(whole, unsent)
    const last = this.answering
    const {
      clientIp,
      configHash,
      conversation,
      dialect,
      endpoint,
      headers,
      id,
      keyFingerprint,
      policy,
      startedAt,
      trace,
    } = this.#opening
    const latencyMs = this.#opening.elapsedMs()
    this.#endStreaming(latencyMs)
    return {
      id,
      startedAt,
      clientIp,
      endpoint,
      model: this.#model,
      upstreamModel: named(last?.upstreamModel),
      upstream: last?.upstream,
      attempts: this.#attempts,
      stream: this.#asked.stream,
      status: ending?.status ?? clientClosedRequest,
      outcome: ending?.outcome ?? "client_closed",
      error: ending === undefined && unsent?.by === "gateway" ? unsent.why : ending?.error,
      usage: ending?.usage ?? noUsage,
      latencyMs,
      ttftMs: this.#ttftMs,
      finishReason: ending?.finishReason,
      tools: this.#asked.tools,
      toolCalls: ending?.toolCalls,
      multimodal: this.#asked.multimodal,
      userAgent: headers["user-agent"] === undefined ? undefined : keptHeader(headers["user-agent"]),
      keyFingerprint,
      headers: redactHeaders(headers),
      request: this.#request,
      response: policy.bodies === "full" ? ending?.response : undefined,
      // Lists of models are shared by requests, and asked for beside them.
      overheadMs: this.#isGathered ? undefined : latencyMs - this.#upstreamTime.until(latencyMs),
      dialect,
      upstreamRequestId: this.#upstreamRequestId,
      responseId: ending?.responseId,
      serviceTier: ending?.serviceTier,
      conversation,
      configHash,
      dropped: this.droppedMembers,
      notAsked: this.#passedBy ?? nobodyPassedBy,
      characters: this.#asked.characters,
      answerBytes: ending?.answerBytes,
      answerType: ending?.answerType,
      trace,
    }
  }
}
