import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { stringify } from "yaml"
import { type Env, loadConfig } from "../../../src/config/file/ConfigFile.ts"
import { toOperator } from "../../../src/config/file/Saying.ts"

/** What is said of a client beside where it stands. */
const saidOf = (client: Readonly<Record<string, unknown>>, env: Env = {}): ReadonlyArray<string> => {
  const model_match = { type: "keyword", value: ["m"] }
  const text = stringify({ openai_clients: [{ name: "a", pass_key: false, model_match, ...client }] })
  return Either.match(loadConfig(text, env), {
    onLeft: (all) => all,
    onRight: ({ warnings }) => warnings,
  }).map(({ message, path, severity }) => `${severity} ${toOperator(path)}: ${toOperator(message)}`)
}

const own = "this is Sluice's own address, so each request would come back to it"
const warned = [
  `warning openai_clients[0].base_url: ${own}; start the server on another port, and write that in base_url`,
]

describe("A client at Sluice's own address", () => {
  it.each<[string, Env]>([
    ["http://localhost:8000/v1", {}],
    ["http://127.0.0.1:8000/v1", {}],
    ["http://[::1]:8000/v1", {}],
    ["http://0.0.0.0:8000/v1", {}],
    ["http://localhost:8000/v1", { SERVER_PORT: "8000", SERVER_HOST: "127.0.0.1" }],
    ["http://localhost:9000/v1", { SERVER_PORT: "9000", SERVER_HOST: "::" }],
    ["http://localhost/v1", { SERVER_PORT: "80" }],
    ["http://10.0.0.5:8000/v1", { SERVER_HOST: "10.0.0.5" }],
  ])("is warned of: %s where the environment says %j", (base_url, env) => {
    expect(saidOf({ base_url }, env)).toEqual(warned)
  })

  it.each<[string, Env]>([
    ["http://localhost:8001/v1", {}],
    ["http://localhost:8000/v1", { SERVER_PORT: "8080" }],
    ["http://localhost:8000/v1", { SERVER_HOST: "10.0.0.5" }],
    ["http://vllm:8000/v1", {}],
    ["http://10.0.0.5:8000/v1", {}],
    ["https://localhost/v1", { SERVER_PORT: "80" }],
  ])("is not at another: %s where the environment says %j", (base_url, env) => {
    expect(saidOf({ base_url }, env)).toEqual([])
  })

  it("may have got it from its preset: vLLM takes the same port", () => {
    expect(saidOf({ preset: "vllm" })).toEqual([
      `warning openai_clients[0].preset: ${own}; vLLM and Sluice both take port 8000 unless told otherwise: start it on another (\`--port 8001\`), and write base_url: http://localhost:8001/v1`,
    ])
    expect(saidOf({ preset: "vllm" }, { SERVER_PORT: "8080" })).toEqual([])
    expect(saidOf({ preset: "vllm", base_url: "http://localhost:8001/v1" })).toEqual([])
  })
})
