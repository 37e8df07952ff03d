/** What a request in Anthropic's dialect says of its answer: each member that others have, too. */
import { isJsonObject, type JsonObject } from "../../wire/Json.ts"
import type { AnswerFormat, ReasoningWish, Setting, Settings, ToolChoice } from "../Conversation.ts"
import { settingOf } from "../Members.ts"
import type { Reading } from "../Reading.ts"

/** 0 fills a cache and asks for no answer, which nobody else does. */
const maxTokensIn = (reading: Reading, { max_tokens: most }: JsonObject): Setting<number> | undefined => {
  if (most === undefined || most === null) return reading.missing("max_tokens")
  const value = reading.integer(most, "max_tokens")
  if (value !== undefined && value < 0)
    return reading.wrong("max_tokens", "Input should be greater than or equal to 0")
  if (value !== 0) return settingOf(value, "max_tokens")
  reading.foreign.tell("max_tokens", true)
  return undefined
}

const stopIn = (reading: Reading, body: JsonObject): Setting<ReadonlyArray<string>> | undefined => {
  const as = "stop_sequences"
  const words = reading.list(body[as], as)
  if (words === undefined || words.length === 0) return undefined
  const texts = words.filter((word) => typeof word === "string")
  return texts.length === words.length
    ? { value: texts, as }
    : reading.wrong(as, "Input should be an array of strings")
}

const choiceIn = (reading: Reading, choice: JsonObject): ToolChoice | undefined => {
  switch (choice["type"]) {
    case "auto":
    case "none":
      return { kind: choice["type"] }
    case "any":
      return { kind: "required" }
    case "tool": {
      const name = reading.text(choice["name"], "tool_choice.name")
      return name === undefined ? reading.missing("tool_choice.name") : { kind: "tool", name }
    }
    default:
      return reading.wrong("tool_choice.type", "Input should be 'auto', 'any', 'tool' or 'none'")
  }
}

const formatIn = (
  reading: Reading,
  body: JsonObject,
  config: JsonObject,
): Setting<AnswerFormat> | undefined => {
  // As it was called before it was a part of the other.
  const as = config["format"] === undefined ? "output_format" : "output_config.format"
  const format = reading.object(config["format"] ?? body["output_format"], as)
  if (format === undefined) return undefined
  const { schema, type } = format
  if (type !== "json_schema" || !isJsonObject(schema))
    return reading.wrong(as, "Input should be a 'json_schema' with its schema")
  const value = {
    kind: "json_schema",
    name: undefined,
    description: undefined,
    schema,
    strict: undefined,
  } as const
  return { value, as }
}

const toldBy: ReadonlyMap<unknown, ReasoningWish["told"]> = new Map([
  ["summarized", "auto"],
  ["omitted", "nothing"],
])

/** An effort alone says how much is thought where something is. */
const reasoningIn = (
  reading: Reading,
  body: JsonObject,
  config: JsonObject,
): Setting<ReasoningWish> | undefined => {
  const effort = reading.text(config["effort"], "output_config.effort")
  const thinking = reading.object(body["thinking"], "thinking")
  if (thinking === undefined)
    return effort === undefined ? undefined : { value: { mode: "on", effort }, as: "output_config.effort" }
  const { budget_tokens: most, display, type } = thinking
  if (type === "disabled") return { value: { mode: "off" }, as: "thinking" }
  if (type !== "enabled" && type !== "adaptive")
    return reading.wrong("thinking.type", "Input should be 'enabled', 'adaptive' or 'disabled'")
  const budget = type === "enabled" ? reading.integer(most, "thinking.budget_tokens") : undefined
  return {
    value: {
      mode: "on",
      effort,
      budget,
      told: toldBy.get(display),
    },
    as: "thinking",
  }
}

const userIn = (reading: Reading, { metadata }: JsonObject): Setting<string> | undefined => {
  const held = reading.object(metadata, "metadata") ?? {}
  for (const name in held) if (name !== "user_id") reading.foreign.tell(`metadata.${name}`)
  return settingOf(reading.text(held["user_id"], "metadata.user_id"), "metadata.user_id")
}

/** By which tariff, in OpenAI's words. */
const tierIn = (reading: Reading, body: JsonObject): Setting<string> | undefined => {
  const tier = reading.text(body["service_tier"], "service_tier")
  return settingOf(tier === "standard_only" ? "default" : tier, "service_tier")
}

export const settingsIn = (reading: Reading, body: JsonObject): Settings => {
  const config = reading.object(body["output_config"], "output_config") ?? {}
  const choice = reading.object(body["tool_choice"], "tool_choice")
  const isSerial = choice?.["disable_parallel_tool_use"] === true
  return {
    maxTokens: maxTokensIn(reading, body),
    temperature: settingOf(reading.number(body["temperature"], "temperature"), "temperature"),
    topP: settingOf(reading.number(body["top_p"], "top_p"), "top_p"),
    topK: settingOf(reading.integer(body["top_k"], "top_k"), "top_k"),
    stop: stopIn(reading, body),
    toolChoice: settingOf(choice === undefined ? undefined : choiceIn(reading, choice), "tool_choice"),
    parallelToolCalls: settingOf(isSerial ? false : undefined, "tool_choice.disable_parallel_tool_use"),
    format: formatIn(reading, body, config),
    reasoning: reasoningIn(reading, body, config),
    user: userIn(reading, body),
    serviceTier: tierIn(reading, body),
  }
}
