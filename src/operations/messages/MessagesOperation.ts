/** `/v1/messages`: Anthropic's Messages. */
import * as Either from "effect/Either"
import {
  changesMessage,
  readMessage,
  saysSomething,
  transformMessage,
} from "../../answer/messages/MessageAnswer.ts"
import { messageGrammar } from "../../answer/messages/MessageGrammar.ts"
import { messageResume } from "../../resume/MessageResume.ts"
import { takesOf } from "../../routing/Dialect.ts"
import { answerLimits } from "../../wire/JsonOutline.ts"
import type { Operation } from "../Operation.ts"
import { bodyToResumeFor, prepare } from "./MessagesBody.ts"
import { decidedBy, decode, leadOf } from "./MessagesRequest.ts"

const takesMessages = takesOf("messages")

export const messages: Operation<"messages"> = {
  name: "messages",
  method: "POST",
  dialect: "messages",
  face: "anthropic",
  about: "Anthropic's Messages, whole and streamed",
  paths: ["/messages", "//anthropic/v1/messages"],
  decidedBy,
  decode: (body, { deployment }) =>
    Either.map(decode(body, deployment), (request) => ({
      facts: request.facts,
      conversation: request.body,
      affinity: () => leadOf(request),
      bodyFor: (target, omissions) => prepare(request, target, omissions),
      bodyToResume: (target, omissions, said) => bodyToResumeFor(request, target, omissions, said),
    })),
  // Where nobody else could be sent it, a message is its maker's bytes.
  marks: ({ name }, upstreams) =>
    upstreams.some((other) => other.name !== name && takesMessages(other)) ? "all" : "marked",
  plain: {
    kind: "judged",
    outline: answerLimits,
    says: saysSomething,
    silence: "no content, no stop reason",
    isChanged: changesMessage,
    transform: transformMessage,
    read: readMessage,
  },
  stream: messageGrammar(messageResume),
}
