/** The blocks of a message: those of an answer, of a turn, and of what a tool answered. */
import { isJsonArray, isJsonObject, type JsonObject } from "../../wire/Json.ts"

export const blocksOf = ({ content }: JsonObject): ReadonlyArray<JsonObject> =>
  content !== undefined && isJsonArray(content) ? content.filter(isJsonObject) : []
