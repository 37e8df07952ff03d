/** OpenAI's Chat Completions, to and from the neutral form. */
import type { DialectForm } from "../DialectForm.ts"
import { readAnswer, writeAnswer } from "./ChatAnswer.ts"
import { readEvents } from "./ChatEventReader.ts"
import { writeEvents } from "./ChatEventWriter.ts"
import { readRequest } from "./ChatRequestReader.ts"
import { writeRequest } from "./ChatRequestWriter.ts"

export const chatForm: DialectForm = {
  dialect: "chat",
  repeated: new Set(),
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readEvents,
  writeEvents,
}
