/** What is wrong with a request in chat: members that are not what they have to be, which would be lost in silence. */
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import type { JsonObject } from "../../wire/Json.ts"
import {
  checkCap,
  checkContent,
  checkEach,
  checkFormat,
  checkFunction,
  checkMembers,
  checkMetadata,
  checkName,
  checkOneOf,
  type KindOf,
  ofSchemas,
  openAiReading,
} from "../OpenAiReading.ts"
import type { Reading } from "../Reading.ts"

const settings: KindOf = {
  model: "text",
  stream: "boolean",
  temperature: "number",
  top_p: "number",
  top_k: "number",
  stop: "text_or_texts",
  seed: "number",
  presence_penalty: "number",
  frequency_penalty: "number",
  logprobs: "boolean",
  top_logprobs: "integer",
  tool_choice: "text_or_object",
  function_call: "text_or_object",
  parallel_tool_calls: "boolean",
  reasoning_effort: "text",
  verbosity: "text",
  safety_identifier: "text",
  user: "text",
  service_tier: "text",
  prompt_cache_key: "text",
  prompt_cache_retention: "text",
  store: "boolean",
}

const checkResponseFormat = (reading: Reading, body: JsonObject): void => {
  const format = reading.object(body["response_format"], "response_format")
  if (format === undefined) return
  checkFormat(reading, format, "response_format")
  // Servers of open models take a schema here, of either type.
  if (reading.object(format["schema"], "response_format.schema") !== undefined) return
  if (format["type"] !== "json_schema") return
  const within = "response_format.json_schema"
  const declared = reading.object(format["json_schema"], within)
  if (declared === undefined) reading.missing(within)
  else checkMembers(reading, declared, ofSchemas, within)
}

/** Tools of other types are told by their type. */
const checkTool = (reading: Reading, tool: JsonObject, path: string): void => {
  const { custom, function: declared, type } = tool
  reading.check(type, `${path}.type`, "text")
  if ((type ?? "function") === "function") {
    const within = `${path}.function`
    const held = reading.object(declared, within)
    if (held === undefined) reading.missing(within)
    else checkFunction(reading, held, within)
  }
  if (type === "custom") {
    const within = `${path}.custom`
    const held = reading.object(custom, within)
    if (held === undefined) reading.missing(within)
    else checkName(reading, held, within)
  }
}

/** Several programs keep arguments as an object. */
const ofCalls: KindOf = { arguments: "text_or_object", input: "text" }

const checkCalled = (reading: Reading, called: JsonObject, within: string): void => {
  checkName(reading, called, within)
  checkMembers(reading, called, ofCalls, within)
}

const checkCall = (reading: Reading, call: JsonObject, path: string): void => {
  reading.check(call["id"], `${path}.id`, "text")
  const custom = reading.object(call["custom"], `${path}.custom`)
  const declared = reading.object(call["function"], `${path}.function`)
  if (custom !== undefined) checkCalled(reading, custom, `${path}.custom`)
  else if (declared !== undefined) checkCalled(reading, declared, `${path}.function`)
  else reading.missing(`${path}.function`)
}

const roles = ["system", "developer", "user", "assistant", "tool", "function"]

const ofMessages: KindOf = { name: "text", refusal: "text", tool_call_id: "text", function_call: "object" }

const checkMessage = (reading: Reading, message: JsonObject, path: string): void => {
  checkOneOf(reading, message["role"], `${path}.role`, roles)
  checkContent(reading, message["content"], `${path}.content`)
  checkMembers(reading, message, ofMessages, path)
  checkEach(reading, message["tool_calls"], `${path}.tool_calls`, checkCall)
}

const checkMessages = (reading: Reading, { messages }: JsonObject): void => {
  if (messages === undefined || messages === null) reading.missing("messages")
  checkEach(reading, messages, "messages", checkMessage)
}

/** The first mistake, as OpenAI says it. */
export const mistakeIn = (body: JsonObject): InvalidRequest | undefined => {
  const reading = openAiReading()
  checkMessages(reading, body)
  checkMembers(reading, body, settings)
  checkCap(reading, body, "max_tokens")
  checkCap(reading, body, "max_completion_tokens")
  checkMetadata(reading, body)
  checkResponseFormat(reading, body)
  checkEach(reading, body["tools"], "tools", checkTool)
  checkEach(reading, body["functions"], "functions", checkFunction)
  return reading.fault
}
