/** A whole answer in chat, read and written. */
import type { JsonObject } from "../../wire/Json.ts"
import type { NeutralAnswer, NeutralHead } from "../Answer.ts"
import type { AskedFor } from "../DialectForm.ts"
import { membersOf, momentIn, numberIn, objectIn, objectsIn, textIn } from "../Members.ts"
import type { AssistantPart, Citation, TextPart, ToolCallPart } from "../Part.ts"
import { countsOf, finishOf, writtenFinish, writtenUsage } from "./ChatFinish.ts"
import { writtenSeal } from "./ChatSeals.ts"
import { assistantPartsOf } from "./ChatTurns.ts"

const idPrefix = "chatcmpl-"

export const headOf = ({ created, id, model, service_tier: tier }: JsonObject): NeutralHead => ({
  id: (textIn(id) ?? "").replace(/^chatcmpl-/, ""),
  model: textIn(model) ?? "",
  createdAt: momentIn(created),
  serviceTier: textIn(tier),
})

export const citationOf = (annotation: JsonObject): Citation | undefined => {
  const { end_index: end, start_index: start, title, url } = objectIn(annotation["url_citation"]) ?? {}
  return typeof url === "string"
    ? { url, title: textIn(title) ?? "", start: numberIn(start) ?? 0, end: numberIn(end) ?? 0 }
    : undefined
}

/** Citations belong to the text, which is one in an answer. */
const withCitations = (
  parts: ReadonlyArray<AssistantPart>,
  message: JsonObject,
): ReadonlyArray<AssistantPart> => {
  const citations = objectsIn(message["annotations"]).flatMap((one) => citationOf(one) ?? [])
  const at = citations.length === 0 ? -1 : parts.findIndex(({ kind }) => kind === "text")
  return parts.map((part, index) => (index === at && part.kind === "text" ? { ...part, citations } : part))
}

/** Whoever guards the answer gives its calls ids that no other answer gives. */
const noId = (): string => ""

/** `DialectForm.readAnswer`: of the first choice, the only one that any other dialect can say. */
export const readAnswer = (answer: JsonObject): NeutralAnswer | undefined => {
  const [choice] = objectsIn(answer["choices"])
  const message = objectIn(choice?.["message"])
  if (choice === undefined || message === undefined) return undefined
  const parts = withCitations(assistantPartsOf(message, noId), message)
  const calls = parts.some(({ kind }) => kind === "tool_call")
  return {
    ...headOf(answer),
    parts,
    finish: finishOf(choice, calls) ?? (calls ? { kind: "tool_calls" } : { kind: "stop" }),
    counts: countsOf(answer["usage"]),
  }
}

export const idFor = ({ id }: NeutralHead): string => `${idPrefix}${id}`

/** @param before how many units of other texts the answer's text has before that of the part */
export const writtenCitation = ({ end, start, title, url }: Citation, before: number): JsonObject => ({
  type: "url_citation",
  url_citation: { url, title, start_index: before + start, end_index: before + end },
})

/** Of all texts, which are one here. */
const writtenCitations = (texts: ReadonlyArray<TextPart>): ReadonlyArray<JsonObject> => {
  let before = 0
  return texts.flatMap(({ citations = [], text }) => {
    const at = before
    before += text.length
    return citations.map((citation) => writtenCitation(citation, at))
  })
}

const writtenCall = ({ id, input, isFreeForm, name }: ToolCallPart): JsonObject =>
  isFreeForm
    ? { id, type: "custom", custom: { name, input } }
    : { id, type: "function", function: { name, arguments: input } }

const messageOf = (parts: ReadonlyArray<AssistantPart>, upstream: string): JsonObject => {
  const texts = parts.filter((part) => part.kind === "text")
  const refusals = parts.filter((part) => part.kind === "refusal")
  const reasoning = parts.filter((part) => part.kind === "reasoning")
  const calls = parts.filter((part) => part.kind === "tool_call")
  const told = reasoning.flatMap(({ texts: some }) => some.filter((text) => text !== "")).join("\n\n")
  const seals = reasoning.flatMap(({ seal }) => (seal === undefined ? [] : [writtenSeal(seal, upstream)]))
  return membersOf({
    role: "assistant",
    content: texts.length === 0 ? null : texts.map(({ text }) => text).join(""),
    refusal: refusals.length === 0 ? null : refusals.map(({ text }) => text).join(""),
    reasoning_content: told === "" ? undefined : told,
    reasoning_details: seals.length === 0 ? undefined : seals,
    tool_calls: calls.length === 0 ? undefined : calls.map(writtenCall),
    annotations: writtenCitations(texts),
  })
}

/** `DialectForm.writeAnswer` */
export const writeAnswer = (answer: NeutralAnswer, { askedAt, upstream }: AskedFor): JsonObject =>
  membersOf({
    id: idFor(answer),
    object: "chat.completion",
    created: answer.createdAt ?? askedAt,
    model: answer.model,
    service_tier: answer.serviceTier,
    choices: [
      {
        index: 0,
        message: messageOf(answer.parts, upstream),
        logprobs: null,
        finish_reason: writtenFinish(answer.finish),
      },
    ],
    usage: writtenUsage(answer.counts),
  })
