/** `/v1/embeddings`: texts, or their tokens, in; a vector of each out. */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const embeddings = jsonRelay({
  name: "embeddings",
  about: "embeddings, whole; the answer passes untouched, in floats or base64",
  paths: ["/embeddings"],
  needs: [["input", "messages", "content"]],
  says: ({ data }) => isJsonArray(data) && data.length > 0,
  silence: "no vector",
  // As bytes too: vLLM's `encoding_format: bytes`.
  vectors: true,
})
