/** An operation that reads the request of a response, and answers with one object that no model writes. */
import * as Either from "effect/Either"
import { answerLimits } from "../../wire/JsonOutline.ts"
import type { JudgedAnswers, Operation } from "../Operation.ts"
import { prepare } from "./ResponsesBody.ts"
import { affinityOf, decidedBy, decode } from "./ResponsesRequest.ts"

interface AboutResponses<Name extends string>
  extends Pick<Operation<Name>, "about" | "name" | "paths">,
    Pick<JudgedAnswers, "read" | "says" | "silence" | "transform"> {}

export const aboutResponses = <Name extends string>({
  about,
  name,
  paths,
  ...answers
}: AboutResponses<Name>): Operation<Name> => ({
  name,
  method: "POST",
  dialect: "responses",
  face: "openai",
  about,
  paths,
  decidedBy,
  decode: (body, { deployment }) =>
    Either.map(decode(body, deployment), (request) => ({
      facts: request,
      affinity: () => affinityOf(request),
      bodyFor: (target, omissions) => prepare(request, target, omissions, false),
      bodyToResume: undefined,
    })),
  marks: () => "all",
  plain: {
    kind: "judged",
    outline: answerLimits,
    ...answers,
    isChanged: () => answers.transform !== undefined,
  },
  stream: undefined,
})
