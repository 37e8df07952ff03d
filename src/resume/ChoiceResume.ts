/** How answers of choices are resumed, of which one has said nothing but text. */
import * as Either from "effect/Either"
import type { AnswerShape } from "../answer/AnswerShape.ts"
import { isTelling } from "../answer/ChunkScan.ts"
import type { ResumeRules } from "../answer/ResumeRules.ts"
import { errorOf } from "../answer/Verdict.ts"
import { answerLimits, outlineOf, surelyReadable } from "../wire/JsonOutline.ts"
import { MachineRun } from "../wire/Machine.ts"
import { isDone } from "../wire/Sse.ts"
import { resumedEvents } from "./ResumedEvents.ts"
import { readChunk, readSoFar } from "./SaidSoFar.ts"

/** What counts as the end of an answer and as an error is what `AnswerStream` takes for them. */
export const choiceResume = (shape: AnswerShape): ResumeRules => ({
  seen: (event) => {
    if (isDone(event)) return "over"
    const { data } = event
    if (event.event !== "error" && data.length <= surelyReadable && !isTelling(data)) return "part"
    const chunk = outlineOf(data, answerLimits)
    const error = errorOf(event, chunk)
    if (error !== undefined) return { error: error.message }
    return chunk === undefined || Either.isLeft(readChunk(shape, chunk)) ? "over" : "part"
  },
  pointAfter: (beginning, datas) => {
    const said = readSoFar(shape, beginning, datas)
    if (Either.isLeft(said)) return undefined
    const { right: soFar } = said
    return { text: soFar.text, joined: () => new MachineRun(resumedEvents(shape, soFar)) }
  },
})
