import { describe, expect, it } from "vitest"
import {
  allFinished,
  firstFinishReason,
  maxChoices,
  type Progress,
  progressWith,
} from "../../src/answer/Progress.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { finishChunk, textChunk } from "../support/Wire.ts"

const jsonOf = (chunk: unknown): JsonObject => JSON.parse(JSON.stringify(chunk))

const progressOf = (...chunks: ReadonlyArray<unknown>): Progress =>
  chunks.map(jsonOf).reduce(progressWith, [])

describe("the progress of an answer", () => {
  it("has each choice once, and why it ended, which is said once", () => {
    expect(progressOf(textChunk("a"), textChunk("b"), finishChunk("stop"), finishChunk("length"))).toEqual([
      { index: 0, finishReason: "stop" },
    ])
  })

  it("is the same one where a chunk says nothing new", () => {
    const progress = progressOf(textChunk("a"))
    expect(progressWith(progress, jsonOf(textChunk("b")))).toBe(progress)
    expect(progressWith(progress, { choices: ["a"] })).toBe(progress)
    expect(progressWith(progress, {})).toBe(progress)
  })

  it("is finished where every choice that was seen is, and not before one was", () => {
    expect(allFinished([])).toBe(false)
    expect(allFinished(progressOf(textChunk("a", { index: 1 }), finishChunk()))).toBe(false)
    expect(allFinished(progressOf(finishChunk()))).toBe(true)
  })

  it("tells the reason of the choice with the lowest number, whichever came first", () => {
    const both = progressOf({ choices: [{ index: 1, finish_reason: "length" }] }, finishChunk("stop"))
    expect(firstFinishReason(both)).toBe("stop")
    expect(firstFinishReason([])).toBeUndefined()
  })

  it("follows no more choices than it may", () => {
    const choices = Array.from({ length: maxChoices + 1 }, (_, index) => ({ index, finish_reason: null }))
    expect(progressOf({ choices }).length).toBe(maxChoices)
  })
})
