/** `/v1/moderations`: a text, several, or parts with images in; for each what it breaks out. */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

/** What OpenAI takes where a request names no model. */
const openAiDefault = "omni-moderation-latest"

export const moderations = jsonRelay({
  name: "moderations",
  about: `what of a text or an image breaks the rules; without \`model\` it is \`${openAiDefault}\``,
  paths: ["/moderations"],
  needs: [["input"]],
  modelWhereAbsent: () => openAiDefault,
  says: ({ results }) => isJsonArray(results) && results.length > 0,
  silence: "no result",
})
