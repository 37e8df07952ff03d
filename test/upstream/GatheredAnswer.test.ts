import { describe, expect, it } from "vitest"
import { choiceGrammar } from "../../src/answer/ChoiceGrammar.ts"
import { chatShape } from "../../src/operations/chat/ChatShape.ts"
import { GatheredAnswer } from "../../src/upstream/GatheredAnswer.ts"
import { parseObject } from "../../src/wire/JsonBytes.ts"
import { bytesOf } from "../support/answers.ts"
import { finishChunk, textChunk } from "../support/Wire.ts"

const gathering = (choices: number) =>
  new GatheredAnswer<never>({
    grammar: choiceGrammar(chatShape, undefined),
    choices,
    limitBytes: 100_000,
    hold: () => true,
    failureOf: (never) => never,
  })

const events = (...chunks: ReadonlyArray<unknown>) =>
  chunks.map((chunk) => ({ data: bytesOf(chunk), event: undefined }))

describe("an answer put together of events", () => {
  it("is not finished before all choices that were asked for have ended, though the others have not begun", () => {
    const answer = gathering(2)
    answer.onEvents(events(textChunk("Yes"), finishChunk()))
    expect(answer.isFinished).toBe(false)
    answer.onEvents(events(textChunk("No", { index: 1 })))
    expect(answer.isFinished).toBe(false)
    answer.onEvents(events(finishChunk("stop", { index: 1 })))
    expect(answer.isFinished).toBe(true)
  })

  it("is whole with fewer choices than were asked for where its upstream ends it", () => {
    const answer = gathering(2)
    answer.onEvents(events(textChunk("Yes"), finishChunk()))
    answer.onEnd({ kind: "ended" })
    const { gathered } = answer
    const body = gathered.kind === "whole" ? parseObject(gathered.body) : undefined
    expect(body?.["choices"]).toMatchObject([{ index: 0, message: { content: "Yes" } }])
  })
})
