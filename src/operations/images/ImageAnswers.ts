/** Answers of images: megabytes of base64 each, or links, in one object that is handed on as it comes. */
import { relayedEvents } from "../../answer/RelayedEvents.ts"
import type { StreamGrammar } from "../../answer/StreamGrammar.ts"
import type { Usage } from "../../answer/Usage.ts"
import { isJsonArray, isJsonObject, type JsonObject } from "../../wire/Json.ts"
import { relayLimits } from "../../wire/JsonOutline.ts"

/** Longer than the prompts that answers repeat: of images enough is kept to tell their type. */
const longestText = 4 * 1024

export const imageAnswers = {
  relays: { holds: "json", outline: { ...relayLimits, longestText } },
  says: ({ data }: JsonObject): boolean => isJsonArray(data) && data.length > 0,
  silence: "no image",
  counted: ({ data }: JsonObject): Partial<Usage> => ({
    images: isJsonArray(data) ? data.length : undefined,
  }),
} as const

/** What an answer says of all its images, and an event of its one. */
const shared = ["background", "output_format", "quality", "size"] as const

const sharedIn = (answer: JsonObject): JsonObject =>
  Object.fromEntries(shared.flatMap((name) => (answer[name] === undefined ? [] : [[name, answer[name]]])))

/** The events of images, some of them not finished yet, whose types begin with this. */
export const imageEvents = (operation: string): StreamGrammar => {
  const last = `${operation}.completed`
  return relayedEvents({
    last,
    lastSays: true,
    counted: (images) => ({ images }),
    eventsOf: (answer) => {
      const { created, data, usage } = answer
      if (!isJsonArray(data)) return undefined
      const images = data.filter(isJsonObject)
      return images.map((image, at) => ({
        type: last,
        ...sharedIn(answer),
        created_at: created ?? 0,
        ...image,
        // Once, for all of them.
        ...(usage === undefined || at < images.length - 1 ? {} : { usage }),
      }))
    },
    answerOf: (events) => {
      const whole = events.filter(({ type }) => type === last)
      return { partial_images: events.length - whole.length, data: whole }
    },
  })
}

/** What only GPT's image models know. */
const ofGptImage = [
  "background",
  "input_fidelity",
  "moderation",
  "output_compression",
  "output_format",
  "partial_images",
  "stream",
]

/** The model that OpenAI takes where a request names none, by what else it says. */
export const unnamedModel = (says: (member: string) => boolean): string =>
  ofGptImage.some(says) ? "gpt-image-1" : "dall-e-2"
