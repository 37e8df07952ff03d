/** Paths that hold a model, or an id. */
import { describe, expect, it } from "vitest"
import { operations } from "../../../src/operations/Operations.ts"
import { deploymentIn, namedIn } from "../../../src/operations/paths/NamedPath.ts"

describe("A deployment in a path", () => {
  it.each([
    ["/openai/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/openai/deployments/gpt-4o/completions", operations.completions, "gpt-4o"],
    ["/v1/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/v1/openai/deployments/gpt-4o/chat/completions", operations["chat.completions"], "gpt-4o"],
    ["/openai/deployments/org/name/chat/completions", operations["chat.completions"], "org/name"],
    ["/openai/deployments/org%2Fname/chat/completions", operations["chat.completions"], "org/name"],
  ])("of %s", (path, operation, name) => {
    expect(deploymentIn(path)).toEqual({ operation, name })
  })

  it.each([
    "/openai/deployments/chat-completions",
    "/openai/deployments/completions",
    "/openai/deployments/chat/completions",
    "/openai/deployments/gpt-4o/assistants",
    "/openai/v2/deployments/gpt-4o/chat/completions",
    "/v1/chat/completions",
  ])("is not in %s", (path) => {
    expect(deploymentIn(path)).toBeUndefined()
  })
})

describe("The id of a stored response in a path", () => {
  it.each([
    ["/v1/responses/resp_1", "resp_1", ["responses.retrieve", "responses.delete"]],
    ["/responses/resp_1", "resp_1", ["responses.retrieve", "responses.delete"]],
    ["/openai/v1/responses/a%2Fb/cancel", "a/b", ["responses.cancel"]],
    ["/v1/openai/responses/input_items/input_items", "input_items", ["responses.input_items"]],
  ])("of %s", (path, id, names) => {
    const named = namedIn(path)
    expect(named?.names).toEqual({ id })
    expect(named?.operations.map(({ name }) => name)).toEqual(names)
  })

  it.each([
    "/v1/responses",
    "/v1/responses/",
    "/v1/responses/a/b",
    "/v1/responses//cancel",
    "/v2/responses/resp_1",
    "/v1/responses/resp_1/cancel/cancel",
  ])("is not in %s", (path) => {
    expect(namedIn(path)).toBeUndefined()
  })
})
