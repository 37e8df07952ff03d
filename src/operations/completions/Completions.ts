/** `/v1/completions`, the legacy way to ask for text. */
import { textOperation } from "../text/TextOperation.ts"
import { completionShape } from "./CompletionShape.ts"
import { promptInput } from "./PromptInput.ts"

export const completions = textOperation({
  name: "completions",
  about: "legacy completions, plain and streamed",
  paths: ["/completions"],
  dialect: undefined,
  input: promptInput,
  shape: completionShape,
})
