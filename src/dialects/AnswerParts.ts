/** A whole answer as the events that tell it, and events put together to the answer that they told. */
import { mergeUsage, noUsage } from "../answer/Usage.ts"
import type { AnswerEvent, Finish, NeutralAnswer, NeutralHead, PartBeginning } from "./Answer.ts"
import type { AssistantPart, ReasoningPart } from "./Part.ts"

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

/** A part of which nothing is said yet. */
export const opened = (head: PartBeginning): AssistantPart =>
  head.kind === "tool_call"
    ? { ...head, input: "" }
    : head.kind === "reasoning"
      ? { kind: "reasoning", texts: [] }
      : { kind: head.kind, text: "" }

const longer = (part: AssistantPart, text: string): AssistantPart => {
  switch (part.kind) {
    case "text":
    case "refusal":
      return { ...part, text: part.text + text }
    case "tool_call":
      return { ...part, input: part.input + text }
    case "reasoning": {
      const { texts } = part
      return { ...part, texts: [...texts.slice(0, -1), (texts.at(-1) ?? "") + text] }
    }
    case "image":
    case "foreign":
      return part
  }
}

/** A part with what was said within it. */
export const changedBy = (
  part: AssistantPart,
  event: Extract<AnswerEvent, { readonly kind: "more" | "section" | "sealed" | "cited" }>,
): AssistantPart => {
  switch (event.kind) {
    case "more":
      return longer(part, event.text)
    case "cited":
      return part.kind === "text" ? { ...part, citations: [...(part.citations ?? []), event.citation] } : part
    case "section":
      return part.kind === "reasoning" ? { ...part, texts: [...part.texts, ""] } : part
    case "sealed":
      return part.kind === "reasoning" ? { ...part, seal: event.seal } : part
  }
}

/** The answer that events told; `undefined` where they did not begin one, or did not come to its end. */
export const answerOf = (events: Iterable<AnswerEvent>): NeutralAnswer | undefined => {
  let head: NeutralHead | undefined
  let finish: Finish | undefined
  let counts = noUsage
  const parts: Array<AssistantPart> = []
  for (const event of events) {
    switch (event.kind) {
      case "begins":
        head = event.head
        break
      case "part_begins":
        parts.push(opened(event.part))
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
      case "sealed": {
        const last = parts.pop()
        if (last !== undefined) parts.push(changedBy(last, event))
      }
    }
  }
  return head === undefined || finish === undefined ? undefined : { ...head, parts, finish, counts }
}
