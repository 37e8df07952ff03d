/** Frameworks with parsers of their own, the AI SDK and LangChain, through the gateway before strict providers that speak one dialect each. */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { createAnthropic } from "@ai-sdk/anthropic"
import { createOpenAI } from "@ai-sdk/openai"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { ChatAnthropic } from "@langchain/anthropic"
import { HumanMessage, ToolMessage } from "@langchain/core/messages"
import { tool as langchainTool } from "@langchain/core/tools"
import { ChatOpenAI } from "@langchain/openai"
import { generateText, stepCountIs, streamText, tool } from "ai"
import { z } from "zod"
import { firstStep, picture, strictFrames, toldOfAll } from "../support/StrictProvider.ts"
import { startGateway } from "./Gateway.js"
import { models, startStrictProvider } from "./StrictProvider.js"

const place = z.object({ city: z.string(), days: z.number().optional() })

const question = "Does it rain?"

const withPicture = [
  {
    role: "user",
    content: [
      { type: "text", text: question },
      { type: "file", data: picture, mediaType: "image/png" },
    ],
  },
]

/** A tool that notes its calls, and always gives the same. */
const noting = (calls, name, result) => (args) => {
  calls.push([name, args])
  return result
}

globalThis.AI_SDK_LOG_WARNINGS = false

/** The AI SDK's providers, each with how its dialect is asked to reason, and whether it sends back nothing that it does not know. */
const providers = {
  "@ai-sdk/openai-compatible": {
    model: ({ baseURL, key }, name) =>
      createOpenAICompatible({ name: "sluice", baseURL, apiKey: key, includeUsage: true }).chatModel(name),
    options: { sluice: { reasoningEffort: "medium" } },
    forgets: true,
  },
  "chats of @ai-sdk/openai": {
    model: ({ baseURL, key }, name) => createOpenAI({ baseURL, apiKey: key }).chat(name),
    options: { openai: { reasoningEffort: "medium" } },
    forgets: true,
  },
  "responses of @ai-sdk/openai": {
    model: ({ baseURL, key }, name) => createOpenAI({ baseURL, apiKey: key }).responses(name),
    options: {
      openai: { reasoningEffort: "medium", reasoningSummary: "auto", store: false, forceReasoning: true },
    },
  },
  "@ai-sdk/anthropic": {
    model: ({ baseURL, key }, name) => createAnthropic({ baseURL, apiKey: key })(name),
    options: { anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } } },
  },
}

const weather = langchainTool(() => "rain", {
  name: "weather",
  description: "Tells the weather.",
  schema: place,
})
const time = langchainTool(() => "12:00", {
  name: "time",
  description: "Tells the time.",
  schema: z.object({}),
})

const langchains = {
  ChatOpenAI: {
    model: ({ baseURL, key }, name) =>
      new ChatOpenAI({
        model: name,
        apiKey: key,
        configuration: { baseURL },
        maxRetries: 0,
        maxTokens: 4096,
        reasoning: { effort: "medium" },
      }),
    forgets: true,
  },
  "ChatOpenAI in responses": {
    model: ({ baseURL, key }, name) =>
      new ChatOpenAI({
        model: name,
        apiKey: key,
        configuration: { baseURL },
        maxRetries: 0,
        maxTokens: 4096,
        useResponsesApi: true,
        modelKwargs: { store: false, include: ["reasoning.encrypted_content"] },
        reasoning: { effort: "medium", summary: "auto" },
      }),
  },
  ChatAnthropic: {
    model: ({ baseURL, key }, name) =>
      new ChatAnthropic({
        model: name,
        apiKey: key,
        anthropicApiUrl: baseURL.replace(/\/v1$/, ""),
        maxRetries: 0,
        maxTokens: 4096,
        thinking: { type: "enabled", budget_tokens: 2048 },
      }),
  },
}

/** The answer, put together where it is streamed. */
const spoken = async (model, messages, streamed) => {
  if (!streamed) return model.invoke(messages)
  let whole
  for await (const chunk of await model.stream(messages))
    whole = whole === undefined ? chunk : whole.concat(chunk)
  return whole
}

