/**
 * Each call with its result directly behind it: programs cut their history, and lose one or the other. Their makers' servers refuse such a conversation, so a
 * translated one is mended. What a tool gave stays, as words of the user where nothing called for it.
 */
import type { Turn } from "./Conversation.ts"
import type { ToolCallPart, ToolResultPart, UserPart } from "./Part.ts"

/** What was wrong. */
export interface Mended {
  readonly turns: ReadonlyArray<Turn>
  /** Results without a call stand as words now. */
  readonly hadOrphans: boolean
  /** Calls without a result have one that says so. */
  readonly hadUnanswered: boolean
}

const callsIn = (turn: Turn): ReadonlyArray<ToolCallPart> =>
  turn.role === "assistant" ? turn.parts.filter((part) => part.kind === "tool_call") : []

const isResult = (part: UserPart): part is ToolResultPart => part.kind === "tool_result"

/** Nearly every conversation. */
const isWhole = (turns: ReadonlyArray<Turn>): boolean => {
  const open = new Set<string>()
  for (const turn of turns) {
    if (turn.role !== "user") {
      if (open.size > 0) return false
      const calls = callsIn(turn)
      for (const { id } of calls) open.add(id)
      if (open.size < calls.length) return false
      continue
    }
    if (turn.parts.some((part) => isResult(part) && !open.delete(part.id))) return false
    if (open.size > 0 && !turn.parts.every(isResult)) return false
  }
  return open.size === 0
}

/** Which result answers which call: the last before it of its id, for several servers use the same ids again. */
const matched = (turns: ReadonlyArray<Turn>): ReadonlyMap<ToolCallPart, ToolResultPart> => {
  const answers = new Map<ToolCallPart, ToolResultPart>()
  const open = new Map<string, Array<ToolCallPart>>()
  for (const turn of turns) {
    for (const call of callsIn(turn).toReversed()) {
      const same = open.get(call.id)
      if (same === undefined) open.set(call.id, [call])
      else same.push(call)
    }
    if (turn.role !== "user") continue
    for (const result of turn.parts.filter(isResult)) {
      const call = open.get(result.id)?.pop()
      if (call !== undefined) answers.set(call, result)
    }
  }
  return answers
}

const missing = ({ id, isFreeForm }: ToolCallPart): ToolResultPart => ({
  kind: "tool_result",
  id,
  parts: [{ kind: "text", text: "The result of this call is missing." }],
  isError: true,
  isFreeForm,
})

const asWords = ({ id, parts }: ToolResultPart): ReadonlyArray<UserPart> => [
  { kind: "text", text: `What a tool gave (call ${id}):` },
  ...parts,
]

/** The same turns where nothing is wrong. */
export const withAnsweredCalls = (turns: ReadonlyArray<Turn>): Mended => {
  if (isWhole(turns)) return { turns, hadOrphans: false, hadUnanswered: false }
  const answers = matched(turns)
  const answering = new Set(answers.values())
  const results = turns.flatMap((turn) => (turn.role === "user" ? turn.parts.filter(isResult) : []))
  const unanswered = turns.flatMap(callsIn).filter((call) => !answers.has(call))
  const mended = turns.flatMap((turn): ReadonlyArray<Turn> => {
    if (turn.role === "user") {
      const parts = turn.parts.flatMap((part): ReadonlyArray<UserPart> => {
        if (!isResult(part)) return [part]
        return answering.has(part) ? [] : asWords(part)
      })
      return parts.length === 0 ? [] : [{ ...turn, parts }]
    }
    const given = callsIn(turn).map((call) => answers.get(call) ?? missing(call))
    return given.length === 0 ? [turn] : [turn, { role: "user", parts: given }]
  })
  const hadOrphans = results.some((result) => !answering.has(result))
  return { turns: mended, hadOrphans, hadUnanswered: unanswered.length > 0 }
}
