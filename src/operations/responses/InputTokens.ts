/** `/v1/responses/input_tokens`: how many tokens the input of a response has. */
import { identityOf } from "../../answer/AnswerIdentity.ts"
import { noUsage } from "../../answer/Usage.ts"
import { aboutResponses } from "./AboutResponses.ts"

export const inputTokens = aboutResponses({
  name: "responses.input_tokens",
  about: "how many tokens the input of a response has",
  paths: ["/responses/input_tokens"],
  says: ({ input_tokens: count }) => typeof count === "number",
  silence: "no number of tokens",
  transform: undefined,
  // What is counted is not used.
  read: (answer) => ({ ...identityOf(answer), usage: noUsage, finishReason: undefined, toolCalls: false }),
})
