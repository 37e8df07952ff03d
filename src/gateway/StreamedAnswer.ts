/**
 * A streamed answer for its client: the events of its upstream through one pipeline of transformations, which is here. Where nothing is to be changed, and
 * nobody may resume it, the pipeline is empty, and the bytes of its events are relayed.
 */
import * as Effect from "effect/Effect"
import { identity, pipe } from "effect/Function"
import * as Option from "effect/Option"
import type { OpenRequest } from "../access/OpenRequests.ts"
import { type AnswerIdentity, identityOf } from "../answer/AnswerIdentity.ts"
import { type ChoiceTransform, untouched } from "../answer/ChoiceTransform.ts"
import type { AnswerBeginning, ResumeRules } from "../answer/ResumeRules.ts"
import type { StreamGrammar } from "../answer/StreamGrammar.ts"
import { defaultThinkingTags } from "../answer/ThinkTag.ts"
import { type Ending, endingOf, type RecordDraft } from "../audit/record/RecordDraft.ts"
import { faces } from "../errors/faces/Faces.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { upstreamRequestId } from "../operations/HeadersToClient.ts"
import type { RequestFacts } from "../operations/Operation.ts"
import { choicesOf } from "../operations/text/Choices.ts"
import { resumed as resumedBy } from "../resume/Resume.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import { toldId, toldReason, told as toldText } from "../secrets/Told.ts"
import type { AnsweredStream } from "../upstream/Answered.ts"
import { type StreamFault, streamFaultReason } from "../upstream/OpenStream.ts"
import { type RunFork, sourceOf, streamOf } from "../wire/EventSource.ts"
import { lift, type Transformation } from "../wire/Lift.ts"
import { unpack } from "../wire/PackedData.ts"
import { headersOf, told } from "./Answers.ts"
import type { AskToResume } from "./AskToResume.ts"
import { beginAtOnce } from "./BeginAtOnce.ts"
import type { RecordedAnswer, RequestFrame } from "./Exchange.ts"
import type { Respond } from "./Respond.ts"

/** Streams go through proxies unbuffered, and are never stored. */
const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
}

/** One step of the pipeline. */
type Step = Transformation<StreamFault>

/** Whose events are being read. */
interface BeingRead {
  stream: AnsweredStream
}

interface Resuming {
  readonly rules: ResumeRules
  readonly ask: AskToResume
  readonly frame: RequestFrame
  readonly beginning: AnswerBeginning
  readonly reading: BeingRead
  readonly runFork: RunFork
}

/** Resumes the answer should it break off. A function of its own: of an answer that nobody may resume, nothing is to keep the request. */
const resuming = ({ ask, beginning, frame, reading, rules, runFork }: Resuming): Step => {
  const { draft, secrets } = frame
  const resume = resumedBy<StreamFault>({
    rules,
    beginning,
    reasonOf: streamFaultReason,
    next: (broken) =>
      Effect.gen(function* () {
        draft.brokeOff(toldText(broken.reason, secrets))
        const other = yield* ask(broken, (target) => draft.hasTried(target))
        if (Option.isNone(other)) return Option.none()
        reading.stream.ended("stream_broken")
        reading.stream = other.value
        draft.calledUpstream(upstreamRequestId(other.value.headers, secrets))
        return Option.some({ events: streamOf(reading.stream.events) })
      }),
  })
  return (events) => sourceOf(resume(streamOf(events)), runFork)
}

const toldIdentity = ({ responseId, serviceTier }: AnswerIdentity, secrets: Secrets): AnswerIdentity => ({
  responseId: toldId(responseId, secrets),
  serviceTier: toldId(serviceTier, secrets),
})

/** What a streamed answer is made with, beside the answer and its request. */
export interface StreamTools {
  readonly respond: Respond
  readonly runFork: RunFork
}

/**
 * The client's stream out of the upstream's. What one upstream began is changed as its answers are, whoever resumes it.
 *
 * @param configured what is done to its texts
 * @param ask how others are asked to resume it, where any may be
 */
export const streamedAnswer = (
  answered: AnsweredStream,
  request: RequestFacts,
  configured: ChoiceTransform,
  frame: RequestFrame,
  ask: AskToResume | undefined,
  { respond, runFork }: StreamTools,
): RecordedAnswer => {
  const { draft, onPassedOver, secrets, snapshot } = frame
  const { grammar, status } = answered
  const { resume: rules } = grammar
  const includeUsage = request.includeUsage || snapshot.givesUsage === "always"
  const transform = answered.isTransformed ? untouched : configured
  const keepBytes = snapshot.audit.bodies === "full" ? snapshot.audit.maxBodyBytes : 0
  const reading: BeingRead = { stream: answered }
  const { prefix = "", tags = defaultThinkingTags } = transform
  const beginning: AnswerBeginning = { prefix, tags }
  const resumed: Step =
    ask === undefined || rules === undefined
      ? identity
      : resuming({ ask, beginning, frame, reading, rules, runFork })
  const texts = grammar.changed(transform, !includeUsage)
  const transformed: Step = texts === undefined ? identity : lift(texts)
  draft.begun()
  const body = respond({
    // Each step is one machine, composed and lifted once, or makes one stream of several. A step that reads another dialect goes between the two: who
    // resumes an answer speaks as its upstream does, and texts are changed as the client reads them.
    events: pipe(answered.events, resumed, transformed),
    grammar,
    settings: {
      includeUsage,
      choices: choicesOf(request.choices, answered.target.upstream),
      requestId: draft.id,
      secrets,
      madeBy: transform.madeBy === undefined ? undefined : () => reading.stream.target.upstream.name,
      marksOnlyAgain: transform.marksOnlyAgain,
    },
    reasonOf: streamFaultReason,
    keepBytes,
    hasBegun: snapshot.streamStart === "at_once",
    onEnd: (
      { error, finishReason, outcome, passedOver, toolCalls, usage },
      { packed, truncated },
    ): Ending => {
      reading.stream.ended(outcome)
      draft.streamed()
      if (passedOver > 0) onPassedOver(reading.stream.target.upstream.name, passedOver)
      return {
        status,
        outcome,
        error,
        usage: reading.stream.counts?.() ?? usage,
        finishReason: toldReason(finishReason, secrets),
        toolCalls,
        // Of a stream that is kept it is read when its record is written, off the answer put together.
        ...(keepBytes > 0
          ? {}
          : toldIdentity(identityOf(grammar.assembled(unpack(packed), truncated)), secrets)),
        response: { kind: "events", packed, truncated },
      }
    },
  })
  return { status, headers: Object.assign(headersOf(answered, draft, secrets), streamHeaders), body }
}

/** A streamed answer that begins before any upstream has. Its status stands with that, whatever is told at last. */
export const begunAtOnce = (
  answer: Effect.Effect<RecordedAnswer, GatewayError>,
  grammar: StreamGrammar,
  draft: RecordDraft,
  opened: OpenRequest,
): RecordedAnswer => {
  const status = 200
  const relay = beginAtOnce<Ending>({
    grammar,
    answer: told(answer, draft, opened),
    left: { ...endingOf(status, "client_closed", undefined, new Uint8Array()), response: undefined },
    cutWith: (error) => {
      draft.givenUp("cut with the gateway")
      const body = faces[draft.face].errorData(error, draft.id)
      return { body, ending: endingOf(status, "stream_broken", error.message, body) }
    },
  })
  const ended = (): Ending | undefined => {
    const ending = relay.ended()
    return ending === undefined ? undefined : { ...ending, status }
  }
  return { status, headers: streamHeaders, body: { ...relay, ended } }
}
