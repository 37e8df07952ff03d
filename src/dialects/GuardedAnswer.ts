/** A whole answer by the rules that streams are held to (EventLine.ts): its calls have ids of their own, and an input. */
import { type AnswerEvent, isCut, type NeutralAnswer } from "./Answer.ts"
import { answerOf, eventsOfPart } from "./AnswerParts.ts"
import { isObjectText, wholeInput } from "./CallInput.ts"
import { EventLine } from "./EventLine.ts"
import type { AssistantPart } from "./Part.ts"

const tell = (line: EventLine, key: string, event: AnswerEvent): void => {
  switch (event.kind) {
    case "part_begins":
      line.open(key, event.part, "given")
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

/** `undefined` where the answer was cut within the call: a program would call the tool with what came of its input until then. */
const withWholeInput = (part: AssistantPart, wasCut: boolean): AssistantPart | undefined => {
  if (part.kind !== "tool_call" || part.isFreeForm) return part
  if (wasCut && part.input.trim() === "") return undefined
  const input = wholeInput(part.input)
  return wasCut && !isObjectText(input) ? undefined : { ...part, input }
}

/**
 * An input that is no JSON stays as it came: the answer is paid for, and what is made of the call is up to the caller. Calls that were cut are left out.
 * `undefined` where the answer is larger than any is.
 *
 * @param ownId the id of an answer that has none
 */
export const guardedAnswer = (
  { counts, finish, parts, ...head }: NeutralAnswer,
  ownId?: string,
): NeutralAnswer | undefined => {
  const wasCut = isCut(finish)
  const line = new EventLine(ownId)
  line.begin(head)
  for (const [at, part] of parts.entries()) {
    const whole = withWholeInput(part, wasCut)
    for (const event of whole === undefined ? [] : eventsOfPart(whole)) tell(line, `${at}`, event)
  }
  line.count(counts)
  line.end(finish)
  return answerOf(line.take())
}
