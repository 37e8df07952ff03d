/** `/v1/images/edits`: images and a description in, an edited image out. Forms carry the images; JSON names them. */
import { jsonRelay } from "../JsonRelay.ts"
import { formReader } from "../multipart/FormRequest.ts"
import type { Operation } from "../Operation.ts"
import { imageAnswers, imageEvents, unnamedModel } from "./ImageAnswers.ts"

export const imageEdits: Operation<"images.edits"> = {
  ...jsonRelay({
    ...imageAnswers,
    name: "images.edits",
    about: "an image edited as a prompt says; a form, or JSON",
    paths: ["/images/edits"],
    needs: [["prompt"]],
    modelWhereAbsent: (_, body) => unnamedModel((member) => Object.hasOwn(body, member)),
    streams: { by: ["stream", true], as: imageEvents("image_edit") },
  }),
  form: formReader(unnamedModel),
}
