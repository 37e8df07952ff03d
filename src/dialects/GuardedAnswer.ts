/** A whole answer by the rules that streams are held to (EventLine.ts): its calls have ids of their own, and an input that is whole. */
import { parseObject } from "../wire/JsonBytes.ts"
import type { AnswerEvent, NeutralAnswer } from "./Answer.ts"
import { answerOf, eventsOfPart } from "./AnswerParts.ts"
import { EventLine } from "./EventLine.ts"
import type { AssistantPart } from "./Part.ts"

const encoder = new TextEncoder()

const tell = (line: EventLine, key: string, event: AnswerEvent): void => {
  switch (event.kind) {
    case "part_begins":
      line.open(key, event.part, "close")
      break
    case "more":
      line.more(key, event.text)
      break
    case "cited":
      line.cite(key, event.citation)
      break
    case "section":
      line.section(key)
      break
    case "sealed":
      line.seal(key, event.seal)
      break
    case "part_ends":
      line.close(key)
      break
    default:
  }
}

/** A program would call the tool with what came of its input until then. */
const isCutCall = (part: AssistantPart): boolean =>
  part.kind === "tool_call" && !part.isFreeForm && parseObject(encoder.encode(part.input)) === undefined

/**
 * `undefined` where the input of a call is half, though the answer says that it was not cut. Calls that were cut are left out.
 *
 * @param ownId the id of an answer that has none
 */
export const guardedAnswer = (
  { counts, finish, parts, ...head }: NeutralAnswer,
  ownId?: string,
): NeutralAnswer | undefined => {
  const line = new EventLine(ownId)
  line.begin(head)
  for (const [at, part] of parts.entries()) {
    for (const event of eventsOfPart(part)) tell(line, `${at}`, event)
  }
  line.count(counts)
  line.end(finish)
  const answer = answerOf(line.take())
  return answer !== undefined && (finish.kind === "length" || finish.kind === "refused")
    ? { ...answer, parts: answer.parts.filter((part) => !isCutCall(part)) }
    : answer
}
