/** Which path was meant by one that is not served. */
import { describe, expect, it } from "vitest"
import { meantPath } from "../../../src/operations/paths/MeantPath.ts"

describe("The path that was meant", () => {
  it.each([
    ["/v1/v1/chat/completions", "/v1/chat/completions"],
    ["/api/v1/chat/completions", "/v1/chat/completions"],
    ["/v1/chat/completions/chat/completions", "/v1/chat/completions"],
    ["/V1/Chat/Completions", "/v1/chat/completions"],
    ["/v1/chat/completions/models", "/v1/models"],
    ["/v2/completions", "/v1/completions"],
    ["/api/v1/embeddings", "/v1/embeddings"],
    ["/v1/embedding", "/v1/embeddings"],
    ["/openai/Chat/Completion", "/v1/chat/completions"],
    ["/v1/model", "/v1/models"],
    ["/v1/chat", undefined],
    ["/v1/files", undefined],
    ["/v1/assistants", undefined],
    ["/", undefined],
  ])("by %s is %s", (path, meant) => {
    expect(meantPath(path)).toBe(meant)
  })
})
