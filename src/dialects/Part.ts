/**
 * What turns and answers are made of, in no dialect: ordered parts, each of which any dialect can say that knows its kind. Readers make them, writers say
 * them; what a writer cannot say it reports (Loss.ts), by the name that the caller has for it.
 */
import type { Seal } from "./Seal.ts"

/** Where what is no text is. */
export type Source =
  | { readonly kind: "data"; readonly mediaType: string; readonly base64: string }
  | { readonly kind: "url"; readonly url: string }
  /** A file that was given to a provider before, which nobody else has. */
  | { readonly kind: "file"; readonly id: string }

/** The conversation up to and with this part is to be cached, for five minutes or an hour. */
export type CacheMark = "5m" | "1h"

interface Marked {
  readonly cache?: CacheMark | undefined
}

export interface TextPart extends Marked {
  readonly kind: "text"
  readonly text: string
  /** What it refers to, as chat and responses know it: none is lost among those two. */
  readonly citations?: ReadonlyArray<Citation>
}

/** A page on the web that a text refers to. Offsets are UTF-16 units of the text of its part. */
export interface Citation {
  readonly url: string
  readonly title: string
  readonly start: number
  readonly end: number
}

export interface ImagePart extends Marked {
  readonly kind: "image"
  readonly source: Source
  /** How closely it is to be looked at: `low`, `high`, `auto`, `original`. */
  readonly detail?: string | undefined
}

/** A document, as a rule a PDF. */
export interface FilePart extends Marked {
  readonly kind: "file"
  /** `text` is a document that is given as it reads. */
  readonly source: Source | { readonly kind: "text"; readonly text: string }
  /** Its title, or the name of the file. */
  readonly name?: string | undefined
}

export interface AudioPart {
  readonly kind: "audio"
  /** Such as `wav` or `mp3`. */
  readonly format: string
  readonly base64: string
}

/** The model says why it does not answer. */
export interface RefusalPart {
  readonly kind: "refusal"
  readonly text: string
}

export interface ReasoningPart {
  readonly kind: "reasoning"
  /** What is told of it: several where it is told in sections. Empty where only its seal is given. */
  readonly texts: ReadonlyArray<string>
  /** Only what a target could take back: a reader of requests leaves out seals of its own dialect, which mean nothing in another. */
  readonly seal?: Seal | undefined
}

/** How responses say the call of a tool, where its name is not all of it. */
export type ToolCalling =
  /** The tool is one of several that have a name together. Its own is `name`. */
  | { readonly kind: "in_namespace"; readonly namespace: string; readonly name: string }
  /** The tool looks for others, in an item of its own. */
  | { readonly kind: "search" }

export interface ToolCallPart extends Marked {
  readonly kind: "tool_call"
  readonly id: string
  /** All of it, by which no other tool is called. */
  readonly name: string
  /** JSON as a rule; any text of a free-form tool. */
  readonly input: string
  readonly isFreeForm: boolean
  readonly calling?: ToolCalling | undefined
}

export interface ToolResultPart extends Marked {
  readonly kind: "tool_result"
  /** Of the call. */
  readonly id: string
  readonly parts: ReadonlyArray<GivenPart>
  readonly isError: boolean
  readonly isFreeForm: boolean
}

/** What its dialect alone can say. */
export interface ForeignPart {
  readonly kind: "foreign"
  /** Its type, as the caller calls it. */
  readonly as: string
}

/** What users and tools give alike. */
export type GivenPart = TextPart | ImagePart | FilePart | AudioPart | ForeignPart

export type UserPart = GivenPart | ToolResultPart

/** What instructions are made of: texts, as far as a dialect knows. */
export type InstructionPart = TextPart | ForeignPart

export type AssistantPart = TextPart | RefusalPart | ReasoningPart | ToolCallPart | ImagePart | ForeignPart

export type Part = UserPart | AssistantPart
