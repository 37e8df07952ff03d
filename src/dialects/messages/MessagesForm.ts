/** Anthropic's Messages to and from the neutral form. */
import type { DialectForm } from "../DialectForm.ts"
import { readMessagesAnswer } from "./MessagesAnswerReader.ts"
import { writeMessagesAnswer } from "./MessagesAnswerWriter.ts"
import { MessagesEventReader } from "./MessagesEventReader.ts"
import { messagesEventWriter } from "./MessagesEventWriter.ts"
import { withExactInputs } from "./MessagesInputs.ts"
import { readMessagesRequest } from "./MessagesRequestReader.ts"
import { writeMessagesRequest } from "./MessagesRequestWriter.ts"

export const messagesForm: DialectForm = {
  dialect: "messages",
  repeated: new Set(),
  readRequest: readMessagesRequest,
  writeRequest: writeMessagesRequest,
  readAnswer: readMessagesAnswer,
  exactBytes: withExactInputs,
  writeAnswer: writeMessagesAnswer,
  readEvents: (ownId) => new MessagesEventReader(ownId),
  writeEvents: messagesEventWriter,
}
