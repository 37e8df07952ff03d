/** Who is told of errors in which face. */
import { describe, expect, it } from "vitest"
import { faceOf } from "../../src/operations/FaceOf.ts"
import { allOperations } from "../../src/operations/Operations.ts"
import { spellingsOf } from "../../src/operations/paths/Spellings.ts"

describe("The face of a request", () => {
  it.each(allOperations)("is that of $name at each of its paths", ({ face, paths }) => {
    for (const spelled of [...paths.flatMap(spellingsOf), `/openai/deployments/m${paths[0]}`]) {
      expect([spelled, faceOf(`/${spelled}/?beta=true`, {})]).toEqual([spelled, face])
    }
  })

  it.each([
    "/v1/messages",
    "/v1/messages?beta=true",
    "/messages/",
    "/v1/messages/count_tokens",
    "/v1/messages/batches/msgbatch_1/results",
    "/anthropic/v1/messages",
    "//anthropic//v1/complete",
    "/anthropic",
    "http://gateway.test/v1/messages",
  ])("is Anthropic's at %s", (target) => {
    expect(faceOf(target, {})).toBe("anthropic")
  })

  it.each(["/", "/v1/messagesx", "/v1/threads/t/messages", "/anthropics", "/health", "*", ""])(
    "is OpenAI's at %s",
    (target) => {
      expect(faceOf(target, { "anthropic-version": "2023-06-01" })).toBe("openai")
    },
  )

  it("is told by the headers where models are asked for", () => {
    for (const target of ["/v1/models", "/models?limit=9", "/v1/models/claude/x"]) {
      expect(faceOf(target, {})).toBe("openai")
      expect(faceOf(target, { authorization: "Bearer k", "api-key": "k" })).toBe("openai")
      expect(faceOf(target, { "anthropic-version": "2026-10-21" })).toBe("anthropic")
      expect(faceOf(target, { "x-api-key": "k" })).toBe("anthropic")
    }
    expect(faceOf("/anthropic/v1/models", {})).toBe("anthropic")
  })
})
