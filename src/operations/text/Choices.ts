/** How many choices an answer is to have, whoever asks for them: nothing of it is whole before all of them have ended. */
import type { Upstream } from "../../routing/Upstream.ts"
import { isJsonArray, type Json, type JsonObject } from "../../wire/Json.ts"
import type { ChoicesAsked } from "../Operation.ts"

/** Several prompts are a list of texts, or of lists of tokens; a list of tokens is one. */
const promptsIn = (prompt: Json | undefined): number =>
  isJsonArray(prompt) && typeof prompt[0] !== "number" ? Math.max(1, prompt.length) : 1

const countIn = ({ n }: JsonObject): number =>
  typeof n === "number" && Number.isSafeInteger(n) && n > 1 ? n : 1

/** How many a request says that it wants for each prompt. */
export const countAsked = (body: JsonObject): number | undefined =>
  Object.hasOwn(body, "n") ? countIn(body) : undefined

/** What a request says of them. */
export const choicesAsked = (body: JsonObject): ChoicesAsked => ({
  n: countAsked(body),
  prompts: promptsIn(body["prompt"]),
})

/** `n`, for each prompt. What the request does not say, the upstream's `extra_body` may. */
export const choicesOf = ({ n, prompts }: ChoicesAsked, { extraBody }: Pick<Upstream, "extraBody">): number =>
  (n ?? countIn(extraBody)) * prompts
