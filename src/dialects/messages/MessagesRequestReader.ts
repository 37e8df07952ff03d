/** A request in Anthropic's dialect as a conversation. */
import * as Either from "effect/Either"
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isJsonObject, type JsonObject } from "../../wire/Json.ts"
import { hasInexact } from "../CallInput.ts"
import type { Conversation, Tool } from "../Conversation.ts"
import { saysNothing } from "../Losses.ts"
import type { Reading } from "../Reading.ts"
import { cacheOf, messagesReading } from "./MessagesReading.ts"
import { settingsIn } from "./MessagesSettingsReader.ts"
import { turnsIn } from "./MessagesTurnsReader.ts"

/** Members of a tool that others know, too. */
const ofTools: ReadonlySet<string> = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
])

const toolOf = (reading: Reading, tool: JsonObject, path: string): Tool => {
  const { input_schema: schema, type } = tool
  if (typeof type === "string" && type !== "custom") {
    // All tools are sent, so that none has to be looked for.
    const isEssential = !type.startsWith("tool_search_tool")
    return { kind: "foreign", as: `tools.${type}`, isEssential }
  }
  if (hasInexact(schema)) reading.foreign.tellInPart("tools.input_schema")
  const name = reading.text(tool["name"], `${path}.name`) ?? reading.missing(`${path}.name`)
  for (const member in tool) {
    if (!ofTools.has(member) && tool[member] !== null) reading.foreign.tell(`tools.${member}`)
  }
  return {
    kind: "function",
    name: name ?? "",
    description: reading.text(tool["description"], `${path}.description`),
    schema: reading.object(schema, `${path}.input_schema`),
    strict: reading.truth(tool["strict"], `${path}.strict`),
    isCached: cacheOf(tool) !== undefined,
  }
}

const toolsIn = (reading: Reading, { tools }: JsonObject): ReadonlyArray<Tool> =>
  (reading.objects(tools, "tools") ?? []).map((tool, at) => toolOf(reading, tool, `tools.${at}`))

/** Members that are read. */
const known: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "system",
  "stream",
  "tools",
  "tool_choice",
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "output_config",
  "output_format",
  "thinking",
  "metadata",
  "service_tier",
])

/** Members of which a value asks for nothing. */
const asksNothing: ReadonlyMap<string, unknown> = new Map([["speed", "standard"]])

/** What is left has no place with others. Servers of tools are tools, which the answer may depend on. */
const leaveOut = (reading: Reading, body: JsonObject): void => {
  for (const name in body) {
    const value = body[name]
    if (known.has(name) || saysNothing(value) || value === asksNothing.get(name)) continue
    reading.foreign.tell(name, name === "mcp_servers")
  }
  const config = body["output_config"]
  if (!isJsonObject(config)) return
  for (const name in config) {
    if (name !== "effort" && name !== "format" && config[name] !== null)
      reading.foreign.tell(`output_config.${name}`)
  }
}

export const readMessagesRequest = (body: JsonObject): Either.Either<Conversation, InvalidRequest> => {
  const reading = messagesReading()
  const model = reading.text(body["model"], "model") ?? reading.missing("model")
  const turns = turnsIn(reading, body)
  const tools = toolsIn(reading, body)
  const settings = settingsIn(reading, body)
  const stream = reading.truth(body["stream"], "stream") ?? false
  leaveOut(reading, body)
  return reading.fault === undefined
    ? Either.right({ model: model ?? "", stream, turns, tools, settings, foreign: reading.foreign.all })
    : Either.left(reading.fault)
}
