/**
 * The blocks of earlier turns for a target: what it sealed itself as it was, without a mark. A thought that another sealed is left out, since it would be
 * refused, and the whole request with it; of all else that says something, such as a compaction, only the seal is. What has no mark goes to anybody: who made it is not
 * known here; where its target turns out not to be, all thoughts are left out.
 */
import { thinkingTypes } from "../../answer/messages/MessageTexts.ts"
import { sealedIn } from "../../answer/messages/Sealed.ts"
import { isMarked, ownOf } from "../../routing/Mark.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { elementTexts, memberText, replaceElements, replaceMembers } from "../../wire/JsonText.ts"
import type { Omissions } from "../Additions.ts"
import type { MessagesRequest } from "./MessagesRequest.ts"

/** What of a request a target is sent. */
export interface OwnMessages {
  /** The text of its `messages`; `undefined` where all of them go as they came. */
  readonly text: string | undefined
  /** What of them is left out. */
  readonly dropped: ReadonlyArray<string> | undefined
  /** Whether calls that are being answered lack a thought that led to them. */
  readonly losesThread: boolean
  /** Whether any thought is among them. */
  readonly holdsThoughts: boolean
}

const asTheyCame: OwnMessages = {
  text: undefined,
  dropped: undefined,
  losesThread: false,
  holdsThoughts: false,
}

const thoughtsAsTheyCame: OwnMessages = { ...asTheyCame, holdsThoughts: true }

/** What a target is sent for something sealed that a caller sends back; `undefined` where it is not to have it. */
type Opened = (given: string) => string | undefined

const openedBy =
  (upstream: string): Opened =>
  (given) =>
    isMarked(given) ? ownOf(given, upstream) : given

const contentOf = ({ content }: JsonObject): ReadonlyArray<Json> =>
  content !== undefined && isJsonArray(content) ? content : []

const isThought = (block: Json): block is JsonObject =>
  isJsonObject(block) && thinkingTypes.has(block["type"])

const isMarkedBlock = (block: Json): boolean =>
  isJsonObject(block) && sealedIn(block).some(([, sealed]) => isMarked(sealed))

/** For whom blocks are opened, and what of them is left out. Mutable on purpose: one request. */
class Opening {
  readonly dropped: Array<string> = []
  readonly opened: Opened
  readonly #omitsThoughts: boolean
  holdsThoughts = false

  constructor(upstream: string, omitsThoughts: boolean) {
    this.opened = openedBy(upstream)
    this.#omitsThoughts = omitsThoughts
  }

