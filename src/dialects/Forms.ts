/** The dialects' forms by their names. */
import type { Dialect } from "../routing/Dialect.ts"
import { chatForm } from "./chat/ChatForm.ts"
import type { DialectForm } from "./DialectForm.ts"
import { messagesForm } from "./messages/MessagesForm.ts"
import { responsesForm } from "./responses/ResponsesForm.ts"

export const forms: { readonly [D in Dialect]: DialectForm } = {
  chat: chatForm,
  responses: responsesForm,
  messages: messagesForm,
}
