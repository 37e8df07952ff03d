import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { loadConfig } from "../../../src/config/file/ConfigFile.ts"
import { publicly } from "../../../src/config/file/Saying.ts"

const client = {
  name: "openai",
  base_url: "https://api.openai.com/v1",
  model_match: { type: "keyword", value: ["gpt"] },
}

const problemsOf = (passthrough: unknown): ReadonlyArray<string> => {
  const loaded = loadConfig(stringify({ passthrough, openai_clients: [client] }), {})
  return Either.isRight(loaded)
    ? []
    : loaded.left.map(({ message, path }) => `${publicly(path)}: ${publicly(message)}`)
}

describe("checkPassthrough", () => {
  it("takes rules of clients that there are, for what is not served", () => {
    expect(
      problemsOf([
        { path: "/v1/files", client: "openai" },
        { path: "/v1/files/shared", client: "openai", methods: ["GET"] },
        { path: "/v1/messages/batches", client: "openai" },
        { path: "/v1/chat/completions/stored", client: "openai" },
      ]),
    ).toEqual([])
  })

  it.each([
    ["/v1", "/v1/chat/completions"],
    ["/v1/chat", "/v1/chat/completions"],
    ["/v1/chat/completions", "/v1/chat/completions"],
    ["/openai/v1/embeddings", "/openai/v1/embeddings"],
    ["/v1/models/gpt", "/v1/models"],
    ["/openai/deployments/a", "/openai/deployments/"],
    ["/health", "/health"],
    ["/rerank", "/rerank"],
  ])("does not let a rule for %s hide what is served", (path, served) => {
    const [problem, ...more] = problemsOf([{ path, client: "openai" }])
    expect(problem).toContain(`${served} is served here`)
    expect(more).toEqual([])
  })

  it.each([
    ["v1/files", "begins with a slash"],
    ["/", "no slash at its end"],
    ["/v1/files/", "no slash at its end"],
    ["/v1/../files", "no . or .."],
    ["/v1/%66iles", "escapes"],
    ["/v1/a b", "plain letters"],
  ])("does not take the path %s, and says what would be right", (path, rule) => {
    const [problem, ...more] = problemsOf([{ path, client: "openai" }])
    expect(problem).toMatch(/^passthrough\[0\]\.path: expected a path such as \/v1\/files: /)
    expect(problem).toContain(rule)
    expect(more).toEqual([])
  })

  it("says of a path above what is served that the paths to hand on are named one by one", () => {
    expect(problemsOf([{ path: "/v1", client: "openai" }]).join()).toContain("one by one")
    expect(problemsOf([{ path: "/v1/embeddings", client: "openai" }]).join()).not.toContain("one by one")
  })

  it("tells of a client that there is not, a path that is taken and a method that is none", () => {
    const problems = problemsOf([
      { path: "/v1/files", client: "opnai" },
      { path: "/v1/files", client: "openai", methods: ["FETCH"] },
    ]).join("; ")
    expect(problems).toContain("there is no client")
    expect(problems).toContain("another rule has this path")
    expect(problems).toContain("methods")
  })
})
