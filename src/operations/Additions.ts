/**
 * What this gateway adds to a request that its client did not say: the wish for usage, the cap on tokens, what is to be cached, and how another dialect's
 * wish to reason is said. An upstream may know none of it; then the request is worth asking again without, which only concerns what nobody but the gateway
 * said. Thoughts of earlier turns are the one exception: whose seal they have shows where it is refused, and a conversation goes on without them.
 */
import { type TokenLimit, tokenLimits } from "../routing/Upstream.ts"
import { isJsonArray, isJsonObject, type Json } from "../wire/Json.ts"
import { parseJson } from "../wire/JsonBytes.ts"

/** All names of a cap: in chats and completions one of two, in responses another. */
const capNames = [...tokenLimits, "max_output_tokens"] as const

export type CapName = (typeof capNames)[number]

/** What a body holds that only the gateway says. */
export interface Additions {
  /** `stream_options`, as a member that was not there. */
  readonly usage: boolean
  /** What the cap is written as. */
  readonly cap: CapName | undefined
  /** The caller set the cap, in another dialect: its name alone was chosen here. */
  readonly isCallersCap?: true
  /** The member that says how much is to be thought, where the caller said so in another dialect. */
  readonly reasoning?: string
  /** Tools are offered in chat, which several models take only where they are told to think nothing, even if nothing is said of that. */
  readonly toolsInChat?: true
  /** What an upstream is to cache, where another dialect's caller did not say so. */
  readonly marks?: true
  /** Thoughts of earlier turns, sealed by whoever had them: no addition, but taken back like one. */
  readonly thoughts?: true
}

export const nothingAdded: Additions = { usage: false, cap: undefined }

/** What is not to be added for a target. */
export interface Omissions {
  readonly usage: boolean
  /** Names the cap is not written as; where these are all, there is none. */
  readonly caps: ReadonlyArray<CapName>
  /** How much is to be thought: `always` where the target knows nothing of it, `once` where this of it was refused, `none` where nothing is to be thought beside tools. */
  readonly reasoning?: "always" | "once" | "none"
  /** Marks for a cache. */
  readonly marks?: true
  /** Thoughts of earlier turns. */
  readonly thoughts?: true
}

export const nothingOmitted: Omissions = { usage: false, caps: [] }

/** The name for a cap where the request has none: the one of the configuration, else the other, unless they are omitted. */
export const capName = (configured: TokenLimit | "auto", { caps }: Omissions): TokenLimit | undefined => {
  const preferred = configured === "auto" ? "max_tokens" : configured
  return [preferred, ...tokenLimits].find((name) => !caps.includes(name))
}

/** Whether there is anything that could be left out. */
export const mayBeTakenBack = ({ cap, marks, reasoning, thoughts, toolsInChat, usage }: Additions): boolean =>
  usage ||
  cap !== undefined ||
  reasoning !== undefined ||
  marks === true ||
  thoughts === true ||
  toolsInChat === true

/** A refusal that speaks of something added. */
export interface TakenBack {
  /** What to leave out when it is asked again: more than before. */
  readonly omissions: Omissions
  /** Whether the upstream would refuse the same of any request: it does not know the member. Else it was too much for this one. */
  readonly lasting: boolean
  /** The members that were refused. */
  readonly members: ReadonlyArray<string>
  /** Thoughts of earlier turns were. */
  readonly thoughts: boolean
}

/** Statuses of a refusal that may be about a member: servers whose code fails on one they do not know say 500. */
const speakingStatuses: ReadonlySet<number> = new Set([400, 404, 405, 415, 422, 500, 501])

/** Names as they stand in messages: in quotes, in paths (`body.stream_options`), or in words. */
const mentions = {
  usage: /(?<![a-z0-9_])(?:stream_?options|include_?usage)(?![a-z0-9_])/i,
  max_tokens: /(?<![a-z0-9_])max_?tokens(?![a-z0-9_])/i,
  max_completion_tokens: /(?<![a-z0-9_])max_?completion_?tokens(?![a-z0-9_])/i,
  max_output_tokens: /(?<![a-z0-9_])max_?output_?tokens(?![a-z0-9_])/i,
  marks: /(?<![a-z0-9_])(?:cache_?control|prompt[ _-]?caching)(?![a-z0-9_])/i,
  reasoning:
    /(?<![a-z0-9_])(?:reasoning(?:_?effort)?|thinking|budget_?tokens|effort|output_?config)(?![a-z0-9_])/i,
} as const

/** OpenAI's older models, and vLLM after them, do not name the member when prompt and cap are too much together. */
const tooMuchTogether = /\b\d+ (?:tokens )?(?:in|for) the completion\b/i

/** The member is known, and its value is too much. */
const tooMuch =
  /too (?:large|high|big|many|long)|maximum|at most|exceed|(?:less|greater|larger|smaller) than|between|out of range/i

/** The seals of thoughts, or the blocks that hold them: in Anthropic's words, those of its resellers, of OpenAI, and of servers that know no thoughts. */
const ofThoughts: ReadonlyArray<RegExp> = [
  /(?:invalid|missing|corrupted|unexpected).{0,40}\bsignature\b/i,
  /\bsignature\b.{0,60}(?:invalid|not valid|required|missing|mismatch|verif)/i,
  /content\.\d+(?:\.[\w-]+)*\.signature\b/i,
  /\bthinking\b.{0,40}\bblocks?\b.{0,120}(?:modified|not (?:supported|permitted|allowed|valid))/i,
  /\bthinking'?.{0,40}does not match any of the expected tags/i,
  /invalid.{0,20}\bdata\b.{0,20}redacted_thinking/i,
  /encrypted[ _]content.{0,80}(?:could not|cannot|invalid|not valid|verif|decrypt)|invalid_encrypted_content/i,
]

