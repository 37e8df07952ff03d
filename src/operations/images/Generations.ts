/** `/v1/images/generations`: a description in, images out. */
import type { JsonObject } from "../../wire/Json.ts"
import { jsonRelay } from "../JsonRelay.ts"
import { imageAnswers, imageEvents } from "./ImageAnswers.ts"

/** What only GPT's image models know. */
const ofGptImage = [
  "background",
  "moderation",
  "output_compression",
  "output_format",
  "partial_images",
  "stream",
]

/** Whom OpenAI asks where a request names no model. */
const unnamed = (body: JsonObject): string =>
  ofGptImage.some((member) => Object.hasOwn(body, member)) ? "gpt-image-1" : "dall-e-2"

export const generations = jsonRelay({
  ...imageAnswers,
  name: "images.generations",
  about: "images of a description",
  paths: ["/images/generations"],
  needs: [["prompt"]],
  modelWhereAbsent: (_, body) => unnamed(body),
  streams: { by: ["stream", true], as: imageEvents("image_generation") },
})
