/** `/v1/score`, vLLM's: two texts, or one and several, or as many of either, in; how alike each pair is out. */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const score = jsonRelay({
  name: "score",
  about: "how alike texts are, in pairs (vLLM)",
  paths: ["/score"],
  // What vLLM has called them, the newest names first.
  needs: [
    ["queries", "data_1", "text_1"],
    ["documents", "items", "data_2", "text_2"],
  ],
  says: ({ data }) => isJsonArray(data) && data.length > 0,
  silence: "no score",
})