  /** Whether a block may not go as it came. Nearly all may, and so may what was never marked: requests are not cut apart for it. */
  readonly changes = (block: Json): boolean =>
    isMarkedBlock(block) || (this.#omitsThoughts && isThought(block))

  /** Leaves a thought out that its target is not to have, whoever sealed it. */
  omits(block: JsonObject): boolean {
    if (!this.#omitsThoughts || !isThought(block)) return false
    this.dropped.push(block["type"] === "thinking" ? "thinking.signature" : "redacted_thinking.data")
    return true
  }
}

const kinds: ReadonlySet<Json | undefined> = new Set(["thinking", "redacted_thinking", "compaction"])

/** What a block is called where it is told of, in a header too: callers may call theirs anything. */
const kindOf = ({ type }: JsonObject): string => (kinds.has(type) ? String(type) : "block")

/** The text of a block, `undefined` where it is left out. */
const ownBlock = (block: JsonObject, text: string, opening: Opening) => {
  if (opening.omits(block)) return undefined
  const { dropped, opened } = opening
  const edits: Array<readonly [name: string, value: string | undefined]> = []
  for (const [name, given] of sealedIn(block)) {
    const own = opened(given)
    if (own === given) continue
    if (own === undefined) {
      dropped.push(`${kindOf(block)}.${name}`)
      // It would be refused without.
      if (isThought(block)) return undefined
    }
    edits.push([name, own === undefined ? undefined : JSON.stringify(own)])
  }
  if (isThought(block)) opening.holdsThoughts = true
  return edits.length === 0 ? text : replaceMembers(text, edits)
}

/** The text of a turn, `undefined` where nothing of it is left. */
const ownTurn = (turn: JsonObject, text: string, opening: Opening) => {
  const blocks = contentOf(turn)
  if (!blocks.some(opening.changes)) {
    if (blocks.some(isThought)) opening.holdsThoughts = true
    return text
  }
  let left = 0
  const before = memberText(text, "content") ?? "[]"
  const content = replaceElements(before, (itself, at) => {
    const block = blocks[at] ?? null
    const own = isJsonObject(block) ? ownBlock(block, itself, opening) : itself
    if (own !== undefined) left++
    return own
  })
  if (left === 0) return undefined
  return content === before ? text : replaceMembers(text, [["content", content]])
}

/** The texts of the blocks of a turn; a text alone is a block of it. */
const blockTexts = (turn: string): ReadonlyArray<string> => {
  const content = memberText(turn, "content") ?? "[]"
  if (content === '""') return []
  return content.startsWith("[") ? elementTexts(content) : [`{"type":"text","text":${content}}`]
}

/** Two turns as one: not every model takes two of one role in a row, as they are where what stood between them is left out. */
const joined = (one: string, next: string): string =>
  replaceMembers(one, [["content", `[${[...blockTexts(one), ...blockTexts(next)].join(",")}]`]])

/** The turns of which something is left. */
const leftOf = (turns: ReadonlyArray<JsonObject>, texts: ReadonlyArray<string | undefined>) => {
  const left: Array<string> = []
  let role: Json | undefined
  for (const [at, text] of texts.entries()) {
    if (text === undefined) continue
    const before = texts[at - 1] === undefined && role === turns[at]?.["role"] ? left.pop() : undefined
    left.push(before === undefined ? text : joined(before, text))
    role = turns[at]?.["role"]
  }
  return left
}

const answersCalls = (turn: JsonObject): boolean => {
  const blocks = contentOf(turn)
  return blocks.some((block) => isJsonObject(block) && block["type"] === "tool_result")
}

const isOfThought = (name: string): boolean => /^(?:redacted_)?thinking\./.test(name)

/** Where the turns begin in which the model is at work: behind the last that answers none of its calls. */
const workBegins = (turns: ReadonlyArray<JsonObject>): number =>
  1 + turns.findLastIndex((turn) => turn["role"] === "user" && !answersCalls(turn))

/**
 * The messages of a request for the upstream of this name.
 *
 * @param omissions with `thoughts`, whatever thought they hold is left out
 */
export const messagesFor = (
  { messages, text }: Pick<MessagesRequest, "messages" | "text">,
  upstream: string,
  { thoughts }: Pick<Omissions, "thoughts">,
): OwnMessages => {
  const holds = (is: (block: Json) => boolean): boolean => messages.some((turn) => contentOf(turn).some(is))
  const opening = new Opening(upstream, thoughts === true)
  if (!holds(opening.changes)) return holds(isThought) ? thoughtsAsTheyCame : asTheyCame
  const { dropped } = opening
  const before = memberText(text, "messages") ?? "[]"
  const work = workBegins(messages)
  let losesThread = false
  const texts = elementTexts(before).map((itself, at) => {
    const { length } = dropped
    const own = ownTurn(messages[at] ?? {}, itself, opening)
    if (at >= work && dropped.slice(length).some(isOfThought)) losesThread = true
    return own
  })
  const after = texts.includes(undefined)
    ? `[${leftOf(messages, texts).join(",")}]`
    : replaceElements(before, (_, at) => texts[at])
  return {
    text: after === before ? undefined : after,
    dropped: dropped.length === 0 ? undefined : [...new Set(dropped)],
    losesThread,
    holdsThoughts: opening.holdsThoughts,
  }
}
