/** The marks up to which Anthropic caches a conversation: those of the caller, or this gateway's own where there are none. */
import { isJsonArray, isJsonObject, type JsonObject } from "../../wire/Json.ts"
import type { WriteFor } from "../DialectForm.ts"
import { withMark } from "./MessagesGiven.ts"

/** More marks than these are refused. */
const mostMarks = 4

const isMarked = ({ cache_control: control }: JsonObject): boolean => control !== undefined

const contentOf = ({ content }: JsonObject): ReadonlyArray<JsonObject> =>
  isJsonArray(content) ? content.filter(isJsonObject) : []

const isShort = ({ cache_control: control }: JsonObject): boolean =>
  isJsonObject(control) && control["ttl"] === undefined

/**
 * Takes away as many marks as there are too many, the first ones: the later ones hold all before them. None may hold for longer than one before it.
 */
const unmarking = (tooMany: number) => {
  let left = tooMany
  let short: JsonObject = {}
  return (block: JsonObject): JsonObject => {
    if (!isMarked(block)) return block
    if (left > 0) {
      left--
      const { cache_control: _, ...rest } = block
      return rest
    }
    if (isShort(block)) short = { cache_control: { type: "ephemeral" } }
    return { ...block, ...short }
  }
}

export interface Cached {
  readonly tools: ReadonlyArray<JsonObject>
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
}

/** In the order in which a cache holds them. */
const withinMarks = ({ messages, system, tools }: Cached): Cached => {
  const blocks = [...tools, ...system, ...messages.flatMap(contentOf)]
  const unmark = unmarking(blocks.filter(isMarked).length - mostMarks)
  return {
    tools: tools.map(unmark),
    system: system.map(unmark),
    messages: messages.map((message) => ({ ...message, content: contentOf(message).map(unmark) })),
  }
}

/** Of thoughts none can be marked. */
const canBeMarked = ({ type }: JsonObject): boolean => !String(type).endsWith("thinking")

const markedLast = (blocks: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => {
  const last = blocks.at(-1)
  return last === undefined || !canBeMarked(last) ? blocks : [...blocks.slice(0, -1), withMark(last, "5m")]
}

const isUsers = ({ role }: JsonObject): boolean => role === "user"

/** The last user's message was not there in the request before, whose last it was that stands before it. */
const newestUsers = 2

/** Instructions and all that is said: what the next request of the conversation begins with. */
const withOwnMarks = ({ messages, system, tools }: Cached): Cached => {
  const newest = messages.filter(isUsers).slice(-newestUsers)
  return {
    tools,
    system: markedLast(system),
    messages: messages.map((message) =>
      newest.includes(message) ? { ...message, content: markedLast(contentOf(message)) } : message,
    ),
  }
}

/** A cache that is never read costs more than none: what has neither tools nor an answer of the model need not go on. */
const goesOn = ({ messages, tools }: Cached): boolean => tools.length > 0 || !messages.every(isUsers)

export interface Marked extends Cached {
  /** They are this gateway's. */
  readonly hasOwnMarks: boolean
}

/** @param cacheMarks `auto`: with marks of this gateway's where the caller has none */
export const marked = (cacheMarks: WriteFor["cacheMarks"], cached: Cached): Marked => {
  const { messages, system, tools } = cached
  const isMarkedAlready =
    [...tools, ...system].some(isMarked) || messages.some((one) => contentOf(one).some(isMarked))
  if (isMarkedAlready) return { ...withinMarks(cached), hasOwnMarks: false }
  return cacheMarks === "auto" && goesOn(cached)
    ? { ...withOwnMarks(cached), hasOwnMarks: true }
    : { ...cached, hasOwnMarks: false }
}
