/** A request in chat, read to the neutral form. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation } from "../Conversation.ts"
import { Losses } from "../Losses.ts"
import { objectsIn, textIn } from "../Members.ts"
import { mistakeIn } from "./ChatMistakes.ts"
import { foreignOf, settingsOf } from "./ChatSettings.ts"
import { toolsOf } from "./ChatTools.ts"
import { turnsOf } from "./ChatTurns.ts"

/** `DialectForm.readRequest` */
export const readRequest = (body: JsonObject): Either.Either<Conversation, InvalidRequest> => {
  const mistake = mistakeIn(body)
  if (mistake !== undefined) return Either.left(mistake)
  const foreign = new Losses()
  foreign.tellAll(foreignOf(body))
  const turns = turnsOf(objectsIn(body["messages"]), foreign)
  const tools = toolsOf(body, foreign)
  return Either.right({
    model: textIn(body["model"]) ?? "",
    stream: body["stream"] === true,
    turns,
    tools,
    settings: settingsOf(body),
    foreign: foreign.all,
  })
}
