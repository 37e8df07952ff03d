/** `/v1/tokenize`: a prompt or messages in, as vLLM has it, or llama.cpp's content; its tokens out. */
import { isJsonArray } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const tokenize = jsonRelay({
  name: "tokenize",
  about:
    "the tokens of a prompt or of messages (vLLM, llama.cpp); `model` may be left out where only one is served",
  paths: ["/tokenize"],
  needs: [["prompt", "messages", "content"]],
  modelWhereAbsent: (only) => only,
  // None, of an empty text.
  says: ({ tokens }) => isJsonArray(tokens),
  silence: "no tokens",
})
