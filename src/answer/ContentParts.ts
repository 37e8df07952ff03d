/**
 * Content that is a list of parts, as Mistral's models that reason send it: text parts are content, thinking parts are reasoning, and all others stay
 * where they are.
 */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import type { Piece } from "./Piece.ts"

const textTypes: ReadonlySet<Json | undefined> = new Set(["text", "output_text"])

/** The text of a text part; `undefined` of any other. */
export const textOfPart = (part: Json): string | undefined => {
  if (!isJsonObject(part) || !textTypes.has(part["type"])) return undefined
  return typeof part["text"] === "string" ? part["text"] : undefined
}

/** The thoughts of a part, as a text or as a list of text parts; `undefined` where it is none that can be read. */
export const thoughtsOfPart = (part: Json): string | undefined => {
  if (!isJsonObject(part)) return undefined
  const type = part["type"]
  const thoughts =
    type === "thinking"
      ? part["thinking"]
      : type === "reasoning"
        ? (part["reasoning"] ?? part["text"])
        : undefined
  if (typeof thoughts === "string") return thoughts
  return isJsonArray(thoughts) ? thoughts.map((one) => textOfPart(one) ?? "").join("") : undefined
}

/** Whether a text part says nothing but its text. */
export const isBareText = (part: Json): boolean => isJsonObject(part) && isBare(part)

const isBare = (part: JsonObject): boolean =>
  part["type"] === "text" && typeof part["text"] === "string" && Object.keys(part).length === 2

/** Whether a thinking part is a list of bare texts, and says nothing else. */
export const isBareThought = (part: Json): boolean => {
  if (!isJsonObject(part) || part["type"] !== "thinking" || Object.keys(part).length !== 2) return false
  const thoughts = part["thinking"]
  return isJsonArray(thoughts) && thoughts.every(isBareText)
}

/** A list of parts under way, and the reasoning that was taken out of it. */
export class PartsWriter {
  readonly #parts: Array<Json> = []
  #reasoning = ""

  get reasoning(): string {
    return this.#reasoning
  }

  /** The parts as one text where they are nothing else. */
  get content(): Json {
    const parts: ReadonlyArray<Json> = this.#parts
    return parts.every(isBareText) ? parts.map((part) => textOfPart(part) ?? "").join("") : parts
  }

  get parts(): ReadonlyArray<Json> {
    return this.#parts
  }

  keep(part: Json): void {
    this.#parts.push(part)
  }

  /** What a text part came to: the part itself where that is its text. */
  replace(part: JsonObject, pieces: ReadonlyArray<Piece>): void {
    const text = this.#contentOf(pieces)
    if (text === part["text"]) this.#parts.push(part)
    else if (text !== "" || !isBare(part)) this.#parts.push({ ...part, text })
  }

  /** Text that belongs to no part of the upstream. */
  add(pieces: ReadonlyArray<Piece>): void {
    const text = this.#contentOf(pieces)
    if (text !== "") this.#parts.push({ type: "text", text })
  }

  #contentOf(pieces: ReadonlyArray<Piece>): string {
    let content = ""
    for (const { field, text } of pieces) {
      if (field === "content") content += text
      else this.#reasoning += text
    }
    return content
  }
}
