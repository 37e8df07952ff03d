/** `/v1/audio/speech`: a text in, its sound out. */
import { relayedEvents } from "../../answer/RelayedEvents.ts"
import { characters } from "../../wire/Characters.ts"
import type { JsonObject } from "../../wire/Json.ts"
import { answerLimits } from "../../wire/JsonOutline.ts"
import { jsonRelay } from "../JsonRelay.ts"

/** What is kept of a sound that came in events: in how many of them, and how the last one ended it. */
const answerOf = (events: ReadonlyArray<JsonObject>): JsonObject => {
  const done = events.find(({ type }) => type === last)
  return { deltas: events.filter(({ type }) => type === "speech.audio.delta").length, ...done }
}

const last = "speech.audio.done"

const events = relayedEvents({ last, lastSays: false, eventsOf: () => undefined, answerOf })

const charactersOf = ({ input }: JsonObject): number | undefined =>
  typeof input === "string" ? characters(input) : undefined

export const speech = jsonRelay({
  name: "audio.speech",
  about: "speech of a text: sound as it comes",
  paths: ["/audio/speech"],
  needs: [["input"]],
  relays: { holds: "sound", outline: answerLimits },
  says: () => false,
  silence: "no sound",
  characters: charactersOf,
  streams: { by: ["stream_format", "sse"], as: events },
})
