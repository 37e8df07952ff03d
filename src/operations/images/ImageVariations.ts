/** `/v1/images/variations`: an image in, others like it out. */
import { formRelay } from "../multipart/FormRelay.ts"
import { imageAnswers } from "./ImageAnswers.ts"

export const imageVariations = formRelay({
  ...imageAnswers,
  name: "images.variations",
  about: "images like one; without `model` it is `dall-e-2`",
  paths: ["/images/variations"],
  needs: [["image"]],
  modelOfForm: () => "dall-e-2",
})
