import { describe, expect, it } from "vitest"
import { choicesAsked, choicesOf } from "../../../src/operations/text/Choices.ts"
import type { JsonObject } from "../../../src/wire/Json.ts"

describe("The choices an answer is to have", () => {
  it.each<readonly [body: JsonObject, extraBody: JsonObject, count: number]>([
    [{ messages: [], n: 3 }, {}, 3],
    [{ messages: [] }, {}, 1],
    [{ n: "3" }, {}, 1],
    [{ n: -1 }, {}, 1],
    [{ n: 1.5 }, {}, 1],
    [{ prompt: "a", n: 2 }, {}, 2],
    [{ prompt: ["a", "b"], n: 2 }, {}, 4],
    [{ prompt: [1, 2, 3] }, {}, 1],
    [{ prompt: [[1, 2], [3]] }, {}, 2],
    [{ prompt: [] }, {}, 1],
    // extra_body fills in what the request does not say, and nothing else.
    [{}, { n: 2 }, 2],
    [{ n: 3 }, { n: 2 }, 3],
    [{ n: 1 }, { n: 2 }, 1],
    [{ n: null }, { n: 2 }, 1],
    [{ prompt: ["a", "b"] }, { n: 2, prompt: ["a", "b", "c"] }, 4],
  ])("of %j with extra_body %j are %i", (body, extraBody, count) => {
    expect(choicesOf(choicesAsked(body), { extraBody })).toBe(count)
  })
})
