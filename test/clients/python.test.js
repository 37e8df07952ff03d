/**
 * Clients in Python through the gateway, and llm-comply, a suite of others that judges its answers in each dialect by the schemas that OpenAI, Anthropic
 * and OpenResponses publish. `npm run clients` runs it; it needs Python 3.10 with pip.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { startGateway } from "./Gateway.js"
import { dialects, startProvider } from "./Provider.js"
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

/** What the suite says of the answers of a gateway. */
const judged = async ({ baseURL, key }, { format, model, more }) => {
  const args = [
    "--base-url",
    baseURL,
    "--api-key",
    key,
    "--model",
    model,
    "--format",
    format,
    "--json",
    ...more,
  ]
  const { complaint, said } = await runModule("llm_comply.cli", args)
  assert.match(said, /^\{/, `it gave no results: ${said}${complaint}`)
  return JSON.parse(said).results
}

/** Passes all but the cases that ask for what there is not. */
const passes = async (test, asked, { cases, ...suite }, impossible = {}) => {
  const results = await judged(asked, suite)
  for (const { errors = [], id, status, warnings = [] } of results) {
    await test.test(id, { skip: impossible[id] }, () => {
      assert.deepEqual({ status, errors, warnings }, { status: "passed", errors: [], warnings: [] })
    })
  }
  assert.equal(results.length, cases)
}

describe("llm-comply", () => {
  for (const suite of formats) {
    it(`passes each case of ${suite.format}, without a warning`, (test) => passes(test, gateway, suite))
  }
})

/** Where responses are translated. A compaction is sealed for its maker alone: nobody makes one of a chat, so callers are told 404, and make their own. */
const impossible = { "compact-response": "no other dialect has compactions" }

for (const dialect of dialects) {
  describe(`llm-comply before a provider that speaks ${dialect} alone`, () => {
    let speaker
    let translating

    before(async () => {
      speaker = await startProvider([dialect])
      translating = await startGateway(speaker.url, [dialect])
    })

    after(async () => {
      speaker.stop()
      assert.equal(await translating.stop(), 0)
    })

    for (const suite of formats) {
      it(`passes each case of ${suite.format} that it can`, (test) =>
        passes(test, translating, suite, dialect === "responses" ? {} : impossible))
    }
  })
}

describe("Python", () => {
  for (const name of ["anthropic", "openai"]) {
    it(`asks and raises with ${name}`, async () => {
      const env = { GATEWAY_URL: gateway.baseURL, GATEWAY_KEY: gateway.key, PROVIDER_URL: provider.root }
      const { code, complaint, said } = await runModule("unittest", ["-v", `test_${name}`], env)
      assert.equal(code, 0, `${complaint}${said}`)
    })
  }
})
