/** How answers of choices stream, those of chats and of legacy completions: chunks as the data of events without names, and `[DONE]`. */
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { MachineRun } from "../wire/Machine.ts"
import { doneData, isDone } from "../wire/Sse.ts"
import { encode, heartbeat } from "../wire/SseWriting.ts"
import { chunksOf } from "./AnswerInChunks.ts"
import { AnswerMachineRun } from "./AnswerRun.ts"
import type { AnswerShape } from "./AnswerShape.ts"
import { answerStream } from "./AnswerStream.ts"
import { changedTexts } from "./ChangedTexts.ts"
import type { ResumeRules } from "./ResumeRules.ts"
import { errorOnOneLine, isOver, type StreamGrammar, saysNothing, saysSomething } from "./StreamGrammar.ts"
import { assemble, gathered } from "./transcript/Transcript.ts"
import { errorOf, says } from "./Verdict.ts"

const meaning: StreamGrammar["meaning"] = (event) => {
  if (isDone(event)) return isOver
  const chunk = outlineOf(event.data, answerLimits)
  const error = errorOf(event, chunk)
  if (error !== undefined) return { kind: "error", error }
  return chunk !== undefined && says(chunk) ? saysSomething : saysNothing
}

/** @param resume how an answer of this shape that broke off is resumed */
export const choiceGrammar = (shape: AnswerShape, resume: ResumeRules | undefined): StreamGrammar => ({
  meaning,
  answer: ({ choices, includeUsage, secrets }) =>
    new AnswerMachineRun(answerStream({ shape, choices, includeUsage, secrets })),
  frame: ({ data }) => encode(data),
  kept: undefined,
  heartbeat,
  errorEvents: (body) => [errorOnOneLine(body, undefined)],
  changed: (transform, hidesUsage) => {
    const machine = changedTexts(shape, transform, hidesUsage)
    return machine === undefined ? undefined : new MachineRun(machine)
  },
  givenOut: (body, limitBytes) => {
    const datas = chunksOf(shape, body, limitBytes)
    return datas === undefined ? undefined : [...datas, doneData]
  },
  gathered: (packed) => gathered(shape, packed),
  assembled: (datas, truncated) => assemble(shape, datas, truncated),
  resume,
})
