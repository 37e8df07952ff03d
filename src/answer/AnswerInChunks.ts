/**
 * A plain answer given out as the chunks of a stream, for a client that asked for one. Put together of the answer's own text, so that no number loses a
 * digit and no depth of nesting matters.
 */
import { isJsonArray, isJsonObject, type JsonObject } from "../wire/Json.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { elementTexts, memberTexts, objectText, onOneLine } from "../wire/JsonText.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import { longestChanged } from "./StreamEvent.ts"

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

/** The most that the chunks take which are made of one event. */
export const maxMadeBytes = 64 * 1024 * 1024

/** Whether the choices of an event are those of a plain answer. */
export const isPlain = ({ choices }: JsonObject): boolean =>
  isJsonArray(choices) &&
  choices.length > 0 &&
  choices.every(
    (choice) => isJsonObject(choice) && isJsonObject(choice["message"]) && choice["delta"] === undefined,
  )

const indexText = ({ index }: JsonObject, position: number): string =>
  String(typeof index === "number" ? index : position)

/**
 * The data of the chunks that make this answer, the one of its usage last; `undefined` where it is no answer of this shape, or they take more bytes than
 * they may: what stands in every chunk may be of any size.
 *
 * Law: put together again, they are the answer.
 */
export const chunksOf = (
  shape: AnswerShape,
  bytes: Uint8Array,
  limitBytes: number,
): ReadonlyArray<Uint8Array> | undefined => {
  const answer = outlineOf(bytes, answerLimits)
  const choices = answer?.["choices"]
  if (answer === undefined || !isJsonArray(choices) || choices.length === 0) return undefined
  const members = memberTexts(onOneLine(decoder.decode(bytes)))
  const all = [...members].filter(([name]) => name !== "object" && name !== "choices")
  const common: Texts = [
    ["object", JSON.stringify(shape.chunkObject)],
    ...all.filter(([name]) => inEveryChunk.has(name)),
  ]
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
      ? shape.cutChoice(indexText(choice, position), memberTexts(texts[position] ?? "{}"))
      : undefined
    if (ofIt === undefined) return undefined
    for (const [at, one] of ofIt.entries()) {
      const isLast = position === choices.length - 1 && at === ofIt.length - 1
      if (!add(`[${one}]`, isLast ? others : [])) return undefined
    }
  }
  return usage.length === 0 || add("[]", usage) ? datas : undefined
}

/** The choices of an answer of which something was said. */
type Seen = ReadonlyArray<{ readonly index: number }>

/**
 * The data of the chunks that are sent in place of an event which is a whole answer: an SDK looks for deltas, and would see an empty one. `undefined`
 * where it is none, or something was said of its choices before: some upstreams repeat at the end what they streamed.
 */
export const wholeInChunks = (
  shape: AnswerShape,
  data: Uint8Array,
  chunk: JsonObject,
  seen: Seen,
): ReadonlyArray<Uint8Array> | undefined => {
  const { choices } = chunk
  const isWhole =
    data.length <= longestChanged &&
    isPlain(chunk) &&
    isJsonArray(choices) &&
    choices.every(
      (choice, at) => isJsonObject(choice) && seen.every(({ index }) => index !== (choice["index"] ?? at)),
    )
  return isWhole ? chunksOf(shape, data, maxMadeBytes) : undefined
}
