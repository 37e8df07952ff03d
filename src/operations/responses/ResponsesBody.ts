/** The body a target is sent of `/v1/responses`: the client's, with the target's model name, cap and extra members, and the id that its upstream knows. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isJsonArray, isJsonObject, type JsonObject } from "../../wire/Json.ts"
import { elementTexts, memberText, replaceMembers } from "../../wire/JsonText.ts"
import { type Additions, nothingAdded, type Omissions } from "../Additions.ts"
import { fill, fillsOf } from "../ExtraBody.ts"
import { type Edits, edited, invalid } from "../JsonRequest.ts"
import type { Prepared, Recipient } from "../Operation.ts"
import { isGiven, ownReasoning } from "./EncryptedReasoning.ts"
import { ownId } from "./ResponseId.ts"
import type { ResponsesRequest } from "./ResponsesRequest.ts"

/** Members that are the client's alone to say, or not to, and those of other dialects that mean what is said by another name here. */
const notFilled: ReadonlySet<string> = new Set([
  "model",
  "input",
  "stream",
  "previous_response_id",
  "stream_options",
  "max_tokens",
  "max_completion_tokens",
  "stop",
])

const capName = "max_output_tokens"

/** What of the request is the upstream's own word. */
const ownWords = ({ body }: ResponsesRequest, { upstream, upstreamModel }: Recipient, edits: Edits): void => {
  if (upstreamModel !== body["model"]) edits.set("model", JSON.stringify(upstreamModel))
  const { previous_response_id: previous } = body
  const own = typeof previous === "string" ? ownId(previous, upstream.name) : undefined
  if (own !== undefined) edits.set("previous_response_id", JSON.stringify(own))
}

/**
 * The input for a target: reasoning that its upstream encrypted as it was, and what others did left out. Says what was left out.
 */
const inputFor = ({ body, text }: ResponsesRequest, { upstream }: Recipient, edits: Edits): boolean => {
  const { input } = body
  if (input === undefined || !isJsonArray(input)) return false
  if (!input.some((item) => isJsonObject(item) && isGiven(item))) return false
  const texts = elementTexts(memberText(text, "input") ?? "[]")
  const kept = input.flatMap((item, at) => {
    const itself = texts[at] ?? "null"
    if (!isJsonObject(item) || !isGiven(item)) return [itself]
    const own = ownReasoning(item, upstream.name)
    return own === undefined ? [] : [replaceMembers(itself, [["encrypted_content", JSON.stringify(own)]])]
  })
  edits.set("input", `[${kept.join(",")}]`)
  return kept.length < input.length
}

/** A cap that was added, where the request has no limit of its own. */
const capTokens = (
  { body }: ResponsesRequest,
  fills: JsonObject,
  cap: number | undefined,
  omissions: Omissions,
  edits: Edits,
): Either.Either<Additions, InvalidRequest> => {
  if (cap === undefined) return Either.right(nothingAdded)
  const limit = body[capName] ?? fills[capName] ?? null
  if (limit === null) {
    if (omissions.caps.includes(capName)) return Either.right(nothingAdded)
    edits.set(capName, String(cap))
    return Either.right({ usage: false, cap: capName })
  }
  if (typeof limit !== "number") return invalid(capName, `\`${capName}\` must be a number.`)
  if (limit > cap || limit < 0) edits.set(capName, String(cap))
  return Either.right(nothingAdded)
}

/**
 * The body for one target.
 *
 * @param writes whether an answer is written, which a cap bounds
 */
export const prepare = (
  request: ResponsesRequest,
  target: Recipient,
  omissions: Omissions,
  writes: boolean,
): Either.Either<Prepared, InvalidRequest> => {
  const edits: Edits = new Map()
  const { extraBody, maxTokens } = target.upstream
  // What asks for no answer knows no member that changes one.
  const fills = writes ? fillsOf(request.body, extraBody, notFilled) : {}
  fill(edits, fills)
  ownWords(request, target, edits)
  const leavesOut = inputFor(request, target, edits)
  const added = writes ? capTokens(request, fills, maxTokens, omissions, edits) : Either.right(nothingAdded)
  return Either.map(added, (additions) => ({
    ...edited(request, edits, additions),
    ...(leavesOut ? { dropped: ["reasoning.encrypted_content"] } : {}),
  }))
}
