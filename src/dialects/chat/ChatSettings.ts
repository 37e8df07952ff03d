/** How an answer is to be, as chat says it, read and written. */
import type { ModelAbilities } from "../../routing/ModelAbilities.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { AnswerFormat, ReasoningWish, Setting, Settings } from "../Conversation.ts"
import { effortFor } from "../Effort.ts"
import type { Loss } from "../Loss.ts"
import { type Losses, saysNothing } from "../Losses.ts"
import { booleanIn, capIn, membersOf, numberIn, objectIn, textIn, textsIn } from "../Members.ts"
import { takesSampling } from "../Sampling.ts"
import { fittedUser, longestUser } from "../User.ts"
import { toolChoiceOf, writtenToolChoice } from "./ChatTools.ts"

const said = <A>(value: A | undefined, as: string): Setting<A> | undefined =>
  value === undefined ? undefined : { value, as }

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
  return {
    kind: "json_schema",
    name: textIn(schema["name"]),
    description: textIn(schema["description"]),
    schema: objectIn(schema["schema"]) ?? {},
    strict: booleanIn(schema["strict"]),
  }
}

const reasoningOf = (effort: string | undefined): ReasoningWish | undefined =>
  effort === undefined ? undefined : effort === "none" ? { mode: "off" } : { mode: "on", effort }

/** No labels at all say nothing. */
const metadataOf = (metadata: JsonObject | undefined): Readonly<Record<string, string>> | undefined =>
  saysNothing(metadata)
    ? undefined
    : Object.fromEntries(
        Object.entries(metadata ?? {}).flatMap(([name, value]) =>
          typeof value === "string" ? [[name, value]] : [],
        ),
      )

/** A penalty of nothing is none, which is so anyway. */
const penaltyIn = (value: Json | undefined): number | undefined => (value === 0 ? undefined : numberIn(value))

/** The first of these that says something, and which. */
const firstOf = <A>(
  body: JsonObject,
  names: ReadonlyArray<string>,
  read: (value: Json | undefined) => A | undefined,
) => {
  for (const as of names) {
    const value = read(body[as])
    if (value !== undefined) return { value, as }
  }
  return undefined
}

export const settingsOf = (body: JsonObject): Settings => ({
  maxTokens: firstOf(body, ["max_completion_tokens", "max_tokens"], capIn),
  temperature: said(numberIn(body["temperature"]), "temperature"),
  topP: said(numberIn(body["top_p"]), "top_p"),
  topK: said(numberIn(body["top_k"]), "top_k"),
  stop: said(stopOf(body["stop"]), "stop"),
  seed: said(numberIn(body["seed"]), "seed"),
  presencePenalty: said(penaltyIn(body["presence_penalty"]), "presence_penalty"),
  frequencyPenalty: said(penaltyIn(body["frequency_penalty"]), "frequency_penalty"),
  toolChoice: firstOf(body, ["tool_choice", "function_call"], toolChoiceOf),
  parallelToolCalls: said(booleanIn(body["parallel_tool_calls"]), "parallel_tool_calls"),
  format: said(formatOf(objectIn(body["response_format"])), "response_format"),
  reasoning: said(reasoningOf(textIn(body["reasoning_effort"])), "reasoning_effort"),
  verbosity: said(textIn(body["verbosity"]), "verbosity"),
  user: firstOf(body, ["safety_identifier", "user"], textIn),
  metadata: said(metadataOf(objectIn(body["metadata"])), "metadata"),
  serviceTier: said(textIn(body["service_tier"]), "service_tier"),
  promptCacheKey: said(textIn(body["prompt_cache_key"]), "prompt_cache_key"),
  promptCacheRetention: said(textIn(body["prompt_cache_retention"]), "prompt_cache_retention"),
  store: said(booleanIn(body["store"]), "store"),
})

/** Members that are read elsewhere, or that mean nothing to another dialect. */
const read: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "tools",
  "functions",
  "max_completion_tokens",
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "parallel_tool_calls",
  "response_format",
  "reasoning_effort",
  "verbosity",
  "safety_identifier",
  "user",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "store",
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
  Object.entries(body).flatMap(([as, value]) =>
    isLeftUnsaid(as, value) ? [] : [{ as, isEssential: isEssential(as, value) }],
  )

const writtenFormat = (format: AnswerFormat): JsonObject => {
  if (format.kind === "json_object") return { type: "json_object" }
  const { description, name, schema, strict } = format
  return {
    type: "json_schema",
    json_schema: membersOf({ name: name ?? "answer", description, schema, strict }),
  }
}

const writtenTier = (tier: string): string => (tier === "standard_only" ? "default" : tier)

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
  const { format, maxTokens, reasoning, serviceTier, toolChoice } = settings
  const tunes = takesSampling(abilities, reasoning?.value)
  tellUntaken(settings, abilities, losses)
  return membersOf({
    [abilities.capMember]: maxTokens?.value,
    temperature: tunes ? settings.temperature?.value : undefined,
    top_p: tunes ? settings.topP?.value : undefined,
    top_k: tunes && abilities.topK ? settings.topK?.value : undefined,
    stop: stopFor(settings.stop, abilities, losses),
    seed: settings.seed?.value,
    presence_penalty: tunes ? settings.presencePenalty?.value : undefined,
    frequency_penalty: tunes ? settings.frequencyPenalty?.value : undefined,
    tool_choice: toolChoice === undefined ? undefined : writtenToolChoice(toolChoice.value, freeForm),
    parallel_tool_calls: settings.parallelToolCalls?.value,
    response_format: format === undefined ? undefined : writtenFormat(format.value),
    reasoning_effort: reasoning === undefined ? undefined : effortFor(reasoning, abilities, losses),
    verbosity: settings.verbosity?.value,
    user: fittedUser(settings.user, longestUser.chat, losses),
    metadata: settings.metadata?.value,
    service_tier: serviceTier === undefined ? undefined : writtenTier(serviceTier.value),
    prompt_cache_key: settings.promptCacheKey?.value,
    prompt_cache_retention: settings.promptCacheRetention?.value,
    // Nothing is kept unless it is said, and several servers know no such member.
    store: settings.store?.value === true ? true : undefined,
  })
}
