/** `/v1/chat/completions`. */
import { textOperation } from "../text/TextOperation.ts"
import { chatShape } from "./ChatShape.ts"
import { messagesInput } from "./MessagesInput.ts"

export const chat = textOperation({
  name: "chat.completions",
  about: "chat, plain and streamed; tools, images and unknown members pass untouched",
  paths: ["/chat/completions"],
  dialect: "chat",
  input: messagesInput,
  shape: chatShape,
})
