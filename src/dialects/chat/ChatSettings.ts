/** How an answer is to be, as chat says it, read and written. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { AnswerFormat, ReasoningWish, Setting, Settings } from "../Conversation.ts"
import { effortFor } from "../Effort.ts"
import type { Loss } from "../Loss.ts"
import { type Losses, saysNothing } from "../Losses.ts"
import { capIn, firstSetting, membersOf, numberIn, objectIn, settingOf, textIn, textsIn } from "../Members.ts"
import {
  foreignMembers,
  membersAlike,
  schemaFormatOf,
  settingsAlike,
  writtenAlike,
} from "../OpenAiSettings.ts"
import { takesSampling } from "../Sampling.ts"
import { fittedUser, longestUser } from "../User.ts"
import { toolChoiceOf, writtenToolChoice } from "./ChatTools.ts"

const stopOf = (stop: Json | undefined): ReadonlyArray<string> | undefined => {
  const words = typeof stop === "string" ? [stop] : textsIn(stop)
  return words.length === 0 ? undefined : words
}

/** As llama.cpp and its like have it: a schema without a name, beside either type. */
const schemaAlone = (format: JsonObject | undefined): JsonObject | undefined => {
  const schema = objectIn(format?.["schema"])
  return schema === undefined || format?.["type"] === "text" ? undefined : { schema }
}

const formatOf = (format: JsonObject | undefined): AnswerFormat | undefined => {
  const schema = objectIn(format?.["json_schema"]) ?? schemaAlone(format)
  if (schema === undefined) return format?.["type"] === "json_object" ? { kind: "json_object" } : undefined
  return schemaFormatOf(schema)
}

const reasoningOf = (effort: string | undefined): ReasoningWish | undefined =>
  effort === undefined ? undefined : effort === "none" ? { mode: "off" } : { mode: "on", effort }

/** A penalty of nothing is none, which is so anyway. */
const penaltyIn = (value: Json | undefined): number | undefined => (value === 0 ? undefined : numberIn(value))

export const settingsOf = (body: JsonObject): Settings => ({
  ...settingsAlike(body),
  maxTokens: firstSetting(body, ["max_completion_tokens", "max_tokens"], capIn),
  topK: settingOf(numberIn(body["top_k"]), "top_k"),
  stop: settingOf(stopOf(body["stop"]), "stop"),
  seed: settingOf(numberIn(body["seed"]), "seed"),
  presencePenalty: settingOf(penaltyIn(body["presence_penalty"]), "presence_penalty"),
  frequencyPenalty: settingOf(penaltyIn(body["frequency_penalty"]), "frequency_penalty"),
  toolChoice: firstSetting(body, ["tool_choice", "function_call"], toolChoiceOf),
  format: settingOf(formatOf(objectIn(body["response_format"])), "response_format"),
  reasoning: settingOf(reasoningOf(textIn(body["reasoning_effort"])), "reasoning_effort"),
  verbosity: settingOf(textIn(body["verbosity"]), "verbosity"),
})

/** Members that are read elsewhere, or that mean nothing to another dialect. */
const read: ReadonlySet<string> = new Set([
  ...membersAlike,
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "functions",
  "max_completion_tokens",
  "max_tokens",
  "top_k",
  "stop",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "response_format",
  "reasoning_effort",
  "verbosity",
])

const essential: ReadonlySet<string> = new Set([
  "audio",
  "web_search_options",
  "tool_choice",
  "function_call",
])

/** What is not left out of an answer without making it another one. */
const isEssential = (name: string, value: Json): boolean => (name === "n" ? value !== 1 : essential.has(name))

/** An empty object in an essential member may be a switch, as in `web_search_options`. */
const isLeftUnsaid = (name: string, value: Json): boolean => {
  if (value === null) return true
  switch (name) {
    case "n":
      return value === 1
    // Answers of other dialects have no place for likelihoods.
    case "logprobs":
      return value === false
    case "top_logprobs":
      return value === 0
    case "modalities":
      return textsIn(value).every((one) => one === "text")
    case "tool_choice":
    case "function_call":
      return toolChoiceOf(value) !== undefined
    default:
      return read.has(name) || (saysNothing(value) && !essential.has(name))
  }
}

/** Members that no other dialect has. `null` says nothing. */
export const foreignOf = (body: JsonObject): ReadonlyArray<Loss> =>
  foreignMembers(body, isLeftUnsaid, isEssential)

const writtenFormat = (format: AnswerFormat): JsonObject => {
  if (format.kind === "json_object") return { type: "json_object" }
  const { description, name, schema, strict } = format
  return {
    type: "json_schema",
    json_schema: membersOf({ name: name ?? "answer", description, schema, strict }),
  }
}

/** What of these settings this model does not take. */
const tellUntaken = (
  { frequencyPenalty, presencePenalty, reasoning, temperature, topK, topP }: Settings,
  abilities: ModelAbilities,
  losses: Losses,
): void => {
  const tunes = takesSampling(abilities, reasoning?.value)
  const untaken = [
    ...(tunes ? [] : [temperature, topP, presencePenalty, frequencyPenalty]),
    ...(tunes && abilities.topK ? [] : [topK]),
  ]
  for (const one of untaken) if (one !== undefined) losses.tellUntaken(one.as)
}

/** As many words as are taken, the first of them. */
const stopFor = (
  stop: Setting<ReadonlyArray<string>> | undefined,
  { mostStops }: ModelAbilities,
  losses: Losses,
): ReadonlyArray<string> | undefined => {
  if (stop === undefined || mostStops === undefined || stop.value.length <= mostStops) return stop?.value
  if (mostStops === 0) {
    losses.tellUntaken(stop.as)
    return undefined
  }
  losses.tellInPart(stop.as)
  return stop.value.slice(0, mostStops)
}

/** @param freeForm the tools that take any text */
export const writtenSettings = (
  settings: Settings,
  abilities: ModelAbilities,
  freeForm: ReadonlySet<string>,
  losses: Losses,
): JsonObject => {
  const { format, maxTokens, reasoning, toolChoice } = settings
  const tunes = takesSampling(abilities, reasoning?.value)
  tellUntaken(settings, abilities, losses)
  return membersOf({
    [abilities.capMember]: maxTokens?.value,
    tool_choice: toolChoice === undefined ? undefined : writtenToolChoice(toolChoice.value, freeForm),
    ...writtenAlike(settings, tunes),
    top_k: tunes && abilities.topK ? settings.topK?.value : undefined,
    stop: stopFor(settings.stop, abilities, losses),
    seed: settings.seed?.value,
    presence_penalty: tunes ? settings.presencePenalty?.value : undefined,
    frequency_penalty: tunes ? settings.frequencyPenalty?.value : undefined,
    response_format: format === undefined ? undefined : writtenFormat(format.value),
    reasoning_effort: reasoning === undefined ? undefined : effortFor(reasoning, abilities, losses),
    verbosity: settings.verbosity?.value,
    user: fittedUser(settings.user, longestUser.chat, losses),
    // Nothing is kept unless it is said, and several servers know no such member.
    store: settings.store?.value === true ? true : undefined,
  })
}
