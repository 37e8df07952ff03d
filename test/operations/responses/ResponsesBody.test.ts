/** The body that a target is sent of `/v1/responses`: its cap and its `extra_body`. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { nothingOmitted } from "../../../src/operations/Additions.ts"
import { responses } from "../../../src/operations/responses/Responses.ts"
import { makeUpstream } from "../../support/arbitraries.ts"

const sent = (body: object, settings: Parameters<typeof makeUpstream>[0]): unknown => {
  const bytes = new TextEncoder().encode(JSON.stringify({ model: "m", input: "hi", ...body }))
  const asked = Either.getOrThrow(responses.decode(bytes, {}))
  const target = { upstream: makeUpstream(settings), upstreamModel: "m" }
  const prepared = Either.getOrThrow(asked.bodyFor(target, nothingOmitted))
  const { input: _, model: __, ...rest } = JSON.parse(new TextDecoder().decode(prepared.body))
  return rest
}

describe("the body of a response for a target", () => {
  it.each([
    [{}, {}, { max_output_tokens: 100 }],
    [{ max_output_tokens: 50 }, {}, { max_output_tokens: 50 }],
    [{ max_output_tokens: 500 }, {}, { max_output_tokens: 100 }],
    [{ max_output_tokens: null }, {}, { max_output_tokens: 100 }],
    [{}, { max_output_tokens: 50 }, { max_output_tokens: 50 }],
    [{}, { max_output_tokens: 500 }, { max_output_tokens: 100 }],
    [{ max_output_tokens: null }, { max_output_tokens: 50 }, { max_output_tokens: 100 }],
    [{ x: null }, { x: 1, y: 2 }, { x: null, y: 2, max_output_tokens: 100 }],
  ])("asked %j with extra_body %j and a cap of 100 says %j", (body, extraBody, expected) => {
    expect(sent(body, { maxTokens: 100, extraBody })).toEqual(expected)
  })
})
