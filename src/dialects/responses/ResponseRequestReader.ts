/** A request of responses, read to the neutral form. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { hasInexact } from "../CallInput.ts"
import type { Conversation } from "../Conversation.ts"
import { Losses } from "../Losses.ts"
import { textIn } from "../Members.ts"
import { mistakeIn } from "./ResponseMistakes.ts"
import { foreignOf, settingsOf } from "./ResponseSettings.ts"
import { toolsOf } from "./ResponseTools.ts"
import { turnsOf } from "./ResponseTurns.ts"

/** `DialectForm.readRequest` */
export const readRequest = (body: JsonObject): Either.Either<Conversation, InvalidRequest> => {
  const mistake = mistakeIn(body)
  if (mistake !== undefined) return Either.left(mistake)
  const foreign = new Losses()
  foreign.tellAll(foreignOf(body))
  const turns = turnsOf(body["instructions"], body["input"], foreign)
  if (hasInexact(body["tools"])) foreign.tellInPart("tools.parameters")
  return Either.right({
    model: textIn(body["model"]) ?? "",
    stream: body["stream"] === true,
    turns,
    tools: toolsOf(body),
    settings: settingsOf(body),
    foreign: foreign.all,
  })
}
