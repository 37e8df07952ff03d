/** `/v1/audio/speech`: a text in, its sound out. */
import { answerLimits } from "../../wire/JsonOutline.ts"
import { jsonRelay } from "../JsonRelay.ts"

export const speech = jsonRelay({
  name: "audio.speech",
  about: "speech of a text: sound as it comes",
  paths: ["/audio/speech"],
  needs: [["input"]],
  relays: { holds: "sound", outline: answerLimits },
  says: () => false,
  silence: "no sound",
  streams: { by: ["stream_format", "sse"], as: undefined },
})
