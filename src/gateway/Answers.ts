/** What the client is answered: an upstream's answer, plain or streamed, or an error as it is declared; each with how it ended, for its record. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { OpenRequest, TakenBy } from "../access/OpenRequests.ts"
import { type ChoiceTransform, thinkingFormatOf, untouched } from "../answer/ChoiceTransform.ts"
import { objectExcerpt } from "../answer/RelayedExcerpt.ts"
import type { Aside } from "../aside/Aside.ts"
import { type Ending, endingOf, type RecordDraft } from "../audit/record/RecordDraft.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { answerOf, codeOf, describe, type GatewayError } from "../errors/GatewayError.ts"
import type { Outcome } from "../errors/Outcome.ts"
import { InternalError, noMemory, Overloaded, roomRetrySeconds, ShareTaken } from "../errors/ServerErrors.ts"
import { toClient } from "../operations/HeadersToClient.ts"
import type { Marks, RequestFacts } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import type { Target } from "../routing/Upstream.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import { toldId, toldReason } from "../secrets/Told.ts"
import type { Answered, AnsweredPlain } from "../upstream/Answered.ts"
import { surelyReadable } from "../wire/JsonOutline.ts"
import type { ClientAnswer, RecordedAnswer, RequestFrame } from "./Exchange.ts"
import { unreadAside } from "./LongBodies.ts"

/** Whose doing an error is, as the audit tells it. */
const outcomeOf = (error: GatewayError): Outcome => {
  switch (error._tag) {
    case "UpstreamRefused":
      return error.isClientsFault ? "rejected" : "upstream_error"
    case "UpstreamCredentialsRejected":
    case "UpstreamUnreachable":
    case "UpstreamTimeout":
    case "DeadlineExceeded":
    case "LoopDetected":
    case "InternalError":
      return "upstream_error"
    case "RequestUnreadable":
      return "client_closed"
    case "InvalidRequest":
    case "ModelNotFound":
    case "DialectNotSpoken":
    case "EndpointLacking":
    case "AccessDenied":
    case "AdminDenied":
    case "AdminRefused":
    case "PageRefused":
    case "UnsupportedMediaType":
    case "RequestTooLarge":
    case "TooManyValues":
    case "UnsupportedEncoding":
    case "ResponseNotFound":
    case "NoUpgrade":
    case "UnknownPath":
    case "MethodNotAllowed":
    case "Overloaded":
    case "RequestTooSlow":
    case "ShareTaken":
    case "ShuttingDown":
      return "rejected"
  }
}

/** The declared answer of an error. */
export const refusal = (error: GatewayError, draft: RecordDraft): RecordedAnswer => {
  const { body, headers, status } = answerOf(error, draft)
  draft.refused(codeOf(error))
  draft.calledUpstream(headers["x-upstream-request-id"])
  if (error._tag === "InvalidRequest" && error.model !== undefined) draft.askedFor(error.model)
  const ending = endingOf(status, outcomeOf(error), describe(error), body)
  return { status, headers: withAttempts(headers, draft, "failed"), body, ending }
}

/** Why there is no room for a request, or for its body. */
export const roomless = (of: "requests" | "memory" | "disk", takenBy: TakenBy): Overloaded | ShareTaken =>
  takenBy === "all"
    ? new Overloaded({ reason: of, retryAfterSeconds: roomRetrySeconds })
    : new ShareTaken({ of, retryAfterSeconds: roomRetrySeconds })

/** Memory or disk may lack because the caller has its share of it: whoever finds that there is none need not know. */
const withTaker = (error: GatewayError, opened: OpenRequest | undefined): GatewayError => {
  if (opened === undefined || error._tag !== "Overloaded") return error
  if (error.reason === "memory") return roomless("memory", opened.memoryTakenBy)
  return error.reason === "disk" ? roomless("disk", opened.diskTakenBy) : error
}

/**
 * The answer, errors as they are declared. A fault of this gateway is an answer, and goes to the log.
 *
 * @param opened of a request that was taken on
 */
export const told = (
  answer: Effect.Effect<RecordedAnswer, GatewayError>,
  draft: RecordDraft,
  opened?: OpenRequest,
): Effect.Effect<RecordedAnswer> =>
  Effect.catchAllCause(answer, (cause) => {
    const failure = Cause.failureOrCause(cause)
    if (Either.isLeft(failure)) return Effect.succeed(refusal(withTaker(failure.left, opened), draft))
    if (Cause.isInterruptedOnly(failure.right)) return Effect.failCause(failure.right)
    return Effect.as(
      Effect.logError("request failed inside the gateway", { id: draft.id }, failure.right),
      refusal(new InternalError({ requestId: draft.id }), draft),
    )
  })

