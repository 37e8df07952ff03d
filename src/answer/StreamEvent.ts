/**
 * What an upstream's events are before any is read: a part of an answer, its end, an error, a ping, or something no SDK could read. Only the first
 * bytes and the last one are looked at.
 */
import { errorData } from "../errors/faces/OpenAiFace.ts"
import { brokenStream } from "../errors/StreamError.ts"
import { isJsonArray, isJsonObject } from "../wire/Json.ts"
import { holds, nextToken, parseJson, parseObject } from "../wire/JsonBytes.ts"
import { surelyReadable } from "../wire/JsonOutline.ts"
import { isDone, type SseEvent } from "../wire/Sse.ts"
import { errorIn } from "./Verdict.ts"

const [braceOpen, braceClose, bracketOpen] = [0x7b, 0x7d, 0x5b]

/** The one event that every ping is taken for: its upstream lives, and says nothing. */
export const ping: SseEvent = { data: new Uint8Array(0), event: "ping" }

/** What an event is taken for in which nothing could be read that was to be changed: no SDK could either. */
export const unreadable: SseEvent = { data: new Uint8Array(0), event: "unreadable" }

/**
 * No longer event is changed: made into chunks, without its usage, its text transformed. To write one anew holds everybody for as long as it is; passed
 * on as it came, one may be of any size.
 */
export const longestChanged = 4 * 1024 * 1024

/** Ends an answer one of whose events is longer. */
export const tooLong: SseEvent = {
  data: errorData(brokenStream("one of its events is too long to be changed")),
  event: "error",
}

/** By these names upstreams say that they live. */
const pingNames: ReadonlySet<unknown> = new Set([
  "ping",
  "heartbeat",
  "keepalive",
  "keep-alive",
  "keep_alive",
])

/** What nearly all events of typed streams are called: none of them need be read. */
const isDeltaName = (name: string): boolean => name.endsWith("_delta") || name.endsWith(".delta")

/** No ping is longer; few chunks of an answer are as short. */
const longestPing = 128

const typeName = '"type"'

/** What is numbered among the events of an answer would leave a gap. */
const numberName = '"sequence_number"'

const isPing = ({ data, event }: SseEvent): boolean => {
  if (event !== undefined) {
    if (pingNames.has(event)) return !holds(data, numberName)
    if (isDeltaName(event)) return false
  }
  if (data.length > longestPing || !holds(data, typeName) || holds(data, numberName)) return false
  const object = parseObject(data)
  return object !== undefined && pingNames.has(object["type"]) && object["choices"] === undefined
}

const lastToken = (data: Uint8Array): number | undefined => {
  let at = data.length - 1
  for (let byte = data[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; )
    byte = data[--at]
  return data[at]
}

/** A list that holds an error, as Google's servers send them. */
const isErrorList = (data: Uint8Array): boolean => {
  const list = data.length <= surelyReadable ? parseJson(data) : undefined
  return (
    list !== undefined &&
    isJsonArray(list) &&
    list.some((one) => isJsonObject(one) && errorIn(one) !== undefined)
  )
}

/** The event as it is to be taken: itself, `ping`, or an error; `undefined` where it is passed over. */
export const received = (event: SseEvent): SseEvent | undefined => {
  const { data } = event
  if (event.event === "error") return event
  if (isPing(event)) return ping
  switch (data[nextToken(data, 0)]) {
    case braceOpen:
      return lastToken(data) === braceClose ? event : undefined
    case bracketOpen:
      if (isDone(event)) return event
      return isErrorList(data) ? { data, event: "error" } : undefined
    default:
      return undefined
  }
}
