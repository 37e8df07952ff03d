/** An operation that asks for text, made of its input and the shape of its answers. */
import * as Either from "effect/Either"
import type { AnswerShape } from "../../answer/AnswerShape.ts"
import { choiceGrammar } from "../../answer/ChoiceGrammar.ts"
import { changesAnswers, readAnswer, transformAnswer } from "../../answer/PlainAnswer.ts"
import { says } from "../../answer/Verdict.ts"
import { choiceResume } from "../../resume/ChoiceResume.ts"
import { answerLimits } from "../../wire/JsonOutline.ts"
import type { Operation } from "../Operation.ts"
import { bodiesOf } from "./TextBody.ts"
import type { TextInput } from "./TextInput.ts"
import { decode } from "./TextRequest.ts"

interface TextOperation<Name extends string>
  extends Pick<Operation<Name>, "about" | "dialect" | "name" | "paths"> {
  readonly input: TextInput
  readonly shape: AnswerShape
}

export const textOperation = <Name extends string>({
  about,
  dialect,
  input,
  name,
  paths,
  shape,
}: TextOperation<Name>): Operation<Name> => ({
  name,
  method: "POST",
  dialect,
  face: "openai",
  about,
  paths,
  decidedBy: input.decidedBy,
  decode: (body, { deployment }) => {
    const decoded = decode(input, body, deployment)
    if (Either.isLeft(decoded)) return Either.left(decoded.left)
    const request = decoded.right
    return Either.right({
      facts: request,
      conversation: request.body,
      affinity: () => input.affinity(request.body, request.messages),
      ...bodiesOf(request),
    })
  },
  plain: {
    kind: "judged",
    outline: answerLimits,
    says,
    silence: "no choice, no text, no finish reason",
    transform: (transform, body) => transformAnswer(shape, transform, body),
    isChanged: changesAnswers,
    read: (answer) => readAnswer(shape, answer),
  },
  stream: choiceGrammar(shape, choiceResume(shape)),
})
