/** A whole answer as the events that tell it, and events put together to the answer that they told. */
import { mergeUsage, noUsage } from "../answer/Usage.ts"
import type { AnswerEvent, Finish, NeutralAnswer, NeutralHead, PartBeginning } from "./Answer.ts"
import { GrowingText } from "./GrowingText.ts"
import type { AssistantPart, Citation, ReasoningPart } from "./Part.ts"
import type { Seal } from "./Seal.ts"

const more = (text: string): ReadonlyArray<AnswerEvent> => (text === "" ? [] : [{ kind: "more", text }])

const reasoned = ({ seal, texts }: ReasoningPart): ReadonlyArray<AnswerEvent> => [
  ...texts.flatMap(
    (text, at): ReadonlyArray<AnswerEvent> => (at === 0 ? more(text) : [{ kind: "section" }, ...more(text)]),
  ),
  ...(seal === undefined ? [] : [{ kind: "sealed", seal } as const]),
]

const told = (part: PartBeginning, inner: ReadonlyArray<AnswerEvent>): ReadonlyArray<AnswerEvent> => [
  { kind: "part_begins", part },
  ...inner,
  { kind: "part_ends" },
]

/** The events of one part. */
export const eventsOfPart = (part: AssistantPart): ReadonlyArray<AnswerEvent> => {
  switch (part.kind) {
    case "text": {
      const { citations = [], text } = part
      return told({ kind: "text" }, [
        ...more(text),
        ...citations.map((citation) => ({ kind: "cited", citation }) as const),
      ])
    }
    case "refusal":
      return told({ kind: "refusal" }, more(part.text))
    case "reasoning":
      return told({ kind: "reasoning" }, reasoned(part))
    case "tool_call": {
      const { calling, id, input, isFreeForm, name } = part
      return told({ kind: "tool_call", id, name, isFreeForm, calling }, more(input))
    }
    // No dialect streams them.
    case "image":
    case "foreign":
      return []
  }
}

/** The events of an answer: each text in one. */
export const eventsOf = ({ counts, finish, parts, ...head }: NeutralAnswer): ReadonlyArray<AnswerEvent> => [
  { kind: "begins", head },
  ...parts.flatMap(eventsOfPart),
  { kind: "counts", counts },
  { kind: "ends", finish },
]

/** What is said within a part. */
export type WithinPart = Extract<AnswerEvent, { readonly kind: "more" | "section" | "sealed" | "cited" }>

/** A part as it is told. Mutable on purpose: one part, which may be told in a million pieces. */
export class ToldPart {
  readonly head: PartBeginning
  readonly #citations: Array<Citation> = []
  /** Those that are told to their end: of reasoning alone there may be several. */
  readonly #sections: Array<string> = []
  #text = new GrowingText()
  #seal: Seal | undefined

  constructor(head: PartBeginning) {
    this.head = head
  }

  /** Of the section that is being told. */
  get text(): string {
    return this.#text.text
  }

  /** Sections before it. */
  get sections(): number {
    return this.#sections.length
  }

  get citations(): number {
    return this.#citations.length
  }

  add(event: WithinPart): void {
    switch (event.kind) {
      case "more":
        this.#text.add(event.text)
        return
      case "cited":
        if (this.head.kind === "text") this.#citations.push(event.citation)
        return
      case "section":
        if (this.head.kind !== "reasoning") return
        this.#sections.push(this.text)
        this.#text = new GrowingText()
        return
      case "sealed":
        this.#seal = event.seal
    }
  }

  /** With all that was said until now. */
  part(): AssistantPart {
    const { head, text } = this
    switch (head.kind) {
      case "tool_call":
        return { ...head, input: text }
      case "text":
        return this.#citations.length === 0
          ? { kind: "text", text }
          : { kind: "text", text, citations: [...this.#citations] }
      case "refusal":
        return { kind: "refusal", text }
      case "reasoning": {
        const texts = this.#sections.length === 0 && text === "" ? [] : [...this.#sections, text]
        return this.#seal === undefined
          ? { kind: "reasoning", texts }
          : { kind: "reasoning", texts, seal: this.#seal }
      }
    }
  }
}

/** The answer that events told; `undefined` where they did not begin one, or did not come to its end. */
export const answerOf = (events: Iterable<AnswerEvent>): NeutralAnswer | undefined => {
  let head: NeutralHead | undefined
  let finish: Finish | undefined
  let counts = noUsage
  const parts: Array<ToldPart> = []
  for (const event of events) {
    switch (event.kind) {
      case "begins":
        head = event.head
        break
      case "part_begins":
        parts.push(new ToldPart(event.part))
        break
      case "counts":
        counts = mergeUsage(counts, event.counts)
        break
      case "ends":
        finish = event.finish
        break
      case "error":
        return undefined
      case "part_ends":
        break
      case "more":
      case "cited":
      case "section":
      case "sealed":
        parts.at(-1)?.add(event)
    }
  }
  return head === undefined || finish === undefined
    ? undefined
    : { ...head, parts: parts.map((told) => told.part()), finish, counts }
}
