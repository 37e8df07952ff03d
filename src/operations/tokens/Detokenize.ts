/** `/v1/detokenize`: tokens in; the text they stand for out, as vLLM's `prompt` or llama.cpp's `content`. */
import { jsonRelay } from "../JsonRelay.ts"

export const detokenize = jsonRelay({
  name: "detokenize",
  about: "the text that tokens stand for (vLLM, llama.cpp); `model` may be left out where only one is served",
  paths: ["/detokenize"],
  needs: [["tokens"]],
  modelWhereAbsent: (only) => only,
  says: ({ content, prompt }) => typeof (prompt ?? content) === "string",
  silence: "no text",
})
