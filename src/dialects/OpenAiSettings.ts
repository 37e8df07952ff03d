/** How an answer is to be, as chat and responses say it alike, read and written. */
import type { Json, JsonObject } from "../wire/Json.ts"
import type { AnswerFormat, Settings } from "./Conversation.ts"
import type { Loss } from "./Loss.ts"
import { saysNothing } from "./Losses.ts"
import { booleanIn, firstSetting, membersOf, numberIn, objectIn, settingOf, textIn } from "./Members.ts"

/** The members that `settingsAlike` reads. */
export const membersAlike: ReadonlyArray<string> = [
  "temperature",
  "top_p",
  "parallel_tool_calls",
  "safety_identifier",
  "user",
  "metadata",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "store",
]

/** No labels at all say nothing. */
const metadataOf = (metadata: JsonObject | undefined): Readonly<Record<string, string>> | undefined =>
  saysNothing(metadata)
    ? undefined
    : Object.fromEntries(
        Object.entries(metadata ?? {}).flatMap(([name, value]) =>
          typeof value === "string" ? [[name, value]] : [],
        ),
      )

export const settingsAlike = (body: JsonObject): Settings => ({
  temperature: settingOf(numberIn(body["temperature"]), "temperature"),
  topP: settingOf(numberIn(body["top_p"]), "top_p"),
  parallelToolCalls: settingOf(booleanIn(body["parallel_tool_calls"]), "parallel_tool_calls"),
  user: firstSetting(body, ["safety_identifier", "user"], textIn),
  metadata: settingOf(metadataOf(objectIn(body["metadata"])), "metadata"),
  serviceTier: settingOf(textIn(body["service_tier"]), "service_tier"),
  promptCacheKey: settingOf(textIn(body["prompt_cache_key"]), "prompt_cache_key"),
  promptCacheRetention: settingOf(textIn(body["prompt_cache_retention"]), "prompt_cache_retention"),
  store: settingOf(booleanIn(body["store"]), "store"),
})

/** @param tunes the model takes `temperature` and `top_p` */
export const writtenAlike = (settings: Settings, tunes: boolean): JsonObject => {
  const tier = settings.serviceTier?.value
  return membersOf({
    temperature: tunes ? settings.temperature?.value : undefined,
    top_p: tunes ? settings.topP?.value : undefined,
    parallel_tool_calls: settings.parallelToolCalls?.value,
    metadata: settings.metadata?.value,
    service_tier: tier === "standard_only" ? "default" : tier,
    prompt_cache_key: settings.promptCacheKey?.value,
    prompt_cache_retention: settings.promptCacheRetention?.value,
  })
}

/** @param declared a schema with its name, wherever that stands */
export const schemaFormatOf = (declared: JsonObject): AnswerFormat => ({
  kind: "json_schema",
  name: textIn(declared["name"]),
  description: textIn(declared["description"]),
  schema: objectIn(declared["schema"]) ?? {},
  strict: booleanIn(declared["strict"]),
})

/** Members that no other dialect has. */
export const foreignMembers = (
  body: JsonObject,
  isLeftUnsaid: (name: string, value: Json) => boolean,
  isEssential: (name: string, value: Json) => boolean,
): ReadonlyArray<Loss> =>
  Object.entries(body).flatMap(([as, value]) =>
    isLeftUnsaid(as, value) ? [] : [{ as, isEssential: isEssential(as, value) }],
  )
