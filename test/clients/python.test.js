/**
 * Clients in Python through the gateway, and llm-comply, a suite of others that judges its answers in each dialect by the schemas that OpenAI, Anthropic
 * and OpenResponses publish. `npm run clients` runs it; it needs Python 3.10 with pip.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { startGateway } from "./Gateway.js"
import { startProvider } from "./Provider.js"
import { install, runModule } from "./Python.js"

let provider
let gateway

before(async () => {
  await install()
  provider = await startProvider()
  gateway = await startGateway(provider.url)
})

after(async () => {
  provider?.stop()
  if (gateway === undefined) return
  const code = await gateway.stop()
  assert.equal(code, 0)
})

/** Models of which the suite believes that they reason: else it skips that. */
const formats = [
  { format: "openai-chat", model: "gpt-5-x", cases: 9, more: [] },
  { format: "open-responses", model: "gpt-5-x", cases: 13, more: [] },
  {
    format: "anthropic",
    model: "claude-sonnet-4-x",
    cases: 9,
    more: ["--auth-header", "x-api-key", "--no-bearer", "--header", "anthropic-version:2023-06-01"],
  },
]

describe("llm-comply", () => {
  for (const { cases, format, model, more } of formats) {
    it(`passes each case of ${format}, without a warning`, async (test) => {
      const args = [
        "--base-url",
        gateway.baseURL,
        "--api-key",
        gateway.key,
        "--model",
        model,
        "--format",
        format,
      ]
      const { complaint, said } = await runModule("llm_comply.cli", [...args, "--json", ...more])
      assert.match(said, /^\{/, `it gave no results: ${said}${complaint}`)
      const { results } = JSON.parse(said)
      for (const { errors = [], id, status, warnings = [] } of results) {
        await test.test(id, () => {
          assert.deepEqual({ status, errors, warnings }, { status: "passed", errors: [], warnings: [] })
        })
      }
      assert.equal(results.length, cases)
    })
  }
})

describe("Python", () => {
  for (const name of ["anthropic", "openai"]) {
    it(`asks and raises with ${name}`, async () => {
      const env = { GATEWAY_URL: gateway.baseURL, GATEWAY_KEY: gateway.key, PROVIDER_URL: provider.root }
      const { code, complaint, said } = await runModule("unittest", ["-v", `test_${name}`], env)
      assert.equal(code, 0, `${complaint}${said}`)
    })
  }
})
