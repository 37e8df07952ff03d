/** `/v1/images/generations`: a description in, images out. */
import { jsonRelay } from "../JsonRelay.ts"
import { imageAnswers, imageEvents, unnamedModel } from "./ImageAnswers.ts"

export const generations = jsonRelay({
  ...imageAnswers,
  name: "images.generations",
  about: "images of a description",
  paths: ["/images/generations"],
  needs: [["prompt"]],
  modelWhereAbsent: (_, body) => unnamedModel((member) => Object.hasOwn(body, member)),
  streams: { by: ["stream", true], as: imageEvents("image_generation") },
})
