/** A conversation as a request in Anthropic's dialect. */
import { isJsonArray, isJsonObject, type JsonObject } from "../../wire/Json.ts"
import type { Conversation } from "../Conversation.ts"
import type { WriteFor, WrittenRequest } from "../DialectForm.ts"
import { withoutFreeForm } from "../FreeFormTools.ts"
import { Losses } from "../Losses.ts"
import { membersOf } from "../Members.ts"
import { longestToolName, renamedTools } from "../ToolNames.ts"
import { HeldSchemas } from "./MessagesSchema.ts"
import { formatFor, maxTokensFor, writtenSettings } from "./MessagesSettings.ts"
import { thinkingFor } from "./MessagesThinking.ts"
import { isForced, writtenChoice, writtenTools } from "./MessagesTools.ts"
import { writtenTurns } from "./MessagesTurnsWriter.ts"

/** More marks than these are refused. */
const mostMarks = 4

const isMarked = ({ cache_control: control }: JsonObject): boolean => control !== undefined

const contentOf = ({ content }: JsonObject): ReadonlyArray<JsonObject> =>
  isJsonArray(content) ? content.filter(isJsonObject) : []

const isShort = ({ cache_control: control }: JsonObject): boolean =>
  isJsonObject(control) && control["ttl"] === undefined

/**
 * Takes away as many marks as there are too many, the first ones: the later ones hold all before them. None may hold for longer than one before it.
 */
const unmarking = (tooMany: number) => {
  let left = tooMany
  let short: JsonObject = {}
  return (block: JsonObject): JsonObject => {
    if (!isMarked(block)) return block
    if (left > 0) {
      left--
      const { cache_control: _, ...rest } = block
      return rest
    }
    if (isShort(block)) short = { cache_control: { type: "ephemeral" } }
    return { ...block, ...short }
  }
}

interface Marked {
  readonly tools: ReadonlyArray<JsonObject>
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
}

/** In the order in which a cache holds them. */
const withinMarks = ({ messages, system, tools }: Marked): Marked => {
  const blocks = [...tools, ...system, ...messages.flatMap(contentOf)]
  const unmark = unmarking(blocks.filter(isMarked).length - mostMarks)
  return {
    tools: tools.map(unmark),
    system: system.map(unmark),
    messages: messages.map((message) => ({ ...message, content: contentOf(message).map(unmark) })),
  }
}

const unlessEmpty = (values: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> | undefined =>
  values.length === 0 ? undefined : values

export const writeMessagesRequest = (conversation: Conversation, target: WriteFor): WrittenRequest => {
  const losses = new Losses()
  const { foreign, settings, stream, tools: asked } = conversation
  const sent = withoutFreeForm(conversation)
  const { abilities, model } = target
  for (const { as, isEssential } of foreign) losses.tell(as, isEssential)
  if (asked.some((tool) => tool.kind === "free_form" && tool.grammar !== undefined))
    losses.tell("tools.format")

  const held = abilities.schemas ? new HeldSchemas() : undefined
  const { format, instruction } = formatFor(settings.format, held, losses)
  const written = writtenTurns(sent.turns, target, losses)
  const all = withinMarks({
    tools: writtenTools(sent, held, losses),
    system: [...written.system, ...(instruction === undefined ? [] : [{ type: "text", text: instruction }])],
    messages: written.messages,
  })

  const maxTokens = maxTokensFor(settings, abilities)
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
  return { body, losses: losses.all, renamed: renamedTools(asked, longestToolName.messages, false) }
}
