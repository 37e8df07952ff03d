/** What a sound is answered with: a transcript, as an object, a text or events, by the form's `response_format` and `stream`. */
import { relayedEvents } from "../../answer/RelayedEvents.ts"
import { amount, type Usage } from "../../answer/Usage.ts"
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../../wire/Json.ts"
import { encodeJson } from "../../wire/JsonBytes.ts"
import { relayLimits } from "../../wire/JsonOutline.ts"

/** OpenAI's types have it as a text. */
const secondsIn = (duration: Json | undefined): number | undefined =>
  amount(typeof duration === "string" && duration !== "" ? Number(duration) : duration)

const utf8 = new TextDecoder()

/** Silence has a transcript too, an empty one. */
export const transcripts = {
  relays: {
    holds: "text",
    outline: relayLimits,
    objectOf: (bytes: Uint8Array) => encodeJson({ text: utf8.decode(bytes) }),
  },
  says: ({ segments, text }: JsonObject): boolean => typeof text === "string" || segments !== undefined,
  silence: "no text",
  // Where the usage tells none, as of servers that count nothing, the transcript may say how long the sound is.
  counted: ({ duration }: JsonObject, { audioSeconds }: Usage): Partial<Usage> => ({
    audioSeconds: audioSeconds ?? secondsIn(duration),
  }),
} as const

const delta = "transcript.text.delta"
const segment = "transcript.text.segment"
const last = "transcript.text.done"

/** The segments of a transcript with speakers, as the events that they are called; else its text. */
const partsOf = ({ segments, text }: JsonObject): ReadonlyArray<JsonObject> => {
  const spoken = isJsonArray(segments) ? segments.filter(isJsonObject) : []
  const named = spoken.filter(({ type }) => type === segment)
  return named.length > 0
    ? named
    : typeof text === "string" && text !== ""
      ? [{ type: delta, delta: text }]
      : []
}

const saidIn = (events: ReadonlyArray<JsonObject>): string =>
  events.map((event) => (typeof event["delta"] === "string" ? event["delta"] : "")).join("")

export const transcriptEvents = relayedEvents({
  last,
  lastSays: true,
  eventsOf: (answer) => {
    const { text, usage } = answer
    if (!transcripts.says(answer)) return undefined
    const done = { type: last, text: text ?? "", ...(usage === undefined ? {} : { usage }) }
    return [...partsOf(answer), done]
  },
  answerOf: (events) => {
    const segments = events.filter(({ type }) => type === segment)
    const { type, ...done } = events.findLast((event) => event["type"] === last) ?? {}
    return { text: saidIn(events), ...(segments.length === 0 ? {} : { segments }), ...done }
  },
})
