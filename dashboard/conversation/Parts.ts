/** The parts of a message, of every dialect at once: their types have different names, and none means two things. */
import { type Loose, listOf, mostLevels, objectOf, shownOf, textOf, tooDeep } from "./Loose.ts"
import type { TurnPart } from "./Turn.ts"

/** Pictures that are shown: their bytes are in the text, and browsers run nothing in these kinds. */
const shownPicture = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,/

/** A picture by its address, which is told and not asked: its bytes would come from somewhere else. */
const pictureAt = (address: string): TurnPart => {
  if (shownPicture.test(address)) {
    return { is: "picture", source: address, told: `picture, ${Math.round((address.length * 3) / 4000)} kB` }
  }
  const told = address.startsWith("data:") ? address.slice(0, 40) : address
  return { is: "picture", source: undefined, told: told === "" ? "picture" : `picture at ${told}` }
}

/** A source as the messages dialect has it. */
const messagesSource = (source: Loose): string =>
  source["type"] === "base64"
    ? `data:${textOf(source["media_type"])};base64,${textOf(source["data"])}`
    : textOf(source["url"])

const other = (kind: string, name: unknown): TurnPart => {
  const told = textOf(name)
  return { is: "other", told: told === "" ? kind : `${kind}: ${told}` }
}

const thinking = (part: Loose): ReadonlyArray<TurnPart> => {
  const text = textOf(part["thinking"]) || textOf(part["text"])
  return text === ""
    ? [{ is: "other", told: "thoughts that only their maker can read" }]
    : [{ is: "thinking", text }]
}

/** The result of a tool, whose parts may be results. */
const result = (part: Loose, levels: number): TurnPart => ({
  is: "result",
  id: textOf(part["tool_use_id"]),
  parts: levels === 0 ? [{ is: "other", told: tooDeep }] : partsOf(part["content"], levels - 1),
  isError: part["is_error"] === true,
})

const partOf = (value: unknown, levels: number): ReadonlyArray<TurnPart> => {
  if (typeof value === "string") return value === "" ? [] : [{ is: "text", text: value }]
  const part = objectOf(value)
  switch (part["type"]) {
    case "text":
    case "input_text":
    case "output_text":
    case "summary_text":
    case "reasoning_text":
      return partOf(textOf(part["text"]), levels)
    case "refusal":
      return [{ is: "refusal", text: textOf(part["refusal"]) }]
    case "thinking":
      return thinking(part)
    case "redacted_thinking":
      return [{ is: "other", told: "thoughts that only their maker can read" }]
    case "image_url":
      return [pictureAt(textOf(objectOf(part["image_url"])["url"]))]
    case "input_image":
      return [pictureAt(textOf(part["image_url"]) || textOf(part["file_id"]))]
    case "image":
      return [pictureAt(messagesSource(objectOf(part["source"])))]
    case "input_audio":
      return [other("sound", objectOf(part["input_audio"])["format"])]
    case "file":
      return [other("file", objectOf(part["file"])["filename"])]
    case "input_file":
      return [other("file", part["filename"])]
    case "document":
      return [other("document", part["title"])]
    case "tool_use":
    case "server_tool_use":
      return [
        { is: "call", name: textOf(part["name"]), id: textOf(part["id"]), input: shownOf(part["input"]) },
      ]
    case "tool_result":
      return [result(part, levels)]
    default:
      return [{ is: "other", told: shownOf(value).slice(0, 2_000) }]
  }
}

/** The parts of a content: a text, or a list. */
export const partsOf = (content: unknown, levels = mostLevels): ReadonlyArray<TurnPart> =>
  content === null || content === undefined
    ? []
    : Array.isArray(content)
      ? listOf(content).flatMap((part) => partOf(part, levels))
      : partOf(content, levels)
