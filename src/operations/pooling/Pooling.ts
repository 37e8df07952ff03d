/** `/v1/pooling`, vLLM's: texts or messages in; what the model's pooler makes of each out, in vectors of any depth. */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const pooling = jsonRelay({
  name: "pooling",
  about: "what a model's pooler makes of each text: vectors, one for each token too (vLLM)",
  paths: ["/pooling"],
  // `data` is for plugins that read it.
  needs: [["input", "messages", "data"]],
  says: ({ data }) => (isJsonArray(data) ? data.length > 0 : data !== undefined && data !== null),
  silence: "no data",
  // As bytes too: vLLM's `encoding_format: bytes`.
  vectors: true,
})
