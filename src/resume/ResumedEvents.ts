/**
 * The machine that makes one answer of two: of the one that broke off, and of the events of the upstream that resumes it.
 *
 * A usage chunk passes as the last upstream sends it, so it counts that attempt alone: the text until the break as input, and of the output only what
 * came after it.
 */
import { chunksOf, isPlain, maxMadeBytes } from "../answer/AnswerInChunks.ts"
import type { AnswerShape } from "../answer/AnswerShape.ts"
import { holderOf } from "../answer/ChoiceText.ts"
import { isJsonArray, isJsonObject, type Json } from "../wire/Json.ts"
import { chunkIn } from "../wire/JsonOutline.ts"
import { elementTexts, memberText, replaceMembers } from "../wire/JsonText.ts"
import type { Machine } from "../wire/Machine.ts"
import type { SseEvent } from "../wire/Sse.ts"
import type { MemberTexts, SaidSoFar } from "./SaidSoFar.ts"

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The text of a chunk's `choices` without roles. */
const withoutRoles = (choices: string, holder: string): string => {
  const without = (choice: string): string => {
    const held = choice.startsWith("{") ? memberText(choice, holder) : undefined
    if (held === undefined || !held.startsWith("{")) return choice
    return replaceMembers(choice, [[holder, replaceMembers(held, [["role", undefined]])]])
  }
  return `[${elementTexts(choices).map(without).join(",")}]`
}

interface ResumedState {
  readonly roleSaid: boolean
  /** It has said something of a choice. */
  readonly hasBegun: boolean
}

/**
 * Makes the events of the target that resumes an answer those of the answer that broke off: chunks have the first one's id, date, model, object
 * and fingerprint, and no role where that was said. All else, the spelling of numbers too, is left as it comes. A plain answer sent as
 * one event becomes chunks first: behind what was said before, its text would pass for what repeats it.
 */
export const resumedEvents = (
  shape: AnswerShape,
  said: SaidSoFar,
): Machine<ResumedState, SseEvent, SseEvent> => {
  const { envelope } = said
  const place = shape.inChunk
  const { holder } = place
  const step = (roleSaid: boolean, event: SseEvent, choices: ReadonlyArray<Json>): [boolean, SseEvent] => {
    const saysRole =
      holder !== undefined &&
      choices.some((choice) => isJsonObject(choice) && holderOf(choice, place)["role"] !== undefined)
    const dropsRole = saysRole && roleSaid
    if (envelope.length === 0 && !dropsRole) return [roleSaid || saysRole, event]
    const text = decoder.decode(event.data)
    const edits: MemberTexts = dropsRole
      ? [...envelope, ["choices", withoutRoles(memberText(text, "choices") ?? "[]", holder)]]
      : envelope
    return [roleSaid || saysRole, { ...event, data: encoder.encode(replaceMembers(text, edits)) }]
  }
  return {
    initial: { roleSaid: said.roleSaid, hasBegun: false },
    step: (state, event) => {
      const chunk = chunkIn(event.data)
      const choices = chunk?.["choices"]
      if (chunk === undefined || !isJsonArray(choices)) return [state, [event]]
      const made = state.hasBegun || !isPlain(chunk) ? undefined : chunksOf(shape, event.data, maxMadeBytes)
      let { roleSaid } = state
      const events: Array<SseEvent> = []
      for (const one of made?.map((data) => ({ ...event, data })) ?? [event]) {
        const ofIt = one === event ? choices : chunkIn(one.data)?.["choices"]
        const [next, edited] = step(roleSaid, one, isJsonArray(ofIt) ? ofIt : [])
        roleSaid = next
        events.push(edited)
      }
      return [{ roleSaid, hasBegun: state.hasBegun || choices.length > 0 }, events]
    },
    halt: () => [],
  }
}
