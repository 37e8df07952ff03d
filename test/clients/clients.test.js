/**
 * Clients that people put before the gateway, each at the version in package.json, through a real gateway: what they ask, what they raise, what they
 * give up. `npm run clients` runs it; it needs Node 22, which some of them do.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { tool as langchainTool } from "@langchain/core/tools"
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai"
import { APICallError, embedMany, generateText, Output, stepCountIs, streamText, tool } from "ai"
import OpenAI from "openai"
import { z } from "zod"
import { startGateway } from "./Gateway.js"
import { startProvider } from "./Provider.js"
import { vector } from "./provider/Others.js"
import { text } from "./provider/Said.js"

let provider
let gateway

before(async () => {
  provider = await startProvider()
  gateway = await startGateway(provider.url)
})

after(async () => {
  const code = await gateway.stop()
  provider.stop()
  assert.equal(code, 0)
})

const prompt = "Hello?"
const messages = [{ role: "user", content: prompt }]
const twoNumbers = z.object({ a: z.number(), b: z.number() })

/** Gives all items, and what ended them where that was an error. */
const drain = async (items) => {
  const all = []
  try {
    for await (const item of items) all.push(item)
    return { all, error: undefined }
  } catch (error) {
    return { all, error }
  }
}

describe("openai", () => {
  const client = () => new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.key })

  it("lists the models", async () => {
    const page = await client().models.list()
    assert.ok(page.data.some(({ id }) => id === "fake"))
  })

  it("reads a plain answer and a stream", async () => {
    const plain = await client().chat.completions.create({ model: "fake", messages })
    assert.equal(plain.choices[0].message.content, text)
    const final = await client().chat.completions.stream({ model: "fake", messages }).finalContent()
    assert.equal(final, text)
  })

  it("runs a tool loop over streams", async () => {
    const sums = []
    const runner = client().chat.completions.runTools({
      model: "fake",
      messages,
      stream: true,
      tools: [
        {
          type: "function",
          function: {
            name: "add",
            description: "Adds.",
            parameters: z.toJSONSchema(twoNumbers),
            parse: JSON.parse,
            function: ({ a, b }) => void sums.push(a + b),
          },
        },
      ],
    })
    assert.equal(await runner.finalContent(), text)
    assert.deepEqual(sums, [3])
  })

  it("raises the class of each status, without sending again what the gateway has retried", async () => {
    await assert.rejects(
      client().chat.completions.create({ model: "status-400", messages }),
      OpenAI.BadRequestError,
    )
    await assert.rejects(
      client().chat.completions.create({ model: "status-429", messages }),
      OpenAI.RateLimitError,
    )
    await assert.rejects(
      client().chat.completions.create({ model: "status-500", messages }),
      OpenAI.InternalServerError,
    )
    await assert.rejects(
      client().chat.completions.create({ model: "unknown", messages }),
      OpenAI.NotFoundError,
    )
  })

  it("raises on a stream that is cut", async () => {
    const { all, error } = await drain(
      await client().chat.completions.create({ model: "cut", messages, stream: true }),
    )
    assert.ok(all.length > 0)
    assert.ok(error instanceof OpenAI.APIError, String(error))
  })

  it("closes the provider's call where it leaves, in a stream and before any answer", async () => {
    for (const model of ["endless", "hangs"]) {
      const closed = provider.closed(model)
      const controller = new AbortController()
      const asked = client().chat.completions.create(
        { model, messages, stream: model === "endless" },
        { signal: controller.signal },
      )
      if (model === "endless") for await (const _ of await asked) break
      else setTimeout(() => controller.abort(), 200)
      await asked.catch(() => undefined)
      await closed
    }
  })
})

describe("ai with @ai-sdk/openai-compatible", () => {
  const model = (name) =>
    createOpenAICompatible({ name: "sluice", baseURL: gateway.baseURL, apiKey: gateway.key }).chatModel(name)

  it("reads a plain answer, and a stream with the usage it did not ask for", async () => {
    const plain = await generateText({ model: model("fake"), prompt })
    assert.equal(plain.text, text)
    assert.equal(plain.usage.inputTokens, 3)
    const streamed = streamText({ model: model("fake"), prompt })
    assert.equal(await streamed.text, text)
  })

  it("runs a tool loop over streams", async () => {
    const sums = []
    const add = tool({
      description: "Adds.",
      inputSchema: twoNumbers,
      execute: ({ a, b }) => {
        sums.push(a + b)
        return a + b
      },
    })
    const streamed = streamText({ model: model("fake"), prompt, tools: { add }, stopWhen: stepCountIs(3) })
    assert.equal(await streamed.text, text)
    assert.deepEqual(sums, [3])
  })

  it("reads a structured answer", async () => {
    const output = Output.object({ schema: z.object({ answer: z.number() }) })
    const answered = await generateText({ model: model("json"), prompt, output })
    assert.deepEqual(answered.output, { answer: 42 })
  })

  it("raises with the status and the provider's message", async () => {
    await assert.rejects(generateText({ model: model("status-400"), prompt, maxRetries: 0 }), (error) => {
      assert.ok(APICallError.isInstance(error))
      assert.equal(error.statusCode, 400)
      assert.match(error.message, /temperature/)
      return true
    })
  })

  it("tells of a stream that is cut", async () => {
    const errors = []
    const streamed = streamText({
      model: model("cut"),
      prompt,
      onError: ({ error }) => void errors.push(error),
    })
    const { all } = await drain(streamed.fullStream)
    assert.ok(all.some(({ type }) => type === "error"))
    assert.ok(errors.length > 0)
  })
})

