/**
 * The inputs of a message's calls, which are JSON there and texts elsewhere, taken out of the message's own text and put into it: read and printed anew,
 * a whole number of 64 bits would be another one.
 */
import { isJsonObject, type Json } from "../../wire/Json.ts"
import { parseObject } from "../../wire/JsonBytes.ts"
import { elementTexts, memberText, onOneLine, replaceElements, replaceMembers } from "../../wire/JsonText.ts"
import { hasInexact } from "../CallInput.ts"
import type { AssistantPart } from "../Part.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const isCall = (block: Json | undefined): boolean => isJsonObject(block) && block["type"] === "tool_use"

/**
 * The texts of the blocks' inputs, by the places of the blocks.
 *
 * @param bytes of the message, looked at where it has calls
 */
export const inputTexts = (
  bytes: Uint8Array,
  content: ReadonlyArray<Json>,
): ReadonlyArray<string | undefined> => {
  if (!content.some(isCall)) return []
  const blocks = elementTexts(memberText(decoder.decode(bytes), "content") ?? "[]")
  return content.map((block, at) => {
    const input = isCall(block) ? memberText(blocks[at] ?? "{}", "input") : undefined
    return input === undefined || input === "null" ? undefined : onOneLine(input)
  })
}

/** An input that is another one once it is read and printed. */
const isChanged = (input: string): boolean => {
  const read = parseObject(encoder.encode(input))
  return read !== undefined && hasInexact(read)
}

/**
 * A message with the inputs of its calls as they were said: the same bytes, nearly always.
 *
 * @param bytes of the message that was written of these parts
 */
export const withExactInputs = (bytes: Uint8Array, parts: ReadonlyArray<AssistantPart>): Uint8Array => {
  const inputs = parts.flatMap((part) => (part.kind === "tool_call" ? [part.input] : []))
  if (!inputs.some(isChanged)) return bytes
  const text = decoder.decode(bytes)
  const content = memberText(text, "content") ?? "[]"
  const blocks: unknown = JSON.parse(content)
  const said = inputs.values()
  const exact = replaceElements(content, (block, at) => {
    if (!Array.isArray(blocks) || !isCall(blocks[at])) return block
    const input = said.next().value
    return input !== undefined && isChanged(input) ? replaceMembers(block, [["input", input]]) : block
  })
  return encoder.encode(replaceMembers(text, [["content", exact]]))
}
