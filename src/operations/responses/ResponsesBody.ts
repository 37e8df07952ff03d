/** The body a target is sent of `/v1/responses`: the client's, with the target's model name, cap and extra members, and the id that its upstream knows. */
import * as Either from "effect/Either"
import { ownId } from "../../answer/responses/ResponseId.ts"
import { isReasoning } from "../../answer/responses/ResponseTexts.ts"
import { isMarkedItem, sealedElsewhere, sealedIn } from "../../answer/responses/SealedItem.ts"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { ownOf } from "../../routing/Mark.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { memberText, replaceElements, replaceMembers } from "../../wire/JsonText.ts"
import { type Additions, nothingAdded, type Omissions } from "../Additions.ts"
import { fill, fillsOf } from "../ExtraBody.ts"
import { type Edits, edited, invalid } from "../JsonRequest.ts"
import type { Prepared, Recipient } from "../Operation.ts"
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

/** What of the input an upstream has sealed. */
interface SealedInput {
  /** Reasoning of others is left out, or all. */
  readonly leavesOut: boolean
  readonly holdsThoughts: boolean
}

const isThought = (item: Json | undefined): item is JsonObject =>
  item !== undefined && isJsonObject(item) && isReasoning(item) && sealedIn(item) !== undefined

/** What was sealed by its upstream goes to it as it was, and reasoning that others sealed is left out. */
const sealedInput = (
  { body, text }: ResponsesRequest,
  { upstream }: Recipient,
  { thoughts }: Omissions,
  edits: Edits,
): Either.Either<SealedInput, InvalidRequest> => {
  const { input } = body
  const items = input !== undefined && isJsonArray(input) ? input : []
  const holdsThoughts = items.some(isThought)
  if (!items.some(isMarkedItem) && !(thoughts === true && holdsThoughts))
    return Either.right({ leavesOut: false, holdsThoughts })
  const left: Array<JsonObject> = []
  const kept = replaceElements(memberText(text, "input") ?? "[]", (itself, at) => {
    const item = items[at]
    if (thoughts === true && isThought(item)) {
      left.push(item)
      return undefined
    }
    if (item === undefined || !isMarkedItem(item)) return itself
    const own = ownOf(sealedIn(item) ?? "", upstream.name)
    if (own !== undefined) return replaceMembers(itself, [["encrypted_content", JSON.stringify(own)]])
    left.push(item)
    return undefined
  })
  const stray = left.find((item) => !isReasoning(item))
  if (stray !== undefined) return Either.left(sealedElsewhere(`input[${items.indexOf(stray)}]`))
  edits.set("input", kept)
  const gone = new Set<Json>(left)
  return Either.right({
    leavesOut: left.length > 0,
    holdsThoughts: items.some((item) => isThought(item) && !gone.has(item)),
  })
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
  const sealed = sealedInput(request, target, omissions, edits)
  if (Either.isLeft(sealed)) return Either.left(sealed.left)
  const { holdsThoughts, leavesOut } = sealed.right
  const added = writes ? capTokens(request, fills, maxTokens, omissions, edits) : Either.right(nothingAdded)
  return Either.map(added, (additions) => ({
    ...edited(request, edits, holdsThoughts ? { ...additions, thoughts: true } : additions),
    ...(leavesOut ? { dropped: ["reasoning.encrypted_content"] } : {}),
  }))
}