/** Notes how an answer ends, and hands it on. */
export const noted = (answer: RecordedAnswer, draft: RecordDraft): ClientAnswer => {
  draft.answered("ending" in answer ? () => answer.ending : answer.body.ended)
  return answer
}

/** The answer, errors as they are declared, and how it ends noted in the draft. */
export const recorded = (
  answer: Effect.Effect<RecordedAnswer, GatewayError>,
  draft: RecordDraft,
  opened?: OpenRequest,
): Effect.Effect<ClientAnswer> => Effect.map(told(answer, draft, opened), (given) => noted(given, draft))

/** Half a character, which `encodeURI` throws at. No configuration that was checked has one in a name; an answer that was paid for is not to hang on that. */
const half = /\p{Cs}/gu

/**
 * The headers, and which upstream was asked last, in which dialect, and how many attempts were made. Once this gateway has itself retried in vain, official SDKs are
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
  all["x-sluice-upstream"] = encodeURI(answering.upstream.replace(half, "\ufffd"))
  all["x-sluice-attempts"] = String(attempts.length)
  if (draft.droppedMembers.length > 0) all["x-sluice-dropped"] = draft.droppedMembers.join(",")
  const dialect = answering.dialect ?? draft.dialect
  if (dialect !== undefined) all["x-sluice-dialect"] = dialect
  if (result === "failed" && attempts.length > 1) all["x-should-retry"] = "false"
  return all
}

/** The headers of an upstream's answer for the client; what it calls the request is noted. */
export const headersOf = (
  { headers }: Pick<Answered, "headers">,
  draft: RecordDraft,
  secrets: Secrets,
): Record<string, string> => {
  const given = toClient(headers, secrets)
  draft.calledUpstream(given["x-upstream-request-id"])
  return withAttempts(given, draft, "answered")
}

/** What is translated is kept by nobody, and its seals name their maker. */
const marking = (marks: Marks | undefined, { dialect, upstream }: Target) =>
  marks === undefined || dialect !== undefined
    ? {}
    : { madeBy: upstream.name, marksOnlyAgain: marks === "marked" }

/** What is done to the texts of a target's answer: nothing where the answers of its operation have none to change. */
export const transformOf = (
  { marks, plain, stream }: ServedOperation,
  target: Target,
  request: Pick<RequestFacts, "model">,
  snapshot: Snapshot,
): ChoiceTransform =>
  plain.transform === undefined && stream === undefined
    ? untouched
    : {
        prefix: target.upstream.specialPrefix,
        thinking: thinkingFormatOf(snapshot, target, request.model),
        tags: target.upstream.thinkingTags,
        ...marking(marks?.(target.upstream, snapshot.routes.upstreams), target),
      }

/** The client's answer out of the upstream's, transformed: a long one aside. */
export const plainAnswer = (
  answered: AnsweredPlain,
  operation: ServedOperation,
  transform: ChoiceTransform,
  frame: RequestFrame,
  aside: Aside["Type"],
): Effect.Effect<RecordedAnswer, GatewayError> => {
  const { body } = answered
  const { name, plain } = operation
  if (plain.transform === undefined) return Effect.succeed(plainEnding(answered, operation, body, frame))
  if (body.length <= surelyReadable || !plain.isChanged(transform, body)) {
    return Effect.succeed(plainEnding(answered, operation, plain.transform(transform, body), frame))
  }
  // As text, changed, and as it is sent.
  if (!frame.hold(3 * body.length)) return Effect.fail(noMemory)
  return aside.run("transform", { operation: name, transform, bytes: body }).pipe(
    Effect.catchTag("AsideFailed", unreadAside),
    Effect.map((changed) => plainEnding(answered, operation, changed.body, frame)),
  )
}

const plainEnding = (
  answered: AnsweredPlain,
  { plain }: ServedOperation,
  body: Uint8Array,
  { draft, secrets, snapshot }: RequestFrame,
): RecordedAnswer => {
  const { answer, status } = answered
  const holdsVectors = plain.kind === "judged" && plain.holdsVectors === true
  const facts = plain.read(answer)
  const ending: Ending = {
    status,
    outcome: "ok",
    error: undefined,
    ...facts,
    usage: answered.counts ?? facts.usage,
    finishReason: toldReason(facts.finishReason, secrets),
    responseId: toldId(facts.responseId, secrets),
    serviceTier: toldId(facts.serviceTier, secrets),
    response: {
      kind: "plain",
      bytes: holdsVectors && snapshot.audit.bodies === "full" ? objectExcerpt(answer, body.length) : body,
    },
  }
  const headers = headersOf(answered, draft, secrets)
  headers["content-type"] = "application/json"
  return { status, headers, body, ending }
}
