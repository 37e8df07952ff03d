/** How an answer is to be, as responses say it, read and written. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { AnswerFormat, ReasoningWish, Setting, Settings } from "../Conversation.ts"
import { effortFor } from "../Effort.ts"
import type { Loss } from "../Loss.ts"
import { type Losses, saysNothing } from "../Losses.ts"
import { capIn, membersOf, objectIn, settingOf, textIn, textsIn } from "../Members.ts"
import {
  foreignMembers,
  membersAlike,
  schemaFormatOf,
  settingsAlike,
  writtenAlike,
} from "../OpenAiSettings.ts"
import { takesSampling } from "../Sampling.ts"
import { fittedUser, longestUser } from "../User.ts"
import { toolChoiceOf, writtenToolChoice } from "./ResponseTools.ts"

const formatOf = (format: JsonObject | undefined): AnswerFormat | undefined => {
  if (format?.["type"] === "json_object") return { kind: "json_object" }
  if (format?.["type"] !== "json_schema") return undefined
  return schemaFormatOf(format)
}

const toldOf = (summary: string | undefined): ReasoningWish["told"] =>
  summary === "auto" || summary === "concise" || summary === "detailed" ? summary : undefined

const reasoningOf = (reasoning: JsonObject | undefined): ReasoningWish | undefined => {
  const effort = textIn(reasoning?.["effort"])
  const told = toldOf(textIn(reasoning?.["summary"]))
  if (effort === "none") return { mode: "off" }
  if (effort === undefined && told === undefined) return undefined
  return { mode: "on", ...(effort === undefined ? {} : { effort }), ...(told === undefined ? {} : { told }) }
}

export const settingsOf = (body: JsonObject): Settings => {
  const text = objectIn(body["text"])
  return {
    ...settingsAlike(body),
    maxTokens: settingOf(capIn(body["max_output_tokens"]), "max_output_tokens"),
    toolChoice: settingOf(toolChoiceOf(body["tool_choice"]), "tool_choice"),
    format: settingOf(formatOf(objectIn(text?.["format"])), "text.format"),
    reasoning: settingOf(reasoningOf(objectIn(body["reasoning"])), "reasoning"),
    verbosity: settingOf(textIn(text?.["verbosity"]), "text.verbosity"),
  }
}

/** Members that are read elsewhere, or say nothing of an answer. */
const known: ReadonlySet<string> = new Set([
  ...membersAlike,
  "model",
  "input",
  "instructions",
  "stream",
  "stream_options",
  "tools",
  "max_output_tokens",
  "text",
  "reasoning",
])

/** Members without which another answer would come, since they hold a part of the conversation, or how it is answered at all. */
const essential: ReadonlySet<string> = new Set([
  "previous_response_id",
  "conversation",
  "prompt",
  "background",
  "tool_choice",
])

/** What is asked for beside the answer, and either read elsewhere or given anyway. */
const included: ReadonlySet<string> = new Set(["reasoning.encrypted_content"])

const isLeftUnsaid = (name: string, value: Json): boolean => {
  if (value === null) return true
  switch (name) {
    case "tool_choice":
      return toolChoiceOf(value) !== undefined
    case "truncation":
      return value === "disabled"
    // Answers of other dialects have no place for likelihoods.
    case "top_logprobs":
      return value === 0
    case "background":
      return value === false
    case "include":
      return textsIn(value).every((one) => included.has(one))
    default:
      return known.has(name) || (saysNothing(value) && !essential.has(name))
  }
}

/** Members that no other dialect has. `null` says nothing. */
export const foreignOf = (body: JsonObject): ReadonlyArray<Loss> =>
  foreignMembers(body, isLeftUnsaid, (name) => essential.has(name))

const writtenFormat = (format: AnswerFormat): JsonObject => {
  if (format.kind === "json_object") return { type: "json_object" }
  const { description, name, schema, strict } = format
  return membersOf({ type: "json_schema", name: name ?? "answer", description, schema, strict })
}

/** Fewer are refused. Claude Code asks for one to see whether it may ask at all. */
const leastOutput = 16

const isTooFew = (most: Setting<number> | undefined): boolean =>
  most !== undefined && most.value < leastOutput

/** What of the settings responses, or this model, do not take. */
const tellUntaken = (settings: Settings, abilities: ModelAbilities, losses: Losses): void => {
  const { frequencyPenalty, presencePenalty, reasoning, seed, stop, temperature, topK, topP } = settings
  const never = [topK, stop, seed, presencePenalty, frequencyPenalty]
  const { maxTokens } = settings
  if (maxTokens !== undefined && isTooFew(maxTokens)) losses.tellInPart(maxTokens.as)
  const untaken = takesSampling(abilities, reasoning?.value) ? [] : [temperature, topP]
  for (const one of untaken) if (one !== undefined) losses.tellUntaken(one.as)
  for (const one of never) if (one !== undefined) losses.tell(one.as)
}

const writtenReasoning = (
  reasoning: Setting<ReasoningWish>,
  abilities: ModelAbilities,
  losses: Losses,
): JsonObject | undefined => {
  const wish = reasoning.value
  const effort = effortFor(reasoning, abilities, losses)
  const summary = wish.mode === "on" && wish.told !== "nothing" ? wish.told : undefined
  return effort === undefined && summary === undefined ? undefined : membersOf({ effort, summary })
}

/** A model that reasons, or is asked to, is asked for what it thought, sealed, so that it can be told again. */
const isToInclude = ({ reasoning }: Settings, { efforts }: ModelAbilities): boolean =>
  (efforts !== undefined && efforts.length > 0) || reasoning?.value.mode === "on"

/**
 * Nothing is kept by the upstream unless the caller says so: in other dialects nobody could ask for it.
 *
 * @param freeForm the tools that take any text
 */
export const writtenSettings = (
  settings: Settings,
  abilities: ModelAbilities,
  freeForm: ReadonlySet<string>,
  losses: Losses,
): JsonObject => {
  const { format, reasoning, toolChoice, verbosity } = settings
  const tunes = takesSampling(abilities, reasoning?.value)
  tellUntaken(settings, abilities, losses)
  const text = membersOf({
    format: format === undefined ? undefined : writtenFormat(format.value),
    verbosity: verbosity?.value,
  })
  return membersOf({
    max_output_tokens: isTooFew(settings.maxTokens) ? leastOutput : settings.maxTokens?.value,
    tool_choice: toolChoice === undefined ? undefined : writtenToolChoice(toolChoice.value, freeForm),
    ...writtenAlike(settings, tunes),
    text: Object.keys(text).length === 0 ? undefined : text,
    reasoning: reasoning === undefined ? undefined : writtenReasoning(reasoning, abilities, losses),
    include: isToInclude(settings, abilities) ? ["reasoning.encrypted_content"] : undefined,
    safety_identifier: fittedUser(settings.user, longestUser.responses, losses),
    store: settings.store?.value ?? false,
  })
}
