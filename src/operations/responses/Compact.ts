/** `/v1/responses/compact`: a conversation made shorter, for whoever goes on with it. */
import { itemsOf, readResponse, transformUnchanged } from "../../answer/responses/PlainResponse.ts"
import { aboutResponses } from "./AboutResponses.ts"

export const compact = aboutResponses({
  name: "responses.compact",
  about: "a conversation made shorter",
  paths: ["/responses/compact"],
  says: (answer) => itemsOf(answer).length > 0,
  silence: "no output",
  transform: transformUnchanged,
  read: readResponse,
})
