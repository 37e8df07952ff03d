import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { noUsage, readUsage } from "../../src/answer/Usage.ts"

describe("readUsage", () => {
  it.each([
    [
      "OpenAI's chat",
      {
        prompt_tokens_details: { cache_write_tokens: 7, audio_tokens: 3 },
        completion_tokens_details: { audio_tokens: 2 },
      },
    ],
    ["OpenAI's Responses", { input_tokens_details: { cache_write_tokens: 7, audio_tokens: 5 } }],
    [
      "Anthropic's, with audio of another's",
      { cache_creation_input_tokens: 7, output_tokens_details: { audio_tokens: 5 } },
    ],
  ])("reads what was written into a cache, and audio of both ways together, in %s words", (_, usage) => {
    expect(readUsage(usage)).toEqual({ ...noUsage, cacheWriteTokens: 7, audioTokens: 5 })
  })

  it("reads images of both ways together, as answers with pictures report them", () => {
    const usage = { input_tokens_details: { image_tokens: 40 }, output_tokens_details: { image_tokens: 2 } }
    expect(readUsage(usage).imageTokens).toBe(42)
  })

  it("reads OpenAI's names", () => {
    expect(
      readUsage({
        prompt_tokens: 10,
        completion_tokens: 20,
        total_tokens: 30,
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 5 },
      }),
    ).toEqual({
      ...noUsage,
      inputTokens: 10,
      outputTokens: 20,
      totalTokens: 30,
      cachedTokens: 4,
      reasoningTokens: 5,
      audioTokens: 0,
    })
  })

  it("reads Anthropic's names", () => {
    expect(readUsage({ input_tokens: 10, output_tokens: 20, cache_read_input_tokens: 3 })).toEqual({
      ...noUsage,
      inputTokens: 10,
      outputTokens: 20,
      cachedTokens: 3,
    })
  })

  it("reads those of OpenAI's Responses", () => {
    expect(
      readUsage({
        input_tokens: 1,
        output_tokens: 2,
        total_tokens: 3,
        input_tokens_details: { cached_tokens: 1 },
        output_tokens_details: { reasoning_tokens: 2 },
      }),
    ).toEqual({ inputTokens: 1, outputTokens: 2, totalTokens: 3, cachedTokens: 1, reasoningTokens: 2 })
  })

  it("reads DeepSeek's cache hits", () => {
    expect(readUsage({ prompt_tokens: 9, prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 1 })).toEqual({
      ...noUsage,
      inputTokens: 9,
      cachedTokens: 8,
    })
  })

  it("tells 0 from not reported", () => {
    expect(readUsage({ prompt_tokens: 0 })).toEqual({ ...noUsage, inputTokens: 0 })
  })

  it("passes over details that are null", () => {
    expect(
      readUsage({ prompt_tokens: 1, prompt_tokens_details: null, completion_tokens_details: null }),
    ).toEqual({
      ...noUsage,
      inputTokens: 1,
    })
  })

  for (const hostile of [
    "12",
    -1,
    Number.NaN,
    JSON.parse("1e400"),
    1.5,
    2 ** 60,
    null,
    true,
    [1],
    { n: 1 },
  ]) {
    it(`takes ${JSON.stringify(hostile)} for not reported`, () => {
      expect(
        readUsage({
          prompt_tokens: hostile,
          completion_tokens: hostile,
          total_tokens: hostile,
          prompt_tokens_details: { cached_tokens: hostile },
          completion_tokens_details: { reasoning_tokens: hostile },
        }),
      ).toEqual(noUsage)
    })
  }

  it("law: gives whole, non-negative, exact numbers or nothing, whatever it is given", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (usage, value) => {
        for (const given of [usage, { prompt_tokens: value, total_tokens: usage }]) {
          for (const count of Object.values(readUsage(given))) {
            expect(count === undefined || (Number.isSafeInteger(count) && count >= 0)).toBe(true)
          }
        }
      }),
    )
  })
})
