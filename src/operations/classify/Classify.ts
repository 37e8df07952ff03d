/** `/v1/classify`, vLLM's: texts or messages in; the label of each, and the odds of all labels, out. */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const classify = jsonRelay({
  name: "classify",
  about: "the label of each text, with its odds (vLLM)",
  paths: ["/classify"],
  needs: [["input", "messages"]],
  says: ({ data }) => isJsonArray(data) && data.length > 0,
  silence: "no label",
})
