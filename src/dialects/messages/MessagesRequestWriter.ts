/** A conversation as a request in Anthropic's dialect. */
import type { JsonObject } from "../../wire/Json.ts"
import type { Conversation } from "../Conversation.ts"
import type { WriteFor, WrittenRequest } from "../DialectForm.ts"
import { withoutFreeForm } from "../FreeFormTools.ts"
import { Losses } from "../Losses.ts"
import { membersOf } from "../Members.ts"
import { isForced } from "../ToolChoices.ts"
import { longestToolName, renamedTools } from "../ToolNames.ts"
import { marked } from "./MessagesMarks.ts"
import { HeldSchemas } from "./MessagesSchema.ts"
import { formatFor, maxTokensFor, writtenSettings } from "./MessagesSettings.ts"
import { thinkingFor } from "./MessagesThinking.ts"
import { writtenChoice, writtenTools } from "./MessagesTools.ts"
import { writtenTurns } from "./MessagesTurnsWriter.ts"

const unlessEmpty = (values: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> | undefined =>
  values.length === 0 ? undefined : values

export const writeMessagesRequest = (conversation: Conversation, target: WriteFor): WrittenRequest => {
  const losses = new Losses()
  const { foreign, settings, stream, tools: asked } = conversation
  const sent = withoutFreeForm(conversation)
  const { abilities, cacheMarks, model } = target
  losses.tellAll(foreign)
  if (asked.some((tool) => tool.kind === "free_form" && tool.grammar !== undefined))
    losses.tell("tools.format")

  const held = abilities.schemas ? new HeldSchemas() : undefined
  const { format, instruction } = formatFor(settings.format, held, losses)
  const written = writtenTurns(sent.turns, target, losses)
  const all = marked(cacheMarks, {
    tools: writtenTools(sent, held, losses),
    system: [...written.system, ...(instruction === undefined ? [] : [{ type: "text", text: instruction }])],
    messages: written.messages,
  })

  const maxTokens = maxTokensFor(settings, abilities, losses)
  const { effort, isOn, thinking } = thinkingFor(
    {
      abilities,
      wish: settings.reasoning,
      maxTokens,
      isForced: asked.length > 0 && isForced(settings.toolChoice),
      isUnderWay: written.endsInOwn || written.callsUnthought,
    },
    losses,
  )
  const choice = writtenChoice(
    conversation,
    abilities,
    { hasTools: all.tools.length > 0, thinks: isOn },
    losses,
  )
  const config = membersOf({ effort, format })
  const body = membersOf({
    model,
    max_tokens: maxTokens,
    system: unlessEmpty(all.system),
    messages: all.messages,
    tools: unlessEmpty(all.tools),
    tool_choice: choice,
    thinking,
    output_config: effort === undefined && format === undefined ? undefined : config,
    ...writtenSettings(settings, abilities, isOn, losses),
    stream: stream ? true : undefined,
  })
  return {
    body,
    losses: losses.all,
    renamed: renamedTools(asked, longestToolName.messages, false),
    hasOwnMarks: all.hasOwnMarks,
  }
}
