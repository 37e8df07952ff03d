/** Generated answers, plain and as the streams an upstream could have sent in their place: cut anywhere, choices interleaved. */
import fc from "fast-check"
import type { AnswerShape } from "../../src/answer/AnswerShape.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { completionShape } from "../../src/operations/completions/CompletionShape.ts"
import type { JsonObject } from "../../src/wire/Json.ts"

/** What one choice says. */
export interface Said {
  readonly content: string | null
  readonly reasoning: string | undefined
  /** Names and arguments of tool calls. */
  readonly calls: ReadonlyArray<readonly [name: string, args: string]>
  readonly finishReason: string
}

/** Texts in which tags, halves of tags, line ends, quotes, and characters of every width meet. */
export const textArb: fc.Arbitrary<string> = fc
  .array(
    fc.constantFrom(
      "<think>",
      "</think>",
      "<think>",
      "\n",
      "\n\n",
      " ",
      "<",
      "<thi",
      "nk>",
      "</",
      "a",
      "word",
      "é",
      "漢",
      "😀",
      '"',
      "\\",
      "\r\n",
      '"usage":{"x":1}',
      "data: [DONE]",
    ),
    { maxLength: 12 },
  )
  .map((fragments) => fragments.join(""))

const saidArb: fc.Arbitrary<Said> = fc.record({
  content: fc.oneof({ weight: 6, arbitrary: textArb }, { weight: 1, arbitrary: fc.constant(null) }),
  reasoning: fc.option(
    textArb.filter((text) => text !== ""),
    { nil: undefined },
  ),
  calls: fc.array(fc.tuple(fc.constantFrom("look", "find"), fc.json({ maxDepth: 1 })), { maxLength: 2 }),
  finishReason: fc.constantFrom("stop", "length", "tool_calls"),
})

/** How an answer is cut into chunks and bytes: each number decides something. */
export interface Cutting {
  readonly draws: ReadonlyArray<number>
}

export const cuttingArb: fc.Arbitrary<Cutting> = fc.record({
  draws: fc.array(fc.nat({ max: 999 }), { minLength: 8, maxLength: 64 }),
})

/** An answer, in what its choices say. */
export interface GeneratedAnswer {
  readonly shape: AnswerShape
  readonly choices: ReadonlyArray<Said>
}

export const chatArb: fc.Arbitrary<GeneratedAnswer> = fc
  .array(saidArb, { minLength: 1, maxLength: 3 })
  .map((choices) => ({ shape: chatShape, choices }))

export const textAnswerArb: fc.Arbitrary<GeneratedAnswer> = fc
  .array(textArb, { minLength: 1, maxLength: 3 })
  .map((texts) => ({
    shape: completionShape,
    choices: texts.map((content) => ({ content, reasoning: undefined, calls: [], finishReason: "stop" })),
  }))

export const answerArb: fc.Arbitrary<GeneratedAnswer> = fc.oneof(
  { weight: 3, arbitrary: chatArb },
  { weight: 1, arbitrary: textAnswerArb },
)

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }

const callOf = ([name, args]: readonly [string, string], at: number): JsonObject => ({
  id: `call_${at}`,
  type: "function",
  function: { name, arguments: args },
})

/** The plain answer. */
export const plainOf = ({ choices, shape }: GeneratedAnswer): JsonObject => ({
  id: "answer-1",
  object: shape === chatShape ? "chat.completion" : "text_completion",
  created: 1_700_000_000,
  model: "model-1",
  choices: choices.map((said, index) =>
    shape === chatShape
      ? {
          index,
          message: {
            role: "assistant",
            ...(said.reasoning === undefined ? {} : { reasoning_content: said.reasoning }),
            content: said.content,
            ...(said.calls.length === 0 ? {} : { tool_calls: said.calls.map(callOf) }),
          },
          finish_reason: said.finishReason,
        }
      : { index, text: said.content ?? "", finish_reason: said.finishReason },
  ),
  usage,
})

/** A source of small decisions that repeats its draws. */
const decisions = ({ draws }: Cutting) => {
  let at = 0
  return (below: number): number => (draws[at++ % draws.length] ?? 0) % below
}

