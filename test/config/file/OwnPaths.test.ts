import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { loadConfig, toldToOperator } from "../../../src/config/file/ConfigFile.ts"

/** What is said of the paths of such a client. */
const saidOf = (client: Readonly<Record<string, unknown>>): ReadonlyArray<string> => {
  const model_match = { type: "keyword", value: ["m"] }
  const text = stringify({ openai_clients: [{ name: "a", model_match, ...client }] })
  const problems = Either.match(loadConfig(text, { SERVER_PORT: "7000" }), {
    onLeft: (all) => all,
    onRight: ({ warnings }) => warnings,
  })
  return problems.map((problem) => toldToOperator("F", problem)).filter((said) => said.includes(".paths."))
}

const twice =
  "begins with the end of base_url, which would be in the address twice; leave that out here, or begin with // for a path from the root of the host"

describe("A path of a client's own", () => {
  it.each([
    { preset: "anthropic", paths: { messages: "/v1/messages" } },
    { base_url: "https://up.example/v1", paths: { messages: "/v1/messages" } },
    { base_url: "https://up.example/api/v1/?a=b", paths: { messages: "/v1/messages" } },
    { base_url: "https://up.example/api/v1", paths: { messages: "/api/v1/messages" } },
  ])("is warned of where it repeats the end of the base URL: %j", (client) => {
    expect(saidOf(client)).toEqual([
      expect.stringContaining(`openai_clients[0].paths.messages: warning: ${twice}`),
    ])
  })

  it.each([
    { preset: "anthropic", paths: { messages: "/messages" } },
    { base_url: "https://up.example/v1", paths: { messages: "//v1/messages" } },
    { base_url: "https://up.example/v1", paths: { messages: "/v1beta/messages" } },
    { base_url: "https://up.example", paths: { messages: "/v1/messages" } },
    { base_url: "https://up.example/v1/api", paths: { messages: "/v1/messages" } },
  ])("is nothing to speak of otherwise: %j", (client) => {
    expect(saidOf(client)).toEqual([])
  })
})
