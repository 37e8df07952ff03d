/**
 * The newest openai through the gateway before strict providers that speak one dialect each: tools over three turns, a picture, reasoning, a form, and
 * what is cut. test/sdk/translation.test.ts does the same with the versions that the gateway is built with.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import OpenAI from "openai"
import { chatAgent, responsesAgent } from "../support/Agents.ts"
import { firstStep, strictFrames, toldOfAll } from "../support/StrictProvider.ts"
import { startGateway } from "./Gateway.js"
import { models, startStrictProvider } from "./StrictProvider.js"

const programs = { chats: chatAgent, responses: responsesAgent }

const ends = {
  chat: ["tool_calls", "tool_calls", "stop"],
  responses: ["completed", "completed", "completed"],
}

for (const [dialect, model] of Object.entries(models)) {
  describe(`openai before a provider that speaks ${dialect} alone`, () => {
    let provider
    let gateway

    before(async () => {
      provider = await startStrictProvider(dialect)
      gateway = await startGateway(provider.url, [dialect])
    })

    after(async () => {
      assert.equal(await gateway.stop(), 0)
      provider.stop()
    })

    for (const [name, agentOf] of Object.entries(programs)) {
      const agent = () =>
        agentOf({ baseUrl: gateway.baseURL.replace(/\/v1$/, ""), apiKey: gateway.key }, OpenAI)

      for (const streamed of [false, true]) {
        it(`has ${name} call tools until they are answered, and answered in a form, streamed: ${streamed}`, async () => {
          const { dialect: asked, formed, run } = agent()
          assert.deepEqual(await run(model, streamed), { ...toldOfAll, ends: ends[asked] })
          assert.deepEqual(await formed(model, streamed), { answer: 42 })
        })
      }

      it(`has ${name} raise what is cut`, async () => {
        const { accumulated, apiError, iterated } = agent()
        const frames = strictFrames(dialect, firstStep).findLastIndex((frame) => frame.includes("delta"))
        for (let at = 1; at < frames; at++) {
          await assert.rejects(
            iterated(`${model}-cut-${at}`, () => {}),
            apiError,
            `after ${at}`,
          )
          await assert.rejects(accumulated(`${model}-cut-${at}`), apiError, `after ${at}, put together`)
        }
      })
    }
  })
}
