/** A request in no dialect: what is said so far, in order, what may be called, and how the answer is to be. */
import type { JsonObject } from "../wire/Json.ts"
import type { Loss } from "./Loss.ts"
import type { AssistantPart, InstructionPart, ToolCalling, UserPart } from "./Part.ts"

export interface Conversation {
  /** As the caller asked for it; a target is sent its own name for it. */
  readonly model: string
  readonly stream: boolean
  readonly turns: ReadonlyArray<Turn>
  readonly tools: ReadonlyArray<Tool>
  readonly settings: Settings
  /** Members that the caller's dialect alone has, by their names, of which nothing else is to be known. */
  readonly foreign: ReadonlyArray<Loss>
}

/** In their order, and never empty of parts. Two of one role may follow each other. */
export type Turn =
  /** Instructions of who wrote the program, at the beginning or later on. */
  | {
      readonly role: "instructions"
      readonly voice: "system" | "developer"
      readonly parts: ReadonlyArray<InstructionPart>
    }
  | { readonly role: "user"; readonly name?: string | undefined; readonly parts: ReadonlyArray<UserPart> }
  | { readonly role: "assistant"; readonly parts: ReadonlyArray<AssistantPart> }

/** What the caller said, and what the member is called in which it did. */
export interface Setting<A> {
  readonly value: A
  readonly as: string
}

/** All of it as the caller said it; what is absent was not said. */
export interface Settings {
  readonly maxTokens?: Setting<number> | undefined
  readonly temperature?: Setting<number> | undefined
  readonly topP?: Setting<number> | undefined
  readonly topK?: Setting<number> | undefined
  readonly stop?: Setting<ReadonlyArray<string>> | undefined
  readonly seed?: Setting<number> | undefined
  readonly presencePenalty?: Setting<number> | undefined
  readonly frequencyPenalty?: Setting<number> | undefined
  readonly toolChoice?: Setting<ToolChoice> | undefined
  readonly parallelToolCalls?: Setting<boolean> | undefined
  readonly format?: Setting<AnswerFormat> | undefined
  readonly reasoning?: Setting<ReasoningWish> | undefined
  /** How long the answer is to be: `low`, `medium`, `high`. */
  readonly verbosity?: Setting<string> | undefined
  /** Whom the request is made for, as the provider is to know them. */
  readonly user?: Setting<string> | undefined
  readonly metadata?: Setting<Readonly<Record<string, string>>> | undefined
  readonly serviceTier?: Setting<string> | undefined
  readonly promptCacheKey?: Setting<string> | undefined
  readonly promptCacheRetention?: Setting<string> | undefined
  readonly store?: Setting<boolean> | undefined
}

export type ToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "tool"; readonly name: string }
  /** Some of the tools only. */
  | {
      readonly kind: "allowed"
      readonly mode: "auto" | "required"
      readonly names: ReadonlyArray<string>
    }

/** The form of the answer's text; plain text where none is said. */
export type AnswerFormat =
  | {
      readonly kind: "json_schema"
      readonly name: string | undefined
      readonly description: string | undefined
      readonly schema: JsonObject
      readonly strict: boolean | undefined
    }
  | { readonly kind: "json_object" }

/** How much the model is to reason, and what is told of it. */
export interface ReasoningWish {
  /** `off`: not at all; `on`: as it sees fit, or as the others say. */
  readonly mode: "on" | "off"
  /** `minimal`, `low`, `medium`, `high`, `xhigh`, `max`. */
  readonly effort?: string | undefined
  /** Tokens at most. */
  readonly budget?: number | undefined
  /** What is told: a summary, in so much detail, or nothing. Absent: as the model does of itself. */
  readonly told?: "auto" | "concise" | "detailed" | "nothing" | undefined
}

export type Tool =
  | {
      readonly kind: "function"
      readonly name: string
      readonly description: string | undefined
      /** JSON Schema of its input; absent where it takes none. */
      readonly schema: JsonObject | undefined
      readonly strict: boolean | undefined
      readonly isCached: boolean
      readonly calling?: ToolCalling | undefined
    }
  /** Takes any text, or text of a grammar. */
  | {
      readonly kind: "free_form"
      readonly name: string
      readonly description: string | undefined
      /** Of OpenAI's two dialects, which write it differently: `{ type: "grammar", syntax, definition }`. */
      readonly grammar: { readonly syntax: string; readonly definition: string } | undefined
      readonly calling?: ToolCalling | undefined
    }
  /** Run by the provider, or known to the model by its type alone. */
  | (Loss & { readonly kind: "foreign" })
