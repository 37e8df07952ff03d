import { describe, expect, it } from "vitest"
import { endpointNamed, endpointNames } from "../../src/explain/AskedEndpoint.ts"
import { passedInWords } from "../../src/explain/ExplainPassed.ts"
import { passedMethods } from "../../src/routing/Passthrough.ts"
import { makeUpstream } from "../support/arbitraries.ts"

const upstream = makeUpstream({
  name: "openai",
  baseUrl: "https://user:secret@api.example/v1",
  query: "?api-version=1&sig=secret",
})
const rules = [
  { path: "/other", upstream, methods: passedMethods },
  { path: "/v1/files", upstream, methods: passedMethods },
]

const named = (name: string) => {
  const found = endpointNamed(name, rules)
  return found.kind === "operation" || found.kind === "kept"
    ? `${found.kind} ${found.operation.name}`
    : found.kind
}

describe("An endpoint that somebody names", () => {
  it.each([
    ["responses", "operation responses"],
    ["chat", "operation chat.completions"],
    ["messages.count_tokens", "operation messages.count_tokens"],
    ["/v1/embeddings", "operation embeddings"],
    ["embeddings", "operation embeddings"],
    ["v1/chat/completions", "operation chat.completions"],
    ["/anthropic/v1/messages", "operation messages"],
    ["/v2/rerank", "operation rerank"],
    ["http://localhost:8000/openai/v1/embeddings?x=1", "operation embeddings"],
    ["responses.retrieve", "kept responses.retrieve"],
    ["/v1/responses/{id}", "kept responses.retrieve"],
    ["/v1/responses/resp_1/cancel", "kept responses.cancel"],
    ["/v1/files", "passed"],
    ["/v1/files/a/content", "passed"],
    ["/v1/files/a/%2e%2e%2fb", "unclear"],
    ["/v1/batches", "unknown"],
    ["files", "unknown"],
    ["", "unknown"],
  ])("%j is %s", (name, expected) => {
    expect(named(name)).toBe(expected)
  })

  it("is each by the name that is told", () => {
    for (const name of endpointNames) expect(named(name)).toBe(`operation ${name}`)
  })

  it("is of the model that a path of Azure's names", () => {
    expect(endpointNamed("/openai/deployments/gpt-x/chat/completions", [])).toMatchObject({
      kind: "operation",
      operation: { name: "chat.completions" },
      model: "gpt-x",
    })
  })
})

describe("A path that is handed on", () => {
  it("is told with its rule and where it is asked, and without what may be a secret", () => {
    const found = endpointNamed("/v1/files/a", rules)
    if (found.kind !== "passed") throw new Error(found.kind)
    const { forMachines, inWords } = passedInWords("/v1/files/a", found)
    expect(inWords).toBe(
      "/v1/files/a is handed on to openai (passthrough[1], GET, POST, PUT, PATCH, DELETE), whatever the model; it is asked at https://api.example/v1/files/a?api-version=…&sig=…",
    )
    expect(forMachines).toMatchObject({ client: "openai", rule: 1 })
    expect(JSON.stringify(forMachines)).not.toContain("secret")
  })
})
