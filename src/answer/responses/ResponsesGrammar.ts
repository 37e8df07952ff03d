/** How responses stream: events with names, of which the last tells the response as a whole. */
import { named as namedError } from "../../errors/SaidError.ts"
import { parseJson } from "../../wire/JsonBytes.ts"
import { MachineRun } from "../../wire/Machine.ts"
import { encodeEvent, heartbeat } from "../../wire/SseWriting.ts"
import { AnswerMachineRun } from "../AnswerRun.ts"
import type { StreamGrammar } from "../StreamGrammar.ts"
import { changedResponse } from "./ChangedResponse.ts"
import { errorEvent, failedEvent, meaning, noHead } from "./ResponseEvents.ts"
import { responseInEvents } from "./ResponseInEvents.ts"
import { changeOf } from "./ResponseTexts.ts"
import { assembled, gathered } from "./ResponseTranscript.ts"
import { streamedResponse } from "./StreamedResponse.ts"

export const responsesGrammar: StreamGrammar = {
  meaning,
  answer: (settings) => new AnswerMachineRun(streamedResponse(settings)),
  frame: encodeEvent,
  kept: undefined,
  heartbeat,
  errorEvents: (body) => {
    const error = namedError(parseJson(body) ?? {})
    return [failedEvent(error, noHead, 0), errorEvent(error, 1)]
  },
  changed: (transform) => {
    const change = changeOf(transform)
    return change === undefined ? undefined : new MachineRun(changedResponse(change))
  },
  givenOut: responseInEvents,
  gathered,
  assembled,
  resume: undefined,
}
