/** How many choices an answer is to have, whoever asks for them: nothing of it is whole before all of them have ended. */
import type { ClientRequest } from "./ClientRequest.ts"
import { isJsonArray, type Json } from "./Json.ts"
import type { Upstream } from "./Upstream.ts"

/** Several prompts are a list of texts, or of lists of tokens; a list of tokens is one. */
const promptsIn = (prompt: Json | undefined): number =>
  isJsonArray(prompt) && typeof prompt[0] !== "number" ? Math.max(1, prompt.length) : 1

/** `n`, for each prompt. What the request does not say, `null` included, the upstream's `extra_body` may. */
export const choicesOf = (
  { body }: Pick<ClientRequest, "body">,
  { extraBody }: Pick<Upstream, "extraBody">,
): number => {
  const { n } = Object.hasOwn(body, "n") ? body : extraBody
  return (typeof n === "number" && Number.isSafeInteger(n) && n > 1 ? n : 1) * promptsIn(body["prompt"])
}
