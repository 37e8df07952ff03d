/**
 * `/v1/rerank`: a query and documents in; the documents by how well they answer it out. Cohere, Jina, vLLM and Voyage nearly agree on it, so it passes
 * as it came. Voyage calls the results `data`.
 */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const rerank = jsonRelay({
  name: "rerank",
  about: "documents by how well they answer a query, in the shapes of Cohere, Jina, vLLM and Voyage",
  paths: ["/rerank", "//v2/rerank"],
  needs: [["query"], ["documents"]],
  // Those that are good enough, which may be none.
  says: ({ data, results }) => isJsonArray(results ?? data),
  silence: "no results",
})
