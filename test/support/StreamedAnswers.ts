/** A streamed answer as the gateway makes it of events: its texts changed, then judged and ended. */

import type { AnswerEnd } from "../../src/answer/AnswerRun.ts"
import { answerStream, type ChoiceAnswerState, type ChoiceSettings } from "../../src/answer/AnswerStream.ts"
import { changedTexts } from "../../src/answer/ChangedTexts.ts"
import type { ChoiceTransform } from "../../src/answer/ChoiceTransform.ts"
import { MachineRun } from "../../src/wire/Machine.ts"
import type { SseEvent } from "../../src/wire/Sse.ts"

export interface StreamedSettings extends ChoiceSettings {
  readonly transform: ChoiceTransform
}

export interface Streamed {
  readonly data: ReadonlyArray<Uint8Array>
  readonly state: ChoiceAnswerState
}

/** The data that is sent of these events; `end` happens where the answer has not ended itself. */
export const streamed = (
  { transform, ...settings }: StreamedSettings,
  events: ReadonlyArray<SseEvent>,
  end: AnswerEnd = { kind: "ended" },
): Streamed => {
  const texts = changedTexts(settings.shape, transform, !settings.includeUsage)
  const run = texts === undefined ? undefined : new MachineRun(texts)
  const stream = answerStream(settings)
  const data: Array<Uint8Array> = []
  let state = stream.initial
  const take = (some: ReadonlyArray<SseEvent>) => {
    for (const one of some) {
      const [next, outputs] = stream.step(state, one, 0)
      state = next
      data.push(...outputs.map((output) => output.data))
    }
  }
  take(run?.take(events) ?? events)
  take(run?.rest() ?? [])
  const [last, outputs] = stream.end(state, end, 0)
  return { data: [...data, ...outputs.map((output) => output.data)], state: last }
}
