/** How another upstream resumes a streamed answer that broke off, in the events of one grammar. */
import type { Running } from "../wire/Machine.ts"
import type { SseEvent } from "../wire/Sse.ts"

/** What is known of the upstream that began an answer. */
export interface AnswerBeginning {
  /** Its `special_prefix`, `""` where it has none: it may open the block of thinking that the answer only closes. */
  readonly prefix: string
  /** The names of the tags of its thinking. */
  readonly tags: ReadonlyArray<string>
}

/** What an event means for whether its answer can be resumed. */
export type Seen =
  /** It is part of what is resumed from. */
  | "part"
  /** The answer is complete, or can no longer be resumed. */
  | "over"
  /** The answer breaks off with it. */
  | { readonly error: string }

/** Where an answer that broke off is resumed from. */
export interface ResumePoint {
  /** The text to resume from; `""` where the answer is to begin anew. */
  readonly text: string
  /** Makes the events of the upstream that resumes it those of the answer that broke off. */
  readonly joined: () => Running<SseEvent, SseEvent>
}

export interface ResumeRules {
  readonly seen: (event: SseEvent) => Seen
  /** From the data of the events that are part of it; `undefined` where it cannot be resumed. */
  readonly pointAfter: (
    beginning: AnswerBeginning,
    datas: ReadonlyArray<Uint8Array>,
  ) => ResumePoint | undefined
}
