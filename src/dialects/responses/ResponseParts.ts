/** Parts of messages in responses, read and written. */
import type { Json, JsonObject } from "../../wire/Json.ts"
import { dataUrl, sourceOf } from "../DataUrl.ts"
import { type Losses, lost } from "../Losses.ts"
import { membersOf, numberIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import type {
  AssistantPart,
  CacheMark,
  Citation,
  FilePart,
  ForeignPart,
  GivenPart,
  ImagePart,
  InstructionPart,
  TextPart,
} from "../Part.ts"

export const foreignPart = (part: JsonObject, within = "input.content"): ForeignPart => ({
  kind: "foreign",
  as: `${within}.${textIn(part["type"]) ?? "part"}`,
})

const cacheOf = (part: JsonObject): { readonly cache?: CacheMark } => {
  const mark = objectIn(part["prompt_cache_breakpoint"])
  return mark === undefined ? {} : { cache: mark["ttl"] === "1h" ? "1h" : "5m" }
}

export const citationOf = (annotation: JsonObject): Citation | undefined => {
  const { end_index: end, start_index: start, title, type, url } = annotation
  return type === "url_citation" && typeof url === "string"
    ? { url, title: textIn(title) ?? "", start: numberIn(start) ?? 0, end: numberIn(end) ?? 0 }
    : undefined
}

export const writtenCitation = ({ end, start, title, url }: Citation): JsonObject => ({
  type: "url_citation",
  url,
  title,
  start_index: start,
  end_index: end,
})

/** Text under whichever of its names: each side has one of its own. */
export const textPartOf = (part: JsonObject): TextPart | undefined => {
  const text = saidIn(part["text"])
  if (text === undefined) return undefined
  const citations = objectsIn(part["annotations"]).flatMap((one) => citationOf(one) ?? [])
  return { kind: "text", text, ...(citations.length === 0 ? {} : { citations }), ...cacheOf(part) }
}

const imageOf = (part: JsonObject): ImagePart | undefined => {
  const { detail, file_id: id, image_url: url } = part
  const source =
    typeof url === "string"
      ? sourceOf(url)
      : typeof id === "string"
        ? ({ kind: "file", id } as const)
        : undefined
  if (source === undefined) return undefined
  // `auto` is what is meant where nothing is said.
  const said = detail === "auto" ? undefined : textIn(detail)
  return { kind: "image", source, ...(said === undefined ? {} : { detail: said }), ...cacheOf(part) }
}

/** Data of a file come as a data URL, or bare, which are a PDF's. */
const fileOf = (part: JsonObject): FilePart | undefined => {
  const { file_data: data, file_id: id, file_url: url, filename } = part
  const source =
    typeof data === "string"
      ? /^data:/i.test(data)
        ? sourceOf(data)
        : ({ kind: "data", mediaType: "application/pdf", base64: data } as const)
      : typeof url === "string"
        ? ({ kind: "url", url } as const)
        : typeof id === "string"
          ? ({ kind: "file", id } as const)
          : undefined
  const name = saidIn(filename)
  return source === undefined
    ? undefined
    : { kind: "file", source, ...(name === undefined ? {} : { name }), ...cacheOf(part) }
}

export const givenPartsOf = (
  content: Json | undefined,
  within?: string,
): ReadonlyArray<TextPart | ImagePart | FilePart | ForeignPart> => {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }]
  return objectsIn(content).flatMap((part) => {
    switch (part["type"]) {
      case "input_text":
      case "output_text":
      case "text":
        return textPartOf(part) ?? []
      case "input_image":
        return imageOf(part) ?? foreignPart(part, within)
      case "input_file":
        return fileOf(part) ?? foreignPart(part, within)
      default:
        return foreignPart(part, within)
    }
  })
}

/** Content that is text alone. */
export const instructionPartsOf = (content: Json | undefined): ReadonlyArray<InstructionPart> =>
  givenPartsOf(content).map((part) =>
    part.kind === "text" || part.kind === "foreign"
      ? part
      : { kind: "foreign", as: `input.content.input_${part.kind}` },
  )

/** What a message of the model says. */
export const spokenPartsOf = (content: Json | undefined): ReadonlyArray<AssistantPart> => {
  if (typeof content === "string") return content === "" ? [] : [{ kind: "text", text: content }]
  return objectsIn(content).flatMap((part): ReadonlyArray<AssistantPart> => {
    if (part["type"] === "refusal") {
      const text = saidIn(part["refusal"])
      return text === undefined ? [] : [{ kind: "refusal", text }]
    }
    if (part["type"] !== "output_text" && part["type"] !== "input_text") return [foreignPart(part)]
    const text = textPartOf(part)
    return text === undefined ? [] : [text]
  })
}

const writtenImage = ({ detail = "auto", source }: ImagePart, losses: Losses): ReadonlyArray<JsonObject> => {
  if (source.kind === "file") return lost(losses, "image.file_id")
  const url = source.kind === "url" ? source.url : dataUrl(source)
  return [{ type: "input_image", image_url: url, detail }]
}

/** Documents that are given as they read are written as text. */
const writtenFile = ({ name, source }: FilePart, losses: Losses): ReadonlyArray<JsonObject> => {
  switch (source.kind) {
    case "data":
      return [{ type: "input_file", filename: name ?? "document", file_data: dataUrl(source) }]
    case "url":
      return [membersOf({ type: "input_file", filename: name, file_url: source.url })]
    case "text":
      return [{ type: "input_text", text: name === undefined ? source.text : `${name}\n\n${source.text}` }]
    case "file":
      return lost(losses, "file.file_id")
  }
}

/** A part of what the user or a tool gives; nothing where it is lost. */
export const writtenPart = (part: GivenPart, losses: Losses): ReadonlyArray<JsonObject> => {
  switch (part.kind) {
    case "text":
      return [{ type: "input_text", text: part.text }]
    case "image":
      return writtenImage(part, losses)
    case "file":
      return writtenFile(part, losses)
    case "audio":
      return lost(losses, "input_audio")
    case "foreign":
      return lost(losses, part.as)
  }
}

export const writtenText = ({ citations = [], text }: TextPart): JsonObject => ({
  type: "output_text",
  annotations: citations.map(writtenCitation),
  logprobs: [],
  text,
})
