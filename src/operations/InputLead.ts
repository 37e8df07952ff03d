/** What an input begins with that is a text or tokens, or a list of either. */
import { isJsonArray, type Json } from "../wire/Json.ts"

/** One text grows at its end, so only a short lead of it stays the same. */
const leadingLength = 1_024

/** The lead of the input, or of its first text or tokens; bounded. */
export const leadOf = (input: Json | undefined): string => {
  if (typeof input === "string") return input.slice(0, leadingLength)
  if (!isJsonArray(input)) return ""
  const [first] = input
  if (typeof first !== "number") return leadOf(isJsonArray(first) && isJsonArray(first[0]) ? "" : first)
  return input.slice(0, leadingLength).join(" ")
}
