/** An answer's calls of tools as the caller knows them: by the caller's own names, and with the text of tools that take any. */
import type { Machine } from "../wire/Machine.ts"
import { run } from "../wire/Machine.ts"
import type { AnswerEvent, NeutralAnswer } from "./Answer.ts"
import type { RenamedTool } from "./DialectForm.ts"
import { type UnwrapState, unwrapping } from "./FreeFormInput.ts"
import type { AssistantPart } from "./Part.ts"

const toolsBySent = (renamed: ReadonlyArray<RenamedTool>): ReadonlyMap<string, RenamedTool> =>
  new Map(renamed.map((tool) => [tool.sent, tool]))

/** A whole answer in which tools are called as the caller calls them. */
export const withCallersTools = (
  answer: NeutralAnswer,
  renamed: ReadonlyArray<RenamedTool>,
): NeutralAnswer => {
  if (renamed.length === 0) return answer
  const tools = toolsBySent(renamed)
  const changed = (part: AssistantPart): AssistantPart => {
    const tool = part.kind === "tool_call" ? tools.get(part.name) : undefined
    if (part.kind !== "tool_call" || tool === undefined) return part
    const { calling, isFreeForm, name } = tool
    return isFreeForm
      ? { ...part, name, calling, isFreeForm, input: run(unwrapping, [part.input]).join("") }
      : { ...part, name, calling }
  }
  return { ...answer, parts: answer.parts.map(changed) }
}

/** How far the input of the open call is unwrapped; `undefined` where none is. */
type CallState = UnwrapState | undefined

const texts = (pieces: ReadonlyArray<string>): ReadonlyArray<AnswerEvent> =>
  pieces.map((text) => ({ kind: "more", text }))

/** The same of an answer that comes event by event. */
export const callersTools = (
  renamed: ReadonlyArray<RenamedTool>,
): Machine<CallState, AnswerEvent, AnswerEvent> => {
  const tools = toolsBySent(renamed)
  const step = (state: CallState, event: AnswerEvent): readonly [CallState, ReadonlyArray<AnswerEvent>] => {
    if (event.kind === "part_begins" && event.part.kind === "tool_call") {
      const tool = tools.get(event.part.name)
      if (tool === undefined) return [undefined, [event]]
      const { calling, isFreeForm: isWrapped, name } = tool
      const isFreeForm = isWrapped || event.part.isFreeForm
      return [
        isWrapped ? unwrapping.initial : undefined,
        [{ kind: "part_begins", part: { ...event.part, name, calling, isFreeForm } }],
      ]
    }
    if (state === undefined) return [state, [event]]
    if (event.kind === "part_ends") return [undefined, [...texts(unwrapping.halt(state)), event]]
    if (event.kind !== "more") return [state, [event]]
    const [after, pieces] = unwrapping.step(state, event.text)
    return [after, texts(pieces)]
  }
  // What was cut has no more to say.
  return { initial: undefined, step, halt: () => [] }
}
