/** A conversation in which tools that take any text are functions that take it in JSON, for models that know no others. */
import type { Conversation, Tool, Turn } from "./Conversation.ts"
import { freeFormSchema, wrappedInput } from "./FreeFormInput.ts"
import type { AssistantPart, UserPart } from "./Part.ts"

/** A grammar is told in words: nobody holds the model to it. */
const functionOf = (tool: Tool): Tool => {
  if (tool.kind !== "free_form") return tool
  const { description, grammar, name } = tool
  const told =
    grammar === undefined
      ? description
      : [description, `Its input follows this grammar (${grammar.syntax}):\n${grammar.definition}`]
          .filter((one) => one !== undefined)
          .join("\n\n")
  return {
    kind: "function",
    name,
    description: told,
    schema: freeFormSchema,
    strict: undefined,
    isCached: false,
  }
}

const calledOf = (part: AssistantPart): AssistantPart =>
  part.kind === "tool_call" && part.isFreeForm
    ? { ...part, isFreeForm: false, input: wrappedInput(part.input) }
    : part

const givenOf = (part: UserPart): UserPart =>
  part.kind === "tool_result" && part.isFreeForm ? { ...part, isFreeForm: false } : part

const turnOf = (turn: Turn): Turn => {
  switch (turn.role) {
    case "assistant":
      return { ...turn, parts: turn.parts.map(calledOf) }
    case "user":
      return { ...turn, parts: turn.parts.map(givenOf) }
    case "instructions":
      return turn
  }
}

export const withoutFreeForm = (conversation: Conversation): Conversation => ({
  ...conversation,
  tools: conversation.tools.map(functionOf),
  turns: conversation.turns.map(turnOf),
})

/** Whether words are all that holds a model to what such a tool takes. */
export const losesGrammar = ({ tools }: Conversation): boolean =>
  tools.some((tool) => tool.kind === "free_form" && tool.grammar !== undefined)
