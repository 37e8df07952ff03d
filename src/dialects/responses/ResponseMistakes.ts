/** What is wrong with a request of responses: members that are not what they have to be, which would be lost in silence. */
import type { InvalidRequest } from "../../errors/RequestErrors.ts"
import { isJsonArray, type JsonObject } from "../../wire/Json.ts"
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
  instructions: "text",
  background: "boolean",
  temperature: "number",
  top_p: "number",
  top_logprobs: "integer",
  tool_choice: "text_or_object",
  parallel_tool_calls: "boolean",
  include: "array",
  safety_identifier: "text",
  user: "text",
  service_tier: "text",
  prompt_cache_key: "text",
  prompt_cache_retention: "text",
  store: "boolean",
}

const checkText = (reading: Reading, body: JsonObject): void => {
  const text = reading.object(body["text"], "text")
  if (text === undefined) return
  reading.check(text["verbosity"], "text.verbosity", "text")
  const within = "text.format"
  const format = reading.object(text["format"], within)
  if (format === undefined) return
  checkFormat(reading, format, within)
  checkMembers(reading, format, ofSchemas, within)
}

const checkReasoning = (reading: Reading, body: JsonObject): void => {
  const reasoning = reading.object(body["reasoning"], "reasoning")
  if (reasoning !== undefined)
    checkMembers(reading, reasoning, { effort: "text", summary: "text" }, "reasoning")
}

/** Tools of other types are told by their type. */
const checkTool = (reading: Reading, tool: JsonObject, path: string): void => {
  const { type } = tool
  reading.check(type, `${path}.type`, "text")
  if ((type ?? "function") === "function") checkFunction(reading, tool, path)
  if (type === "custom") checkName(reading, tool, path)
  if (type === "namespace") checkEach(reading, tool["tools"], `${path}.tools`, checkTool)
}

const roles = ["assistant", "system", "developer", "user"]

/** Several programs keep arguments as an object. */
const ofCalls: KindOf = { call_id: "text", arguments: "text_or_object", input: "text" }

/** Items of other types are told by their type. */
const checkItem = (reading: Reading, item: JsonObject, path: string): void => {
  const { content, output, role, type } = item
  reading.check(type, `${path}.type`, "text")
  switch (type ?? "message") {
    case "message":
      checkOneOf(reading, role, `${path}.role`, roles)
      checkContent(reading, content, `${path}.content`)
      return
    case "function_call":
    case "custom_tool_call":
      checkName(reading, item, path)
      checkMembers(reading, item, ofCalls, path)
      return
    case "function_call_output":
    case "custom_tool_call_output":
      reading.check(item["call_id"], `${path}.call_id`, "text")
      checkContent(reading, output, `${path}.output`)
      return
    case "reasoning":
      reading.objects(item["summary"], `${path}.summary`)
      reading.check(item["encrypted_content"], `${path}.encrypted_content`, "text")
      return
    case "additional_tools":
    case "tool_search_output":
      checkEach(reading, item["tools"], `${path}.tools`, checkTool)
  }
}

const checkInput = (reading: Reading, { input }: JsonObject): void => {
  reading.check(input, "input", "text_or_objects")
  if (input !== undefined && isJsonArray(input)) checkEach(reading, input, "input", checkItem)
}

/** The first mistake, as OpenAI says it. */
export const mistakeIn = (body: JsonObject): InvalidRequest | undefined => {
  const reading = openAiReading()
  checkInput(reading, body)
  checkMembers(reading, body, settings)
  checkCap(reading, body, "max_output_tokens")
  checkMetadata(reading, body)
  checkText(reading, body)
  checkReasoning(reading, body)
  checkEach(reading, body["tools"], "tools", checkTool)
  return reading.fault
}
