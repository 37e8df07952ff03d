/** Counts that do not add up, as other dialects tell them. */
import { describe, expect, it } from "vitest"
import { readUsage } from "../../src/answer/Usage.ts"
import { forms } from "../../src/dialects/Forms.ts"
import { guardedAnswer } from "../../src/dialects/GuardedAnswer.ts"
import { dialects } from "../../src/routing/Dialect.ts"
import type { JsonObject } from "../../src/wire/Json.ts"
import { askedFor } from "./Abilities.ts"

/** The usage of an answer in chat as each dialect tells it, and reads it again. */
const toldOf = (usage: JsonObject) =>
  dialects.map((dialect) => {
    const message = { role: "assistant", content: "a" }
    const read = forms.chat.readAnswer({ choices: [{ message, finish_reason: "stop" }], usage })
    const answer = read === undefined ? undefined : guardedAnswer(read)
    if (answer === undefined) throw new Error("it is no answer")
    return forms[dialect].readAnswer(forms[dialect].writeAnswer(answer, askedFor))?.counts
  })

describe("Counts of an upstream", () => {
  it.each([
    [{ cached_tokens: 70 }, 5, undefined],
    [{ cached_tokens: 3, cache_write_tokens: 70 }, 3, 2],
    [{ cached_tokens: 3, cache_write_tokens: 2 }, 3, 2],
  ])("have no more of a cache than of input: %j of 5", (details, cached, written) => {
    for (const counts of toldOf({ prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: details })) {
      expect(counts).toMatchObject({ inputTokens: 5, cachedTokens: cached, totalTokens: 6 })
      expect(counts?.cacheWriteTokens ?? 0).toBe(written ?? 0)
    }
  })

  it("have what was thought in the output, where the total alone tells of it", () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 }
    for (const counts of toldOf(usage)) {
      expect(counts).toMatchObject({ inputTokens: 10, outputTokens: 105, totalTokens: 115 })
    }
  })

  it("are as they were where they add up, or are not all there", () => {
    for (const usage of [
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      { prompt_tokens: 10, completion_tokens: 5, total_tokens: 12 },
      { completion_tokens: 5, total_tokens: 115 },
      { prompt_tokens_details: { cached_tokens: 70 } },
    ]) {
      const message = { role: "assistant", content: "a" }
      const read = forms.chat.readAnswer({ choices: [{ message, finish_reason: "stop" }], usage })
      expect(read === undefined ? undefined : guardedAnswer(read)?.counts).toEqual(readUsage(usage))
    }
  })
})
