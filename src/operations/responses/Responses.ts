/** `/v1/responses`: OpenAI's second dialect of conversations. */
import * as Either from "effect/Either"
import { readResponse, says, transformResponse } from "../../answer/responses/PlainResponse.ts"
import { responsesGrammar } from "../../answer/responses/ResponsesGrammar.ts"
import { answerLimits } from "../../wire/JsonOutline.ts"
import type { Operation } from "../Operation.ts"
import { prepare } from "./ResponsesBody.ts"
import { affinityOf, decidedBy, decode } from "./ResponsesRequest.ts"

export const responses: Operation<"responses"> = {
  name: "responses",
  method: "POST",
  dialect: "responses",
  face: "openai",
  about: "plain and `stream: true`; tools, reasoning, `previous_response_id`",
  paths: ["/responses"],
  refusesUpgrade: true,
  decidedBy,
  decode: (body, { deployment }) =>
    Either.map(decode(body, deployment), (request) => ({
      facts: request,
      conversation: request.body,
      affinity: () => affinityOf(request),
      bodyFor: (target, omissions) => prepare(request, target, omissions, true),
      bodyToResume: undefined,
    })),
  marks: () => "all",
  plain: {
    kind: "judged",
    outline: answerLimits,
    says,
    silence: "no output",
    transform: transformResponse,
    isChanged: () => true,
    read: readResponse,
  },
  stream: responsesGrammar,
}
