/** An answer in no dialect, whole or as it comes. The parts of a stream, joined, are those of the whole: a law of every reader and writer. */
import type { Usage } from "../answer/Usage.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import type { AssistantPart, Citation, ToolCalling } from "./Part.ts"
import type { Seal } from "./Seal.ts"

/** What an answer says of itself. */
export interface NeutralHead {
  /** Without what its dialect begins ids with. Readers of whole answers leave it empty where there is none; whoever has it read gives it the request's. */
  readonly id: string
  /** As its provider calls it. */
  readonly model: string
  /** Seconds since 1970; `undefined` where the dialect does not say. */
  readonly createdAt: number | undefined
  readonly serviceTier: string | undefined
}

/** Of an answer of which nothing is known. */
export const noHead: NeutralHead = { id: "", model: "", createdAt: undefined, serviceTier: undefined }

/** Why an answer ended. */
export type Finish =
  | { readonly kind: "stop" | "length" | "tool_calls" | "refused" }
  /** One of the words that were to end it. */
  | { readonly kind: "stop_word"; readonly word: string }

/** What was being told then stands as it is: nobody says that it was whole. */
export const isCut = ({ kind }: Finish): boolean => kind === "length" || kind === "refused"

/** Inclusive counts, as OpenAI's dialects have them: `inputTokens` counts what was read from a cache and written into one, `outputTokens` what was reasoned. */
export type Counts = Usage

export interface NeutralAnswer extends NeutralHead {
  readonly parts: ReadonlyArray<AssistantPart>
  readonly finish: Finish
  readonly counts: Counts
}

/**
 * A streamed answer, event by event: `begins`, then parts one after the other, never two at once, then `ends`, with `counts` anywhere between. What comes
 * to its end without `ends` was cut.
 */
export type AnswerEvent =
  | { readonly kind: "begins"; readonly head: NeutralHead }
  | { readonly kind: "part_begins"; readonly part: PartBeginning }
  /** More of the text, the reasoning, the refusal or the input of the part that began last. Never empty. */
  | { readonly kind: "more"; readonly text: string }
  /** What the text of the part refers to, which it said before. */
  | { readonly kind: "cited"; readonly citation: Citation }
  /** The next section of what is told of reasoning. */
  | { readonly kind: "section" }
  /** Comes at most once in a part of reasoning, behind its texts. */
  | { readonly kind: "sealed"; readonly seal: Seal }
  | { readonly kind: "part_ends" }
  /** So far; of each count the last word (`mergeUsage`). */
  | { readonly kind: "counts"; readonly counts: Counts }
  | { readonly kind: "ends"; readonly finish: Finish }
  /** Told by the upstream in place of the rest. */
  | { readonly kind: "error"; readonly error: ShapedError }

export type PartBeginning =
  | { readonly kind: "text" | "refusal" | "reasoning" }
  | {
      readonly kind: "tool_call"
      readonly id: string
      readonly name: string
      readonly isFreeForm: boolean
      readonly calling?: ToolCalling | undefined
    }
