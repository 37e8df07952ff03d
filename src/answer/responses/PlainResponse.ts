/** A response that comes whole: what it says, and what is done to it. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { parseObject, rewriteJson } from "../../wire/JsonBytes.ts"
import { identityOf } from "../AnswerIdentity.ts"
import { type ChoiceTransform, untouched } from "../ChoiceTransform.ts"
import type { AnswerFacts } from "../PlainAnswer.ts"
import { readUsage } from "../Usage.ts"
import { givenId } from "./ResponseId.ts"
import { changedOutput, changeOf } from "./ResponseTexts.ts"
import { givenItems } from "./SealedItem.ts"

const noItems: ReadonlyArray<JsonObject> = []

/** The items of a response's output. */
export const itemsOf = ({ output }: JsonObject): ReadonlyArray<JsonObject> =>
  output !== undefined && isJsonArray(output) ? output.filter(isJsonObject) : noItems

/** Whether an item asks for something to be done. */
export const isCall = ({ type }: JsonObject): boolean => typeof type === "string" && type.endsWith("_call")

/** Runs on in the background: there is nothing to be said yet. */
const underWay: ReadonlySet<Json | undefined> = new Set(["queued", "in_progress"])

/** Whether a response says something, why it ended early, or that it is being made. */
export const says = (response: JsonObject): boolean =>
  itemsOf(response).length > 0 || response["status"] === "incomplete" || underWay.has(response["status"])

/** Why it ended: its status, or the reason why it is not complete. */
export const finishReasonOf = ({
  incomplete_details: details = null,
  status,
}: JsonObject): string | undefined => {
  const reason = isJsonObject(details) ? details["reason"] : undefined
  if (typeof reason === "string" && reason !== "") return reason
  return typeof status === "string" && status !== "" ? status : undefined
}

/** What a response says of itself. */
export const readResponse = (response: JsonObject): AnswerFacts => ({
  ...identityOf(response),
  usage: readUsage(response["usage"]),
  finishReason: finishReasonOf(response),
  toolCalls: itemsOf(response).some(isCall),
})

const idMembers = ["id", "previous_response_id"]

/** The response as it is given out: its ids, and what is encrypted in its output, name who made it. */
export const givenResponse = (response: JsonObject, upstream: string): JsonObject => {
  const named = withGivenIds(response, upstream)
  const { output } = named
  if (output === undefined || !isJsonArray(output)) return named
  const items = givenItems(output, upstream)
  return items === output ? named : { ...named, output: items }
}

/** The response with the ids by which it is given out. */
export const withGivenIds = (response: JsonObject, upstream: string): JsonObject => {
  const ids = idMembers.flatMap((name) => {
    const id = response[name]
    return typeof id === "string" ? [[name, givenId(id, upstream)] as const] : []
  })
  return ids.length === 0 ? response : { ...response, ...Object.fromEntries(ids) }
}

/** What is kept of a response, as its client is given it: a list of the items it was made of is no response, and has no ids of one. */
export const transformStored = (transform: ChoiceTransform, bytes: Uint8Array): Uint8Array => {
  const object = parseObject(bytes)?.["object"]
  if (object === "list") return transformList(transform, bytes)
  if (typeof object !== "string" || !object.startsWith("response")) return bytes
  return transformResponse(transform, bytes)
}

const transformList = ({ madeBy }: ChoiceTransform, bytes: Uint8Array): Uint8Array => {
  const list = madeBy === undefined ? undefined : parseObject(bytes)
  const items = list?.["data"]
  if (list === undefined || madeBy === undefined || items === undefined || !isJsonArray(items)) return bytes
  const given = givenItems(items, madeBy)
  return given === items ? bytes : (rewriteJson(bytes, list, { ...list, data: given }) ?? bytes)
}

/** A response without texts of a model, as its client is given it. */
export const transformUnchanged = ({ madeBy }: ChoiceTransform, bytes: Uint8Array): Uint8Array =>
  transformResponse({ ...untouched, madeBy }, bytes)

/** The response as its client is given it; the same bytes where nothing changes or they are none. */
export const transformResponse = (transform: ChoiceTransform, bytes: Uint8Array): Uint8Array => {
  const response = parseObject(bytes)
  if (response === undefined) return bytes
  const change = changeOf(transform)
  const { output } = response
  const changed =
    change === undefined || output === undefined || !isJsonArray(output)
      ? response
      : { ...response, output: changedOutput(change, output) }
  const given = transform.madeBy === undefined ? changed : givenResponse(changed, transform.madeBy)
  return given === response ? bytes : (rewriteJson(bytes, response, given) ?? bytes)
}
