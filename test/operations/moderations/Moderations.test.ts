/** Moderations: OpenAI's model where a request names none. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { nothingOmitted } from "../../../src/operations/Additions.ts"
import { moderations } from "../../../src/operations/moderations/Moderations.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const decoded = (text: string) =>
  Either.getOrThrow(moderations.decode(new TextEncoder().encode(text), {}, "only"))

const sentTo = (upstreamModel: string, text: string): string => {
  const prepared = decoded(text).bodyFor({ upstream: makeUpstream(), upstreamModel }, nothingOmitted)
  return new TextDecoder().decode(Either.getOrThrow(prepared).body)
}

describe("a request for moderations", () => {
  it.each([
    ['{"input":"a"}', "omni-moderation-latest", false],
    ['{"input":["a","b"],"model":"text-moderation-007"}', "text-moderation-007", false],
    [
      '{"input":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:"}}]}',
      "omni-moderation-latest",
      true,
    ],
  ])("is routed by its model, or the one OpenAI takes: %s", (text, model, multimodal) => {
    expect(decoded(text).facts).toMatchObject({ model, multimodal })
    expect(decoded(text).affinity()).toBe("a")
  })

  it("is sent without a model where it came without, unless another is to answer", () => {
    expect(sentTo("omni-moderation-latest", '{"input": "a"}')).toBe('{"input": "a"}')
    expect(sentTo("mistral-moderation-latest", '{"input": "a"}')).toBe(
      '{"input": "a","model":"mistral-moderation-latest"}',
    )
  })
})
