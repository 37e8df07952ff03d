/** Whether what a request is about is more than text: the parts of an input, of messages, or of documents. */
import { isJsonArray, isJsonObject, type Json } from "../wire/Json.ts"
import { isMultimodal } from "./text/Messages.ts"

/** What parts without a type are called by those that have such. */
const members = ["image", "image_url", "audio", "video"]

const isOther = (part: Json): boolean =>
  isJsonObject(part) && (isMultimodal(part["content"]) || members.some((name) => Object.hasOwn(part, name)))

/** Whether an input holds a part that is not text. Of tokens, of which there may be very many, the first is looked at. */
export const holdsOther = (input: Json | undefined): boolean => {
  if (!isJsonArray(input)) return input !== undefined && isOther(input)
  return typeof input[0] !== "number" && (isMultimodal(input) || input.some(isOther))
}
