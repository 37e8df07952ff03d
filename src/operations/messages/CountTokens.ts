/**
 * `/v1/messages/count_tokens`: how many tokens a request would have, as its upstream counts them. Where that has no such endpoint it is refused with a 404,
 * which clients know what to do about; a count of 0 is none, since they would trust it.
 */
import * as Either from "effect/Either"
import { noUsage } from "../../answer/Usage.ts"
import { InvalidRequest } from "../../errors/RequestErrors.ts"
import { pathAt } from "../../routing/Upstream.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { relayLimits } from "../../wire/JsonOutline.ts"
import { nothingAdded, type Omissions } from "../Additions.ts"
import type { Edits } from "../JsonRequest.ts"
import type { Operation, Prepared, Recipient } from "../Operation.ts"
import { withOwnMessages } from "./MessagesBody.ts"
import { decidedBy, decode, leadOf, type MessagesRequest } from "./MessagesRequest.ts"
import { messagesFor } from "./OwnBlocks.ts"
import { tokenizeBody } from "./TokenizeBody.ts"

const isCount = (value: Json | undefined): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0

const encoder = new TextEncoder()

const name = "messages.count_tokens"
const paths = ["/messages/count_tokens", "//anthropic/v1/messages/count_tokens"] as const

/** Whether a target is asked at vLLM's endpoint, which its paths say. */
const tokenizes = ({ upstream }: Recipient): boolean =>
  pathAt(upstream, { name, paths }).endsWith("/tokenize")

const uncountable = (): InvalidRequest =>
  new InvalidRequest({
    message:
      "`messages` holds images, documents or blocks of other kinds, and only the tokens of texts and tools can be counted here.",
    param: "messages",
  })

const bodyFor = (
  request: MessagesRequest,
  target: Recipient,
  omissions: Omissions,
): Either.Either<Prepared, InvalidRequest> => {
  const { upstream, upstreamModel } = target
  if (tokenizes(target)) {
    const body = tokenizeBody(request, upstreamModel)
    return body === undefined
      ? Either.left(uncountable())
      : Either.right({ body: encoder.encode(JSON.stringify(body)), asItCame: false, added: nothingAdded })
  }
  const isSame = upstreamModel === request.body["model"]
  const edits: Edits = new Map(isSame ? [] : [["model", JSON.stringify(upstreamModel)]])
  return Either.right(
    withOwnMessages(
      request,
      messagesFor(request, upstream.name, omissions),
      edits,
      request.body["thinking"] ?? null,
      undefined,
    ),
  )
}

/** What vLLM counted, as Anthropic tells it; of an answer that does so, the same bytes. */
const inAnthropicsShape = (bytes: Uint8Array): Uint8Array => {
  const answer = parseObject(bytes)
  return answer === undefined || isCount(answer["input_tokens"])
    ? bytes
    : encoder.encode(JSON.stringify({ input_tokens: answer["count"] }))
}

const says = ({ count, input_tokens: tokens }: JsonObject): boolean => isCount(tokens) || isCount(count)

export const countTokens: Operation<typeof name> = {
  name,
  method: "POST",
  dialect: "messages",
  mayLack: true,
  face: "anthropic",
  about: "how many tokens a request to `/v1/messages` has, where its client counts them",
  paths,
  decidedBy,
  decode: (body, { deployment }) =>
    Either.map(decode(body, deployment), (request) => ({
      facts: { ...request.facts, stream: false },
      affinity: () => leadOf(request),
      bodyFor: (target, omissions) => bodyFor(request, target, omissions),
      bodyToResume: undefined,
    })),
  plain: {
    kind: "judged",
    outline: relayLimits,
    says,
    silence: "no count of tokens",
    isChanged: () => true,
    transform: (_, bytes) => inAnthropicsShape(bytes),
    read: () => ({
      responseId: undefined,
      serviceTier: undefined,
      // None was spent.
      usage: noUsage,
      finishReason: undefined,
      toolCalls: false,
    }),
  },
  stream: undefined,
}
