/** The blocks of a request's messages as parts: what the user gives, and the results of tools. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import type { FilePart, ImagePart, Source, TextPart, ToolResultPart, UserPart } from "../Part.ts"
import type { Reading } from "../Reading.ts"
import { foreignOf } from "./MessagesBlocks.ts"
import { marked } from "./MessagesReading.ts"

/** A text, unless it is empty, as several clients send them. */
export const textParts = (reading: Reading, block: JsonObject, path: string): Array<TextPart> => {
  const { text } = block
  if (typeof text !== "string") {
    reading.wrong(`${path}.text`, text === undefined ? "Field required" : "Input should be a valid string")
    return []
  }
  return text === "" ? [] : [marked({ kind: "text", text }, block)]
}

/** The blocks of a content, which may be a mere text. */
export const blocksIn = (
  reading: Reading,
  content: Json | undefined,
  path: string,
): ReadonlyArray<JsonObject> => {
  if (typeof content === "string") return [{ type: "text", text: content }]
  if (content === undefined) reading.missing(path)
  return reading.objects(content, path) ?? []
}

/** Texts alone, as instructions are. */
export const textsIn = (reading: Reading, content: Json | undefined, path: string): ReadonlyArray<TextPart> =>
  blocksIn(reading, content, path).flatMap((block, at) => {
    const place = `${path}.${at}`
    if (block["type"] === "text") return textParts(reading, block, place)
    reading.wrong(`${place}.type`, "Input should be 'text'")
    return []
  })

const sourceOf = (source: JsonObject): Source | undefined => {
  const { data, file_id: id, media_type: mediaType, type, url } = source
  if (type === "base64" && typeof data === "string" && typeof mediaType === "string")
    return { kind: "data", mediaType, base64: data }
  if (type === "url" && typeof url === "string") return { kind: "url", url }
  return type === "file" && typeof id === "string" ? { kind: "file", id } : undefined
}

const badSource = (reading: Reading, path: string): [] => {
  reading.wrong(`${path}.source`, "Input should be a valid source")
  return []
}

const imageParts = (reading: Reading, block: JsonObject, path: string): Array<ImagePart> => {
  const { source } = block
  const read = isJsonObject(source) ? sourceOf(source) : undefined
  return read === undefined ? badSource(reading, path) : [marked({ kind: "image", source: read }, block)]
}

type Given = TextPart | ImagePart | FilePart

/** What a document made of blocks is: its texts together, and its images. */
const contentOfDocument = (
  reading: Reading,
  content: Json | undefined,
  path: string,
): ReadonlyArray<Given> => {
  const blocks = blocksIn(reading, content, path)
  const texts = blocks.flatMap(({ text }) => (typeof text === "string" && text !== "" ? [text] : []))
  const images = blocks.flatMap((block, at) =>
    block["type"] === "image" ? imageParts(reading, block, `${path}.${at}`) : [],
  )
  const text = texts.join("\n\n")
  return [...(text === "" ? [] : [{ kind: "file", source: { kind: "text", text } } as const]), ...images]
}

const documentSource = (reading: Reading, source: JsonObject, path: string): ReadonlyArray<Given> => {
  const { content, data, type } = source
  if (type === "content") return contentOfDocument(reading, content, `${path}.source.content`)
  if (type === "text" && typeof data === "string")
    return data === "" ? [] : [{ kind: "file", source: { kind: "text", text: data } }]
  const read = sourceOf(source)
  return read === undefined ? badSource(reading, path) : [{ kind: "file", source: read }]
}

const documentParts = (reading: Reading, block: JsonObject, path: string): ReadonlyArray<Given> => {
  const { citations, context, source, title } = block
  if (typeof context === "string" && context !== "") reading.foreign.tell("messages.content.document.context")
  if (isJsonObject(citations) && citations["enabled"] === true)
    reading.foreign.tell("messages.content.document.citations")
  const read = isJsonObject(source) ? documentSource(reading, source, path) : badSource(reading, path)
  const name = typeof title === "string" && title !== "" ? { name: title } : {}
  return read.map((part) => marked(part.kind === "file" ? { ...part, ...name } : part, block))
}

/** What a search found, as a document that is given as it reads: where it was found, and what stands there. */
const foundParts = (reading: Reading, block: JsonObject, path: string): ReadonlyArray<FilePart> => {
  const { content, source, title } = block
  const texts = textsIn(reading, content, `${path}.content`).map(({ text }) => text)
  const text = [...(typeof source === "string" ? [source] : []), ...texts].join("\n\n")
  const name = typeof title === "string" && title !== "" ? { name: title } : {}
  return text === "" ? [] : [marked({ kind: "file", source: { kind: "text", text }, ...name }, block)]
}

/** What users and tools give alike; `undefined` for what else there is. */
const givenParts = (reading: Reading, block: JsonObject, path: string): ReadonlyArray<Given> | undefined => {
  switch (block["type"]) {
    case "text":
      return textParts(reading, block, path)
    case "image":
      return imageParts(reading, block, path)
    case "document":
      return documentParts(reading, block, path)
    case "search_result":
      return foundParts(reading, block, path)
    default:
      return undefined
  }
}

/** The type of a block; of one that has none, what it is called. */
export const typeOfBlock = (reading: Reading, { type }: JsonObject, path: string): string => {
  if (typeof type === "string" && type !== "") return type
  reading.missing(`${path}.type`)
  return "untyped"
}

const resultPart = (reading: Reading, block: JsonObject, path: string): ToolResultPart => {
  const { content, is_error: isError, tool_use_id: id } = block
  if (typeof id !== "string") reading.missing(`${path}.tool_use_id`)
  const blocks =
    content === undefined || content === null ? [] : blocksIn(reading, content, `${path}.content`)
  const parts = blocks.flatMap((one, at) => {
    const place = `${path}.content.${at}`
    const given = givenParts(reading, one, place)
    if (given === undefined)
      reading.foreign.tell(`messages.content.tool_result.${typeOfBlock(reading, one, place)}`)
    return given ?? []
  })
  return marked(
    {
      kind: "tool_result",
      id: typeof id === "string" ? id : "",
      parts,
      isError: isError === true,
      isFreeForm: false,
    },
    block,
  )
}

/** The parts of a user's message. */
export const userParts = (
  reading: Reading,
  content: Json | undefined,
  path: string,
): ReadonlyArray<UserPart> =>
  blocksIn(reading, content, path).flatMap((block, at): ReadonlyArray<UserPart> => {
    const place = isJsonArray(content) ? `${path}.${at}` : path
    if (block["type"] === "tool_result") return [resultPart(reading, block, place)]
    return givenParts(reading, block, place) ?? [foreignOf(typeOfBlock(reading, block, place))]
  })
