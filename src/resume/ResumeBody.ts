/**
 * The body that asks another upstream to resume an answer.
 *
 * An upstream that begins the text anew makes the client see it twice: only those known to continue a last assistant message should be configured with
 * `resume`.
 */
import * as Either from "effect/Either"
import type { ResumePolicy } from "../routing/Upstream.ts"
import { isJsonObject, type JsonObject } from "../wire/Json.ts"
import { parseObject } from "../wire/JsonBytes.ts"
import { memberText, replaceMembers } from "../wire/JsonText.ts"
import { isSaid, type Judged, type Unresumable } from "./Unresumable.ts"

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** The member of a request that an answer is written behind, and what of it an answer can be resumed with. */
export interface ResumableInput {
  readonly member: string
  /** Why the answer to a request with this input could never be resumed, whatever it says. */
  readonly neverResumable: (body: JsonObject) => Unresumable | undefined
  /** Why one that has said something cannot. */
  readonly unresumable: (body: JsonObject) => Unresumable | undefined
  /** The member's text with what was said behind it. */
  readonly withSaid: (input: string, text: string, message: ResumePolicy["message"]) => string
}

/** Members that constrain the form of the text, beside `response_format`: those of vLLM, SGLang and llama.cpp. */
const grammars = [
  "guided_json",
  "guided_regex",
  "guided_choice",
  "guided_grammar",
  "structured_outputs",
  "json_schema",
  "regex",
  "ebnf",
  "grammar",
]

const constrainsForm = (body: JsonObject): boolean => {
  const format = body["response_format"]
  return (isJsonObject(format) && format["type"] !== "text") || grammars.some((name) => isSaid(body[name]))
}

/** Why the answer to a request could never be resumed, whatever it says; `undefined` where it could. */
export const unresumableRequest = (input: ResumableInput, body: JsonObject): Unresumable | undefined => {
  if ((body["n"] ?? 1) !== 1) return "several_choices"
  if (isSaid(body["echo"]) && body["echo"] !== false) return "echo"
  return input.neverResumable(body)
}

/**
 * The body that asks a target to resume an answer: the one prepared for it, with the text as its last assistant message (behind the prompt of a
 * legacy completion), and the members of its policy in place of what they were. Everything else stays as it was, byte for
 * byte. An answer that is to begin anew is asked for by the prepared body itself.
 *
 * `max_tokens` stays too: how many tokens were spent until the break is unknown, and a limit too small would end the answer early.
 */
export const bodyToResume = (
  input: ResumableInput,
  prepared: Uint8Array,
  text: string,
  policy: ResumePolicy,
): Judged<Uint8Array> => {
  const body = parseObject(prepared)
  if (body === undefined) return Either.left("unreadable")
  // The target's `extra_body` may ask for what the client did not.
  const refusal = unresumableRequest(input, body)
  if (refusal !== undefined) return Either.left(refusal)
  if (text === "") return Either.right(prepared)
  if (constrainsForm(body)) return Either.left("grammar")
  const unresumable = input.unresumable(body)
  if (unresumable !== undefined) return Either.left(unresumable)
  const before = decoder.decode(prepared)
  const said = memberText(before, input.member)
  if (said === undefined) return Either.left("unreadable")
  const edits = Object.entries(policy.body).map(([name, value]) => [name, JSON.stringify(value)] as const)
  const resumed = input.withSaid(said, text, policy.message)
  return Either.right(encoder.encode(replaceMembers(before, [...edits, [input.member, resumed]])))
}