const cutText = (text: string, decide: (below: number) => number): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = text
  while (rest !== "") {
    const length = 1 + decide(Math.min(rest.length, 9))
    parts.push(rest.slice(0, length))
    rest = rest.slice(length)
  }
  return parts
}

const chatDeltas = (said: Said, decide: (below: number) => number): Array<JsonObject> => {
  const deltas: Array<JsonObject> = []
  for (const text of cutText(said.reasoning ?? "", decide)) deltas.push({ reasoning_content: text })
  for (const text of cutText(said.content ?? "", decide)) deltas.push({ content: text })
  said.calls.forEach((call, index) => {
    const { function: _, ...head } = callOf(call, index)
    deltas.push({ tool_calls: [{ index, ...head, function: { name: call[0], arguments: "" } }] })
    for (const text of cutText(call[1], decide)) {
      deltas.push({ tool_calls: [{ index, function: { arguments: text } }] })
    }
  })
  const first = deltas[0]
  const content = said.content === null ? {} : { content: "" }
  // An empty content has to be said in some chunk, or it would be no content.
  if (first === undefined || said.content === "" || decide(2) === 0) {
    deltas.unshift({ role: "assistant", ...content })
  } else {
    deltas[0] = { role: "assistant", ...first }
  }
  return deltas
}

const chunkOf = (shape: AnswerShape, choices: ReadonlyArray<JsonObject>): JsonObject => ({
  id: "answer-1",
  object: shape === chatShape ? "chat.completion.chunk" : "text_completion",
  created: 1_700_000_000,
  model: "model-1",
  choices,
})

/** One choice's chunks, the finish reason in the last text's or in one of its own. */
const choicesOf = (
  { shape }: GeneratedAnswer,
  said: Said,
  index: number,
  decide: (below: number) => number,
): Array<JsonObject> => {
  const isChat = shape === chatShape
  const chunks: Array<JsonObject> = isChat
    ? chatDeltas(said, decide).map((delta) => ({ index, delta, finish_reason: null }))
    : cutText(said.content ?? "", decide).map((text) => ({ index, text, finish_reason: null }))
  const last = chunks.at(-1)
  if (last !== undefined && decide(2) === 0) {
    chunks[chunks.length - 1] = { ...last, finish_reason: said.finishReason }
  } else {
    chunks.push({ index, ...(isChat ? { delta: {} } : { text: "" }), finish_reason: said.finishReason })
  }
  return chunks
}

/** The answer as chunks, the usage chunk last. */
export const chunksOf = (answer: GeneratedAnswer, cutting: Cutting): ReadonlyArray<JsonObject> => {
  const decide = decisions(cutting)
  const queues = answer.choices.map((said, index) => choicesOf(answer, said, index, decide))
  const chunks: Array<JsonObject> = []
  while (queues.some((queue) => queue.length > 0)) {
    const waiting = queues.filter((queue) => queue.length > 0)
    const inOne = decide(3) === 0 ? waiting : [waiting[decide(waiting.length)]]
    const choices = inOne.flatMap((queue) => queue?.splice(0, 1) ?? [])
    chunks.push(chunkOf(answer.shape, choices))
  }
  return [...chunks, { ...chunkOf(answer.shape, []), usage }]
}

const encoder = new TextEncoder()

export const bytesOf = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value))

/** Chunks as the bytes of an event stream, framed in one of the ways upstreams do and cut anywhere. */
export const wireOf = (chunks: ReadonlyArray<JsonObject>, cutting: Cutting): ReadonlyArray<Uint8Array> => {
  const decide = decisions(cutting)
  const lineEnd = ["\n", "\r\n", "\r"][decide(3)] ?? "\n"
  const field = decide(2) === 0 ? "data: " : "data:"
  const comment = decide(2) === 0 ? `: ping${lineEnd}${lineEnd}` : ""
  const events = [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"]
  const bytes = encoder.encode(events.map((data) => `${comment}${field}${data}${lineEnd}${lineEnd}`).join(""))
  const parts: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + decide(400)
    parts.push(bytes.subarray(at, next))
    at = next
  }
  return parts
}
