/** `/v1/audio/translations`: a sound in, what is said in it out, in English. */
import { formRelay } from "../multipart/FormRelay.ts"
import { transcripts } from "./Transcripts.ts"

export const translations = formRelay({
  ...transcripts,
  name: "audio.translations",
  about: "the same in English",
  paths: ["/audio/translations"],
  needs: [["file"]],
})
