/**
 * A plain answer given out as the chunks of a stream, for a client that asked for one. Put together of the answer's own text, so that no number loses a
 * digit and no depth of nesting matters.
 */
import type { Endpoint } from "../operations/Endpoint.ts"
import { isJsonArray, isJsonObject, type JsonObject } from "../wire/Json.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { elementTexts, memberTexts, onOneLine, replaceMembers } from "../wire/JsonText.ts"

/** The texts of an object's values by their names. */
type Members = ReadonlyMap<string, string>

type Texts = ReadonlyArray<readonly [name: string, text: string]>

/** What every chunk of an answer says of it. */
const inEveryChunk: ReadonlySet<string> = new Set([
  "id",
  "created",
  "model",
  "system_fingerprint",
  "service_tier",
  "provider",
])

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const objectText = (members: Texts): string =>
  `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`

const isBlank = (text: string): boolean => text === "null" || text === '""' || /^\[\s*\]$/.test(text)

const isString = (text: string): boolean => text.startsWith('"')

/** Tool calls of a message as those of a delta: there each says which one it is. */
const numberedCalls = (text: string): string =>
  text.startsWith("[")
    ? `[${elementTexts(text)
        .map((call, at) => (call.startsWith("{") ? replaceMembers(call, [["index", String(at)]]) : call))
        .join(",")}]`
    : text

const callMembers = ["tool_calls", "function_call"]

/**
 * The deltas of a message: its role and what says nothing, then reasoning and all else, then its text, then its calls. Apart, since some clients
 * look for one of them in a delta and pass over the others.
 */
const deltasOf = (message: Members): ReadonlyArray<Texts> => {
  const content = message.get("content")
  const text = content !== undefined && isString(content) ? content : undefined
  const first: Array<readonly [string, string]> = [["role", message.get("role") ?? '"assistant"']]
  if (text !== undefined) first.push(["content", '""'])
  const others: Array<readonly [string, string]> = []
  const calls: Array<readonly [string, string]> = []
  for (const [name, value] of message) {
    if (name === "role" || (name === "content" && text !== undefined)) continue
    if (isBlank(value)) first.push([name, value])
    else if (callMembers.includes(name)) calls.push([name, numberedCalls(value)])
    else others.push([name, value])
  }
  const said: Texts = text === undefined || isBlank(text) ? [] : [["content", text]]
  return [first, ...[others, said, calls].filter((members) => members.length > 0)]
}

const saysText = (delta: Texts): boolean => delta.some(([name]) => name === "content")

/** The choices of the chunks in which a choice is given out: what it says, then its end and all that is said of it. */
const chatChoices = (index: string, message: Members, rest: Texts): ReadonlyArray<string> => {
  const deltas = deltasOf(message)
  const logprobs = rest.filter(([name]) => name === "logprobs")
  // They belong to the text, where there is any.
  const withText = deltas.findIndex((delta, at) => at > 0 && saysText(delta))
  const last = rest.filter(([name]) => name !== "finish_reason" && (withText === -1 || name !== "logprobs"))
  const finish = rest.filter(([name]) => name === "finish_reason")
  return [
    ...deltas.map((delta, at) =>
      objectText([
        ["index", index],
        ["delta", objectText(delta)],
        ...(at === withText ? logprobs : []),
        ["finish_reason", "null"],
      ]),
    ),
    objectText([["index", index], ["delta", "{}"], ...last, ...finish]),
  ]
}

const textChoices = (index: string, text: string, rest: Texts): ReadonlyArray<string> => {
  const logprobs = rest.filter(([name]) => name === "logprobs")
  const last = rest.filter(([name]) => name !== "logprobs")
  return [
    objectText([["index", index], ["text", text], ...logprobs, ["finish_reason", "null"]]),
    objectText([["index", index], ["text", '""'], ...last]),
  ]
}

/** The choices of a choice's chunks; `undefined` where it is none of this endpoint. */
const choicesOf = (
  endpoint: Endpoint,
  text: string,
  choice: JsonObject,
  position: number,
): ReadonlyArray<string> | undefined => {
  const members = memberTexts(text)
  const holder = endpoint.name === "chat.completions" ? "message" : "text"
  const held = members.get(holder)
  const index = typeof choice["index"] === "number" ? members.get("index") : undefined
  const rest = [...members].filter(([name]) => name !== "index" && name !== holder)
  if (held === undefined) return undefined
  if (holder === "text") return textChoices(index ?? String(position), held, rest)
  return isJsonObject(choice["message"])
    ? chatChoices(index ?? String(position), memberTexts(held), rest)
    : undefined
}

/** The most that the chunks take which are made of one event. */
export const maxMadeBytes = 64 * 1024 * 1024

/** Whether the choices of an event are those of a plain answer. */
export const isPlain = ({ choices }: JsonObject): boolean =>
  isJsonArray(choices) &&
  choices.length > 0 &&
  choices.every(
    (choice) => isJsonObject(choice) && isJsonObject(choice["message"]) && choice["delta"] === undefined,
  )

/**
 * The data of the chunks that make this answer, the one of its usage last; `undefined` where it is no answer of the endpoint, or they take more bytes than
 * they may: what stands in every chunk may be of any size.
 *
 * Law: put together again, they are the answer.
 */
export const chunksOf = (
  endpoint: Endpoint,
  bytes: Uint8Array,
  limitBytes: number,
): ReadonlyArray<Uint8Array> | undefined => {
  const answer = outlineOf(bytes, answerLimits)
  const choices = answer?.["choices"]
  if (answer === undefined || !isJsonArray(choices) || choices.length === 0) return undefined
  const members = memberTexts(onOneLine(decoder.decode(bytes)))
  const object = endpoint.name === "chat.completions" ? '"chat.completion.chunk"' : '"text_completion"'
  const all = [...members].filter(([name]) => name !== "object" && name !== "choices")
  const common: Texts = [["object", object], ...all.filter(([name]) => inEveryChunk.has(name))]
  const usage = isJsonObject(answer["usage"]) ? all.filter(([name]) => name === "usage") : []
  const others = all.filter((one) => !inEveryChunk.has(one[0]) && !usage.includes(one))

  const datas: Array<Uint8Array> = []
  let left = limitBytes
  const add = (ofChoices: string, more: Texts): boolean => {
    const data = encoder.encode(objectText([...common, ["choices", ofChoices], ...more]))
    left -= data.length
    datas.push(data)
    return left >= 0
  }

  const texts = elementTexts(members.get("choices") ?? "[]")
  for (const [position, choice] of choices.entries()) {
    const ofIt = isJsonObject(choice)
      ? choicesOf(endpoint, texts[position] ?? "{}", choice, position)
      : undefined
    if (ofIt === undefined) return undefined
    for (const [at, one] of ofIt.entries()) {
      const isLast = position === choices.length - 1 && at === ofIt.length - 1
      if (!add(`[${one}]`, isLast ? others : [])) return undefined
    }
  }
  return usage.length === 0 || add("[]", usage) ? datas : undefined
}
