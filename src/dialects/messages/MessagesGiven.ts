/** What users and tools give, as blocks: texts, images, documents. */
import type { JsonObject } from "../../wire/Json.ts"
import type { Losses } from "../Losses.ts"
import type { CacheMark, FilePart, GivenPart, ImagePart, TextPart } from "../Part.ts"

/** A block that ends with a mark where its part did. */
export const withMark = (block: JsonObject, cache: CacheMark | undefined): JsonObject =>
  cache === undefined
    ? block
    : { ...block, cache_control: { type: "ephemeral", ...(cache === "1h" ? { ttl: cache } : {}) } }

/** Blank texts are refused. */
export const textBlocks = ({ cache, text }: TextPart): ReadonlyArray<JsonObject> =>
  text.trim() === "" ? [] : [withMark({ type: "text", text }, cache)]

const imageTypes: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"])

/** A type without its parameters, as it is called by rights. */
const plainType = (mediaType: string): string => {
  const [type = ""] = mediaType.toLowerCase().split(";")
  return type.trim() === "image/jpg" ? "image/jpeg" : type.trim()
}

const base64 = (mediaType: string, data: string): JsonObject => ({
  type: "base64",
  media_type: mediaType,
  data,
})

const imageSource = ({ source }: ImagePart): JsonObject | undefined => {
  switch (source.kind) {
    case "data": {
      const type = plainType(source.mediaType)
      return imageTypes.has(type) ? base64(type, source.base64) : undefined
    }
    case "url":
      return /^https?:/i.test(source.url) ? { type: "url", url: source.url } : undefined
    // Of another provider.
    case "file":
      return undefined
  }
}

const imageBlocks = (part: ImagePart, losses: Losses): ReadonlyArray<JsonObject> => {
  const source = imageSource(part)
  if (source === undefined) {
    losses.tell(part.source.kind === "file" ? "image.file_id" : "image", true)
    return []
  }
  if (part.detail !== undefined && part.detail !== "auto") losses.tellInPart("image.detail")
  return [withMark({ type: "image", source }, part.cache)]
}

const isText = (type: string): boolean =>
  type.startsWith("text/") || /[/+](?:json|xml|yaml|x-yaml|javascript|toml)$/.test(type)

const plainText = (data: string): JsonObject => ({ type: "text", media_type: "text/plain", data })

/** PDFs as they are, and what is text as it reads. */
const documentSource = ({ source }: FilePart): JsonObject | undefined => {
  switch (source.kind) {
    case "text":
      return plainText(source.text)
    case "data": {
      const type = plainType(source.mediaType)
      if (type === "application/pdf") return base64(type, source.base64)
      return isText(type) ? plainText(Buffer.from(source.base64, "base64").toString("utf8")) : undefined
    }
    case "url":
      return /^https?:/i.test(source.url) ? { type: "url", url: source.url } : undefined
    case "file":
      return undefined
  }
}

const documentBlocks = (part: FilePart, losses: Losses): ReadonlyArray<JsonObject> => {
  const { cache, name } = part
  const source = documentSource(part)
  if (source === undefined) {
    losses.tell(part.source.kind === "file" ? "file.file_id" : "file", true)
    return []
  }
  if (source["data"] === "") return []
  const title = name === undefined || name === "" ? {} : { title: name }
  return [withMark({ type: "document", source, ...title }, cache)]
}

export const givenBlocks = (part: GivenPart, losses: Losses): ReadonlyArray<JsonObject> => {
  switch (part.kind) {
    case "text":
      return textBlocks(part)
    case "image":
      return imageBlocks(part, losses)
    case "file":
      return documentBlocks(part, losses)
    case "audio":
      losses.tell("input_audio", true)
      return []
    case "foreign":
      losses.tell(part.as, true)
      return []
  }
}
