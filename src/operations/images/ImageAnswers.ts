/** Answers of images: megabytes of base64 each, or links, in one object that is handed on as it comes. */
import { isJsonArray, type JsonObject } from "../../wire/Json.ts"
import { relayLimits } from "../../wire/JsonOutline.ts"

/** Longer than the prompts that answers repeat: of images enough is kept to tell their type. */
const longestText = 4 * 1024

export const imageAnswers = {
  relays: { holds: "json", outline: { ...relayLimits, longestText } },
  says: ({ data }: JsonObject): boolean => isJsonArray(data) && data.length > 0,
  silence: "no image",
} as const