const unknownMember =
  /not supported|unsupported|unknown|unrecogni[sz]ed|unexpected|not permitted|not allowed|extra_forbidden|cannot find|instead/i

/** Nothing can be marked, whatever it is. */
const unmarkable = new RegExp(`${unknownMember.source}|not support`, "i")

/** The member is known, and not this value of it. */
const otherValue =
  /(?:unsupported|invalid) value|supported values|input should be|literal_error|(?:one|any) of|expected/i

/** The member is known, and not beside tools: "Function tools with reasoning_effort are not supported". */
const besideTools =
  /\b(?:tools?|functions?|function.calling)\b.{0,40}\b(?:with|while|when|if|together|alongside)\b|\b(?:with|while|when|if|together|alongside|using)\b.{0,60}\b(?:tools?|functions?|function.calling)\b|\bto ['"`]?none\b/i

/** OpenAI's words where tools are taken only with this effort. */
const onlyNone = /\breasoning_?effort['"`]? to ['"`]?none\b/i

/** Members of errors that repeat the request, which are no complaints about all it says. */
const echoes: ReadonlySet<string> = new Set(["input", "body", "request", "received", "params", "url"])

/** More than an error that means to be read has. */
const mostNodes = 500
const longestText = 4_000

/** The texts of an error, without what it repeats of the request. */
const complaintsIn = (error: Json): string => {
  const texts: Array<string> = []
  const open: Array<Json> = [error]
  for (let seen = 0; open.length > 0 && seen < mostNodes; seen++) {
    const value = open.pop()
    if (typeof value === "string") texts.push(value.slice(0, longestText))
    else if (isJsonArray(value)) {
      // A path of pydantic's: one text, so that its parts are not taken for complaints each.
      if (value.every((step) => typeof step === "string" || typeof step === "number"))
        texts.push(value.join("."))
      else for (const item of value.slice(0, mostNodes)) open.push(item)
    } else if (isJsonObject(value)) {
      for (const [name, item] of Object.entries(value).slice(0, mostNodes))
        if (!echoes.has(name)) open.push(item)
    }
  }
  return texts.join("\n")
}

/** For how long what is to be thought is left out, where a refusal speaks of it. */
const reasoningOmitted = (
  said: string,
  { reasoning, toolsInChat }: Additions,
  before: Omissions,
): Omissions["reasoning"] => {
  if (toolsInChat === true && before.reasoning !== "none" && onlyNone.test(said)) return "none"
  if (reasoning === undefined || before.reasoning !== undefined || !mentions.reasoning.test(said))
    return undefined
  return unknownMember.test(said) && !otherValue.test(said) && !besideTools.test(said) ? "always" : "once"
}

const decoder = new TextDecoder()

const complaints = (body: Uint8Array): string => {
  const parsed = parseJson(body)
  return parsed === undefined ? decoder.decode(body.subarray(0, longestText)) : complaintsIn(parsed)
}

/**
 * What to take back of what was added, where an answer refuses it; `undefined` where it speaks of nothing that was. What is given back is always less
 * than what was asked with, so asking again comes to an end.
 *
 * @param status `undefined` of an error that came with a good one
 */
export const takenBack = (
  { body, status }: { readonly status: number | undefined; readonly body: Uint8Array },
  added: Additions,
  before: Omissions,
): TakenBack | undefined => {
  if (!mayBeTakenBack(added)) return undefined
  if (status !== undefined && !speakingStatuses.has(status)) return undefined
  const said = complaints(body)
  // What was to be left out already is nothing to leave out: asking again would not end.
  const usage = added.usage && !before.usage && mentions.usage.test(said)
  const isTooMuch = tooMuchTogether.test(said) || (tooMuch.test(said) && !unknownMember.test(said))
  const cap =
    added.cap !== undefined &&
    !before.caps.includes(added.cap) &&
    (mentions[added.cap].test(said) || tooMuchTogether.test(said)) &&
    // What its caller asks too much of is the caller's to know.
    !(isTooMuch && added.isCallersCap === true)
      ? added.cap
      : undefined
  const thoughts =
    added.thoughts === true && before.thoughts !== true && ofThoughts.some((words) => words.test(said))
  const marks = added.marks === true && before.marks !== true && mentions.marks.test(said)
  const reasoning = thoughts || marks ? undefined : reasoningOmitted(said, added, before)
  if (!usage && cap === undefined && reasoning === undefined && !marks && !thoughts) return undefined
  const unthought = reasoning ?? before.reasoning
  return {
    omissions: {
      usage: usage || before.usage,
      // Too much under one name is too much under the other.
      caps: cap === undefined ? before.caps : isTooMuch ? capNames : [...before.caps, cap],
      ...(unthought === undefined ? {} : { reasoning: unthought }),
      ...(marks || before.marks === true ? { marks: true } : {}),
      ...(thoughts || before.thoughts === true ? { thoughts: true } : {}),
    },
    lasting:
      !(cap !== undefined && isTooMuch) &&
      reasoning !== "once" &&
      reasoning !== "none" &&
      !thoughts &&
      (!marks || unmarkable.test(said)),
    thoughts,
    members: [
      ...(usage ? ["stream_options"] : []),
      ...(cap === undefined ? [] : [cap]),
      ...(marks ? ["cache_control"] : []),
      ...(reasoning === undefined ? [] : [added.reasoning ?? "reasoning_effort"]),
    ],
  }
}
