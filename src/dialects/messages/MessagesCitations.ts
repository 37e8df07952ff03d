/** What a text of a message refers to on the web. Anthropic's offsets are those of the page, so all of the text refers to it. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import type { Citation } from "../Part.ts"

const type = "web_search_result_location"

/** @param length of the text that refers to it */
export const citationOf = (citation: Json | undefined, length: number): Citation | undefined => {
  if (!isJsonObject(citation) || citation["type"] !== type) return undefined
  const { title, url } = citation
  return typeof url === "string" && url !== ""
    ? { url, title: typeof title === "string" ? title : "", start: 0, end: length }
    : undefined
}

/** Those of a text block. */
export const citationsOf = (citations: Json | undefined, length: number): ReadonlyArray<Citation> =>
  isJsonArray(citations)
    ? citations.flatMap((one) => {
        const citation = citationOf(one, length)
        return citation === undefined ? [] : [citation]
      })
    : []

const longestTitle = 512

/** What it quotes is not known, nor how its search would find it again. */
export const writtenCitation = ({ title, url }: Citation): JsonObject => ({
  type,
  url,
  title: title.slice(0, longestTitle),
  cited_text: "",
  encrypted_index: "",
})
