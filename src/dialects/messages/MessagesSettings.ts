/** What a conversation says of its answer, as members of a request in Anthropic's dialect. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { printedInput } from "../CallInput.ts"
import type { AnswerFormat, Setting, Settings } from "../Conversation.ts"
import type { Losses } from "../Losses.ts"
import { membersOf } from "../Members.ts"
import { asDigest, fittedUser, longestUser } from "../User.ts"
import type { HeldSchemas } from "./MessagesSchema.ts"

/** Settings that have no place there; a value that asks for nothing is not missed. */
const unspoken = [
  ["seed", undefined],
  ["presencePenalty", undefined],
  ["frequencyPenalty", undefined],
  ["verbosity", "medium"],
  ["metadata", undefined],
  ["store", false],
] as const

const tellUnspoken = (settings: Settings, losses: Losses): void => {
  for (const [name, nothing] of unspoken) {
    const setting = settings[name]
    if (setting !== undefined && setting.value !== nothing) losses.tell(setting.as)
  }
  for (const setting of [settings.promptCacheKey, settings.promptCacheRetention])
    if (setting !== undefined) losses.tellOfCaches(setting.as)
}

const between = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value))

/** @param thinks some take no sampling while they think, and then only one of temperature and nucleus */
const sampling = (
  { temperature, topK, topP }: Settings,
  { sampling: taken }: ModelAbilities,
  thinks: boolean,
  losses: Losses,
): JsonObject => {
  const isTaken = taken === "always" || (taken === "while_not_thinking" && !thinks)
  const tell = (setting: Setting<number> | undefined): undefined => {
    if (setting !== undefined) losses.tellUntaken(setting.as)
    return undefined
  }
  const warmth = isTaken ? temperature : tell(temperature)
  const nucleus = isTaken && (taken === "always" || warmth === undefined) ? topP : tell(topP)
  const most = isTaken ? topK : tell(topK)
  const capped = warmth === undefined ? undefined : between(warmth.value, 0, 1)
  if (warmth !== undefined && capped !== warmth.value) losses.tellInPart(warmth.as)
  return {
    ...(capped === undefined ? {} : { temperature: capped }),
    ...(nucleus === undefined ? {} : { top_p: nucleus.value }),
    ...(most === undefined ? {} : { top_k: most.value }),
  }
}

/** Blank words are refused. */
const stopWords = (stop: Setting<ReadonlyArray<string>> | undefined, losses: Losses): JsonObject => {
  if (stop === undefined) return {}
  const words = stop.value.filter((word) => word.trim() !== "")
  if (words.length < stop.value.length) losses.tellInPart(stop.as)
  return words.length === 0 ? {} : { stop_sequences: words }
}

/** Addresses and numbers of telephones are refused. */
const tellsWhoTheyAre = (user: string): boolean =>
  /\S@\S/.test(user) || (/^[+\d\s().-]+$/.test(user) && user.replace(/\D/g, "").length >= 7)

const userOf = (user: Setting<string> | undefined, losses: Losses): JsonObject => {
  if (user === undefined || user.value === "") return {}
  const id = tellsWhoTheyAre(user.value)
    ? asDigest(user, losses)
    : fittedUser(user, longestUser.messages, losses)
  return { metadata: membersOf({ user_id: id }) }
}

/** By which tariff. Anthropic knows whether it may be a dearer one. */
const tierFor = (tier: Setting<string> | undefined, losses: Losses): JsonObject => {
  if (tier === undefined) return {}
  const { as, value } = tier
  if (value === "default") return { service_tier: "standard_only" }
  if (value !== "auto" && value !== "priority") losses.tellInPart(as)
  return { service_tier: "auto" }
}

/** The form of the answer: held to, or told in instructions where it cannot be. */
export interface WrittenFormat {
  readonly format: JsonObject | undefined
  readonly instruction: string | undefined
}

const noFormat: WrittenFormat = { format: undefined, instruction: undefined }

const jsonAlone = "Answer with one JSON value alone: no other text before or after it, and no code fence."

/** `undefined` where its schema is nested deeper than can be printed. */
const told = (format: AnswerFormat): string | undefined => {
  if (format.kind === "json_object") return `${jsonAlone} It is an object.`
  const schema = printedInput(format.schema)
  return schema === undefined ? undefined : `${jsonAlone} It has to fit this JSON Schema:\n${schema}`
}

export const formatFor = (
  format: Setting<AnswerFormat> | undefined,
  held: HeldSchemas | undefined,
  losses: Losses,
): WrittenFormat => {
  if (format === undefined) return noFormat
  const { as, value } = format
  const schema = value.kind === "json_schema" ? held?.held(value.schema, true) : undefined
  if (schema !== undefined) return { format: { type: "json_schema", schema }, instruction: undefined }
  if (held === undefined && value.kind === "json_schema") losses.tellUntaken(as)
  else losses.tellInPart(as)
  const instruction = told(value)
  if (instruction === undefined) losses.tell(as, true)
  return { format: undefined, instruction }
}

const assumedMaxTokens = 8192

/** They have to be said, and those that are more than the model's most are refused. */
export const maxTokensFor = (
  { maxTokens }: Settings,
  { maxOutput }: ModelAbilities,
  losses: Losses,
): number => {
  if (maxTokens === undefined) return maxOutput ?? assumedMaxTokens
  const { as, value } = maxTokens
  const taken = between(Math.floor(value), 1, maxOutput ?? Number.MAX_SAFE_INTEGER)
  if (taken !== value) losses.tellInPart(as)
  return taken
}

/** All that depends on no other part of the request but whether the model thinks. */
export const writtenSettings = (
  settings: Settings,
  abilities: ModelAbilities,
  thinks: boolean,
  losses: Losses,
): JsonObject => {
  tellUnspoken(settings, losses)
  return {
    ...sampling(settings, abilities, thinks, losses),
    ...stopWords(settings.stop, losses),
    ...userOf(settings.user, losses),
    ...tierFor(settings.serviceTier, losses),
  }
}
