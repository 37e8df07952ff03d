/** OpenAI's Responses, to and from the neutral form. */
import type { DialectForm } from "../DialectForm.ts"
import { readAnswer, repeatedMembers, writeAnswer } from "./ResponseAnswer.ts"
import { readEvents } from "./ResponseEventReader.ts"
import { writeEvents } from "./ResponseEventWriter.ts"
import { readRequest } from "./ResponseRequestReader.ts"
import { writeRequest } from "./ResponseRequestWriter.ts"

export const responsesForm: DialectForm = {
  dialect: "responses",
  repeated: repeatedMembers,
  readRequest,
  writeRequest,
  readAnswer,
  writeAnswer,
  readEvents,
  writeEvents,
}