for (const [dialect, name] of Object.entries(models)) {
  describe(`before a provider that speaks ${dialect} alone`, () => {
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

    for (const [of, { forgets = false, model, options }] of Object.entries(providers)) {
      const asked = (calls, more) => ({
        model: model(gateway, `${name}${more}`),
        messages: withPicture,
        maxRetries: 0,
        maxOutputTokens: 4096,
        providerOptions: options,
        stopWhen: stepCountIs(5),
        tools: {
          weather: tool({ inputSchema: place, execute: noting(calls, "weather", "rain") }),
          time: tool({
            inputSchema: z.object({}),
            execute: noting(calls, "time", "12:00"),
          }),
        },
      })

      it(`${of} calls tools until it is answered`, async () => {
        const calls = []
        const { steps, text } = await generateText(asked(calls, forgets ? "-forgotten" : ""))
        assert.equal(text, "It rains.")
        assert.deepEqual(calls, toldOfAll.calls)
        assert.deepEqual(
          steps.map(({ usage }) => [usage.inputTokens, usage.outputTokens]),
          toldOfAll.counts.map(({ input, output }) => [input, output]),
        )
      })

      it(`${of} does so in streams`, async () => {
        const calls = []
        const errors = []
        const streamed = streamText({
          ...asked(calls, forgets ? "-forgotten" : ""),
          onError: ({ error }) => errors.push(error),
        })
        const steps = await streamed.steps
        assert.deepEqual(errors, [])
        assert.equal(steps.at(-1).text, "It rains.")
        assert.deepEqual(calls, toldOfAll.calls)
        assert.deepEqual(
          steps.map(({ usage }) => [usage.inputTokens, usage.outputTokens]),
          toldOfAll.counts.map(({ input, output }) => [input, output]),
        )
      })

      it(`${of} tells of what is cut, and calls nothing of which half is said`, async () => {
        const most = strictFrames(dialect, firstStep).findLastIndex((frame) => frame.includes("delta"))
        for (let at = 1; at < most; at += 2) {
          const calls = []
          const errors = []
          const streamed = streamText({
            ...asked(calls, `-cut-${at}`),
            stopWhen: stepCountIs(1),
            onError: ({ error }) => errors.push(error),
          })
          await streamed.consumeStream({ onError: (error) => errors.push(error) })
          assert.ok(errors.length > 0, `after ${at}`)
          for (const call of calls)
            assert.deepEqual(
              call,
              toldOfAll.calls.find(([, args]) => args.city === call[1].city),
            )
        }
      })
    }

    for (const [of, { forgets = false, model }] of Object.entries(langchains)) {
      const bound = (more) => model(gateway, `${name}${more}`).bindTools([weather, time])

      it(`${of} of LangChain calls tools until it is answered, in streams too`, async () => {
        for (const streamed of [false, true]) {
          const messages = [new HumanMessage(question)]
          const calls = []
          let answer
          do {
            answer = await spoken(bound(forgets ? "-forgotten" : ""), messages, streamed)
            messages.push(answer)
            for (const call of answer.tool_calls) {
              calls.push([call.name, call.args])
              messages.push(new ToolMessage({ tool_call_id: call.id, content: "rain" }))
            }
          } while (answer.tool_calls.length > 0 && messages.length < 20)
          assert.equal(answer.text, "It rains.")
          assert.deepEqual(calls, toldOfAll.calls)
          assert.equal(answer.usage_metadata.output_tokens, toldOfAll.counts[2].output)
        }
      })

      it(`${of} of LangChain raises what is cut`, async () => {
        const most = strictFrames(dialect, { ...firstStep, reasoning: "" }).findLastIndex((frame) =>
          frame.includes("delta"),
        )
        for (let at = 1; at < most; at += 2)
          await assert.rejects(
            spoken(bound(`-cut-${at}`), [new HumanMessage(question)], true),
            Error,
            `after ${at}`,
          )
      })
    }
  })
}
