import { describe, expect, it } from "vitest"
import { identityOf } from "../../src/answer/AnswerIdentity.ts"

describe("what an answer calls itself", () => {
  it.each([
    [
      { id: "chatcmpl-1", service_tier: "flex" },
      { responseId: "chatcmpl-1", serviceTier: "flex" },
    ],
    [
      { id: "msg_1", usage: { service_tier: "priority" } },
      { responseId: "msg_1", serviceTier: "priority" },
    ],
    [{}, {}],
    [{ id: "", service_tier: null }, {}],
    [{ id: 7, service_tier: ["flex"], usage: "none" }, {}],
  ])("is read of %j", (answer, expected) => {
    expect(identityOf(answer)).toEqual({ responseId: undefined, serviceTier: undefined, ...expected })
  })
})
