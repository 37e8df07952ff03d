/** `/v1/audio/transcriptions`: a sound in, what is said in it out. */
import { formRelay } from "../multipart/FormRelay.ts"
import { transcriptEvents, transcripts } from "./Transcripts.ts"

export const transcriptions = formRelay({
  ...transcripts,
  name: "audio.transcriptions",
  about: "what is said in a sound, as JSON, text, srt or vtt",
  paths: ["/audio/transcriptions"],
  needs: [["file"]],
  streams: { by: ["stream", true], as: transcriptEvents },
})
