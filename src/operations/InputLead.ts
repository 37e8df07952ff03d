/** What an input begins with that is a text or tokens, or a list of either, of parts or of messages. */
import { isJsonArray, isJsonObject, type Json } from "../wire/Json.ts"

/** One text grows at its end, so only a short lead of it stays the same. */
const leadingLength = 1_024

/** The content of a part, of a message's first part, of a list of messages. */
const deepest = 4

/** The lead of the input, or of its first text or tokens; bounded. */
export const leadOf = (input: Json | undefined, depth = 0): string => {
  if (typeof input === "string") return input.slice(0, leadingLength)
  if (depth === deepest) return ""
  if (isJsonObject(input)) return leadOf(input["text"] ?? input["content"], depth + 1)
  if (!isJsonArray(input)) return ""
  const [first] = input
  return typeof first === "number" ? input.slice(0, leadingLength).join(" ") : leadOf(first, depth + 1)
}
