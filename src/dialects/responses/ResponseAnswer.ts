/** A whole response, read and written. */
import { readUsage } from "../../answer/Usage.ts"
import type { Json, JsonObject } from "../../wire/Json.ts"
import type { Counts, Finish, NeutralAnswer, NeutralHead } from "../Answer.ts"
import type { AskedFor } from "../DialectForm.ts"
import { booleanIn, membersOf, momentIn, numberIn, objectIn, objectsIn, saidIn, textIn } from "../Members.ts"
import type { AssistantPart } from "../Part.ts"
import { itemOf, partsOf } from "./ResponseItems.ts"

export const headOf = ({ created_at: created, id, model, service_tier: tier }: JsonObject): NeutralHead => ({
  id: (textIn(id) ?? "").replace(/^resp_/, ""),
  model: textIn(model) ?? "",
  createdAt: momentIn(created),
  serviceTier: textIn(tier),
})

/**
 * Why a response ended.
 *
 * @param calls whether any tool is called
 */
export const finishOf = ({ incomplete_details: details, status }: JsonObject, calls: boolean): Finish => {
  if (status === "incomplete") {
    return objectIn(details)?.["reason"] === "content_filter" ? { kind: "refused" } : { kind: "length" }
  }
  return calls ? { kind: "tool_calls" } : { kind: "stop" }
}

export const countsOf = ({ usage }: JsonObject): Counts => readUsage(usage)

/** `DialectForm.readAnswer` */
export const readAnswer = (response: JsonObject): NeutralAnswer | undefined => {
  const { output, status } = response
  if (output === undefined || status === "failed" || status === "cancelled") return undefined
  const parts = objectsIn(output).flatMap(partsOf)
  return {
    ...headOf(response),
    parts,
    finish: finishOf(
      response,
      parts.some(({ kind }) => kind === "tool_call"),
    ),
    counts: countsOf(response),
  }
}

/** Both details are always there. */
const writtenUsage = (counts: Counts): JsonObject => {
  const { cacheWriteTokens, cachedTokens = 0, inputTokens = 0, outputTokens = 0 } = counts
  return {
    input_tokens: inputTokens,
    input_tokens_details: membersOf({ cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens }),
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: counts.reasoningTokens ?? 0 },
    total_tokens: counts.totalTokens ?? inputTokens + outputTokens,
  }
}

/** The name that its items have: by this and their place. */
export const itemKey = ({ id }: NeutralHead, at: number): string => `${id}_${at}`

const nullable = (value: Json | undefined): Json => value ?? null

/** The members of the request that a response repeats, with what holds where they are not said. */
const repeatedOf = (asked: JsonObject): JsonObject => ({
  instructions: nullable(asked["instructions"]),
  max_output_tokens: nullable(numberIn(asked["max_output_tokens"])),
  max_tool_calls: nullable(numberIn(asked["max_tool_calls"])),
  metadata: objectIn(asked["metadata"]) ?? {},
  parallel_tool_calls: booleanIn(asked["parallel_tool_calls"]) ?? true,
  previous_response_id: null,
  prompt_cache_key: nullable(saidIn(asked["prompt_cache_key"])),
  reasoning: { effort: null, summary: null, ...objectIn(asked["reasoning"]) },
  safety_identifier: nullable(saidIn(asked["safety_identifier"])),
  temperature: numberIn(asked["temperature"]) ?? 1,
  text: { format: { type: "text" }, ...objectIn(asked["text"]) },
  tool_choice: nullable(asked["tool_choice"] ?? "auto"),
  tools: objectsIn(asked["tools"]).map((tool) =>
    tool["type"] === "function" ? { description: null, parameters: null, strict: null, ...tool } : tool,
  ),
  top_logprobs: numberIn(asked["top_logprobs"]) ?? 0,
  top_p: numberIn(asked["top_p"]) ?? 1,
  truncation: saidIn(asked["truncation"]) ?? "disabled",
  user: nullable(saidIn(asked["user"])),
})

/** The members of a request that its response repeats (`AskedFor.repeated`). */
export const repeatedMembers: ReadonlySet<string> = new Set(Object.keys(repeatedOf({})))

/** Its seconds: when it was made. What is translated is kept by nobody. */
const envelope = (head: NeutralHead, { askedAt, repeated }: AskedFor): JsonObject => ({
  id: `resp_${head.id}`,
  object: "response",
  created_at: head.createdAt ?? askedAt,
  background: false,
  error: null,
  frequency_penalty: 0,
  presence_penalty: 0,
  model: head.model,
  service_tier: head.serviceTier ?? "default",
  store: false,
  ...repeatedOf(repeated),
})

/** A response whose answer is still to come. */
export const begunResponse = (head: NeutralHead, asked: AskedFor): JsonObject => ({
  ...envelope(head, asked),
  status: "in_progress",
  completed_at: null,
  incomplete_details: null,
  output: [],
  usage: null,
})

const isCut = ({ kind }: Finish): boolean => kind === "length" || kind === "refused"

/** The items of an answer: those that an item can say, numbered. */
export const itemsOf = (
  head: NeutralHead,
  parts: ReadonlyArray<AssistantPart>,
  { upstream }: AskedFor,
): ReadonlyArray<JsonObject> => {
  const items: Array<JsonObject> = []
  for (const part of parts) {
    const item = itemOf(part, itemKey(head, items.length), "completed", upstream)
    if (item !== undefined) items.push(item)
  }
  return items
}

/** A response that is whole, of items that are. */
export const endedResponse = (
  answer: Omit<NeutralAnswer, "parts">,
  output: ReadonlyArray<JsonObject>,
  asked: AskedFor,
): JsonObject => {
  const { counts, finish, ...head } = answer
  const cut = isCut(finish)
  const begun = envelope(head, asked)
  return {
    ...begun,
    status: cut ? "incomplete" : "completed",
    completed_at: cut ? null : (begun["created_at"] ?? null),
    incomplete_details: cut
      ? { reason: finish.kind === "refused" ? "content_filter" : "max_output_tokens" }
      : null,
    output,
    usage: writtenUsage(counts),
  }
}

/** `DialectForm.writeAnswer` */
export const writeAnswer = (answer: NeutralAnswer, asked: AskedFor): JsonObject =>
  endedResponse(answer, itemsOf(answer, answer.parts, asked), asked)
