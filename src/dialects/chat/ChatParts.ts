/** Parts of messages in chat, read and written. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import { dataUrl, sourceOf } from "../DataUrl.ts"
import { type Losses, lost } from "../Losses.ts"
import { membersOf, objectIn, objectsIn, textIn } from "../Members.ts"
import type {
  CacheMark,
  FilePart,
  ForeignPart,
  GivenPart,
  ImagePart,
  InstructionPart,
  TextPart,
} from "../Part.ts"

/** OpenAI's breakpoint, and the mark of those hosts that hand it on to Anthropic. */
const cacheOf = (part: JsonObject): { readonly cache?: CacheMark } => {
  const mark = objectIn(part["cache_control"]) ?? objectIn(part["prompt_cache_breakpoint"])
  if (mark === undefined) return {}
  return { cache: mark["ttl"] === "1h" ? "1h" : "5m" }
}

export const foreignPart = (part: JsonObject): ForeignPart => ({
  kind: "foreign",
  as: `messages.content.${textIn(part["type"]) ?? "part"}`,
})

export const textPartOf = (part: JsonObject): TextPart | undefined => {
  const text = textIn(part["text"])
  return text === undefined || text === "" ? undefined : { kind: "text", text, ...cacheOf(part) }
}

const imageOf = (part: JsonObject): ImagePart | undefined => {
  const image = objectIn(part["image_url"]) ?? { url: part["image_url"] ?? null }
  const source = sourceOf(textIn(image["url"]) ?? "data:,")
  const detail = textIn(image["detail"])
  return source === undefined
    ? undefined
    : { kind: "image", source, ...(detail === undefined ? {} : { detail }), ...cacheOf(part) }
}

const fileOf = (part: JsonObject): FilePart | undefined => {
  const file = objectIn(part["file"]) ?? {}
  const id = textIn(file["file_id"])
  const data = textIn(file["file_data"])
  const source =
    id === undefined ? (data === undefined ? undefined : sourceOf(data)) : ({ kind: "file", id } as const)
  const name = textIn(file["filename"])
  return source === undefined
    ? undefined
    : { kind: "file", source, ...(name === undefined ? {} : { name }), ...cacheOf(part) }
}

const partOf = (part: JsonObject): GivenPart | undefined => {
  switch (part["type"]) {
    case "text":
      return textPartOf(part)
    case "image_url":
      return imageOf(part) ?? foreignPart(part)
    case "file":
      return fileOf(part) ?? foreignPart(part)
    case "input_audio": {
      const audio = objectIn(part["input_audio"]) ?? {}
      const base64 = textIn(audio["data"])
      return base64 === undefined
        ? foreignPart(part)
        : { kind: "audio", format: textIn(audio["format"]) ?? "wav", base64 }
    }
    default:
      return foreignPart(part)
  }
}

/** Content of a user or of a tool, whether it is text or a list of parts. */
export const givenPartsOf = (content: Json | undefined): ReadonlyArray<GivenPart> => {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }]
  return objectsIn(content).flatMap((part) => partOf(part) ?? [])
}

/** Content that is text alone. */
export const instructionPartsOf = (content: Json | undefined): ReadonlyArray<InstructionPart> => {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }]
  return objectsIn(content).flatMap((part): ReadonlyArray<InstructionPart> => {
    if (part["type"] !== "text") return [foreignPart(part)]
    const text = textPartOf(part)
    return text === undefined ? [] : [text]
  })
}

const writtenImage = ({ detail, source }: ImagePart, losses: Losses): ReadonlyArray<JsonObject> => {
  if (source.kind === "file") return lost(losses, "image.file_id")
  const url = source.kind === "url" ? source.url : dataUrl(source)
  return [{ type: "image_url", image_url: membersOf({ url, detail }) }]
}

/** Documents that are given as they read are written as text. */
const writtenFile = ({ name, source }: FilePart, losses: Losses): ReadonlyArray<JsonObject> => {
  switch (source.kind) {
    case "data":
      return [{ type: "file", file: { filename: name ?? "document", file_data: dataUrl(source) } }]
    case "text":
      return [{ type: "text", text: name === undefined ? source.text : `${name}\n\n${source.text}` }]
    case "file":
      return lost(losses, "file.file_id")
    case "url":
      return lost(losses, "file.url")
  }
}

/** A part of a user's message; nothing where it is lost. */
export const writtenPart = (part: GivenPart, losses: Losses): ReadonlyArray<JsonObject> => {
  switch (part.kind) {
    case "text":
      return [{ type: "text", text: part.text }]
    case "image":
      return writtenImage(part, losses)
    case "file":
      return writtenFile(part, losses)
    case "audio":
      return [{ type: "input_audio", input_audio: { data: part.base64, format: part.format } }]
    case "foreign":
      return lost(losses, part.as)
  }
}