describe("@langchain/openai", () => {
  const model = (name, options) =>
    new ChatOpenAI({
      model: name,
      apiKey: gateway.key,
      configuration: { baseURL: gateway.baseURL },
      maxRetries: 0,
      ...options,
    })

  it("reads a plain answer and a stream, with usage and without", async () => {
    assert.equal((await model("fake").invoke(prompt)).content, text)
    for (const streamUsage of [true, false]) {
      const { all, error } = await drain(await model("fake", { streamUsage }).stream(prompt))
      assert.equal(error, undefined)
      assert.equal(all.map(({ content }) => content).join(""), text)
      assert.equal(
        all.some(({ usage_metadata }) => usage_metadata?.output_tokens === 4),
        streamUsage,
      )
    }
  })

  it("sees the calls of tools, plain and streamed", async () => {
    const add = langchainTool(({ a, b }) => String(a + b), {
      name: "add",
      description: "Adds.",
      schema: twoNumbers,
    })
    const bound = model("fake").bindTools([add])
    const plain = await bound.invoke(prompt)
    assert.deepEqual(
      plain.tool_calls.map(({ args, name }) => [name, args]),
      [["add", { a: 1, b: 2 }]],
    )
    const { all } = await drain(await bound.stream(prompt))
    const whole = all.reduce((before, chunk) => before.concat(chunk))
    assert.deepEqual(
      whole.tool_calls.map(({ args, name }) => [name, args]),
      [["add", { a: 1, b: 2 }]],
    )
  })

  it("raises with the status and the provider's message, and on a stream that is cut", async () => {
    await assert.rejects(
      model("status-400").invoke(prompt),
      (error) => error.status === 400 && /temperature/.test(error.message),
    )
    const { all, error } = await drain(await model("cut").stream(prompt))
    assert.ok(all.length > 0)
    assert.ok(error instanceof Error)
  })
})

describe("vectors", () => {
  it("are read by openai in base64, which it asks for, and in floats", async () => {
    const client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.key })
    for (const encoding_format of [undefined, "float"]) {
      const answer = await client.embeddings.create({ model: "fake", input: ["a", "b"], encoding_format })
      assert.deepEqual(
        answer.data.map(({ embedding }) => Array.from(embedding)),
        [vector, vector],
      )
      assert.equal(answer.usage.total_tokens, 3)
    }
    await assert.rejects(
      client.embeddings.create({ model: "status-400", input: "a" }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature",
    )
  })

  it("are read by LangChain and the AI SDK", async () => {
    const configuration = { baseURL: gateway.baseURL }
    const langchain = new OpenAIEmbeddings({ model: "fake", apiKey: gateway.key, configuration })
    assert.deepEqual(await langchain.embedDocuments(["a", "b"]), [vector, vector])
    const ai = createOpenAICompatible({ name: "sluice", baseURL: gateway.baseURL, apiKey: gateway.key })
    const { embeddings } = await embedMany({ model: ai.embeddingModel("fake"), values: ["a", "b"] })
    assert.deepEqual(embeddings, [vector, vector])
  })
})

describe("what else is relayed", () => {
  it("moderates for openai, with a model and without one", async () => {
    const client = new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.key })
    for (const model of [undefined, "fake"]) {
      const { results } = await client.moderations.create({ input: ["a", "b"], model })
      assert.deepEqual(
        results.map(({ flagged }) => flagged),
        [true, true],
      )
    }
  })

  it("reranks at the paths of Cohere, Jina and vLLM", async () => {
    for (const path of ["/v2/rerank", "/v1/rerank", "/rerank"]) {
      const response = await fetch(new URL(path, gateway.baseURL), {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "fake", query: "q", documents: ["a", "b"] }),
      })
      const { results } = await response.json()
      assert.deepEqual(
        results.map(({ index }) => index),
        [1, 0],
      )
    }
  })
})
