/** Items whose content their upstream has encrypted, and nobody else can read: reasoning, and a conversation made shorter. They are given out with its mark. */
import { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isMarked, marked } from "../../routing/Mark.ts"
import { isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"

/** What is encrypted of an item; `undefined` where nothing is. */
export const sealedIn = ({ encrypted_content: content }: JsonObject): string | undefined =>
  typeof content === "string" && content !== "" ? content : undefined

/** The item as it is given out; the very one where nothing of it is encrypted. */
export const givenItem = (item: Json, upstream: string): Json => {
  const sealed = isJsonObject(item) ? sealedIn(item) : undefined
  return isJsonObject(item) && sealed !== undefined
    ? { ...item, encrypted_content: marked(sealed, upstream) }
    : item
}

/** The items as they are given out; the very list where nothing of them is encrypted. */
export const givenItems = (items: ReadonlyArray<Json>, upstream: string): ReadonlyArray<Json> => {
  const given = items.map((item) => givenItem(item, upstream))
  return given.every((item, at) => item === items[at]) ? items : given
}

/** Whether an item is one that was given out with a mark. */
export const isMarkedItem = (item: Json): item is JsonObject =>
  isJsonObject(item) && isMarked(sealedIn(item) ?? "")

/** A conversation that was made shorter is not left out: what went before would be lost, and nobody told. */
export const sealedElsewhere = (param: string): InvalidRequest =>
  new InvalidRequest({
    message: `\`${param}\` holds what one client has encrypted and nobody else can read, and the request cannot go to that one: it is gone from this configuration or has another name, or the rest of the request belongs to another.`,
    param,
  })
