/**
 * Streams that are at fault, from a provider through the gateway to each official package of JavaScript: what one raises and what it makes of the rest.
 * Straight from a provider most of these end silently, as if they were whole. python/ tries the same in Python.
 */
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import Anthropic from "@anthropic-ai/sdk"
import OlderAnthropic from "anthropic-sdk-0"
import OpenAI from "openai"
import { startGateway } from "./Gateway.js"
import { startProvider } from "./Provider.js"
import { args, text } from "./provider/Said.js"

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
const parameters = { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } }

const drain = async (items) => {
  const all = []
  for await (const item of items) all.push(item)
  return all
}

const openai = () => new OpenAI({ baseURL: gateway.baseURL, apiKey: gateway.key, maxRetries: 0 })

const anthropic = (Package) =>
  new Package({ baseURL: gateway.baseURL.replace(/\/v1$/, ""), apiKey: gateway.key, maxRetries: 0 })

const messagesOf = (Package) => {
  const asked = (model, calls) => ({
    model,
    max_tokens: 64,
    messages,
    ...(calls ? { tools: [{ name: "add", input_schema: parameters }] } : {}),
  })
  return {
    isItsError: (error) => error instanceof Package.AnthropicError,
    iterated: async (...of) =>
      drain(await anthropic(Package).messages.create({ ...asked(...of), stream: true })),
    accumulated: async (...of) =>
      (
        await anthropic(Package)
          .messages.stream(asked(...of))
          .finalMessage()
      ).content,
  }
}

const isOpenAIError = (error) => error instanceof OpenAI.OpenAIError

const chatOf = (model, calls) => ({
  model,
  messages,
  ...(calls ? { tools: [{ type: "function", function: { name: "add", parameters } }] } : {}),
})

const responseOf = (model, calls) => ({
  model,
  input: prompt,
  ...(calls ? { tools: [{ type: "function", name: "add", parameters, strict: false }] } : {}),
})

/** How each package reads each dialect: event by event, and put together. */
const readers = {
  "openai's chats": {
    isItsError: isOpenAIError,
    iterated: async (...of) =>
      drain(await openai().chat.completions.create({ ...chatOf(...of), stream: true })),
    accumulated: async (...of) =>
      (
        await openai()
          .chat.completions.stream(chatOf(...of))
          .finalChatCompletion()
      ).choices[0].message,
  },
  "openai's responses": {
    isItsError: isOpenAIError,
    iterated: async (...of) => drain(await openai().responses.create({ ...responseOf(...of), stream: true })),
    accumulated: async (...of) =>
      (
        await openai()
          .responses.stream(responseOf(...of))
          .finalResponse()
      ).output,
  },
  "messages of @anthropic-ai/sdk 1": messagesOf(Anthropic),
  "messages of @anthropic-ai/sdk 0": messagesOf(OlderAnthropic),
}

/** After how many events of a text, and of a call, something has been said and its end has not. */
const cuts = {
  "openai's chats": { text: [2, 5], calls: [2, 4] },
  "openai's responses": { text: [5, 10], calls: [4, 7] },
  "messages of @anthropic-ai/sdk 1": { text: [4, 8], calls: [3, 6] },
  "messages of @anthropic-ai/sdk 0": { text: [4, 8], calls: [3, 6] },
}

const range = ([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at)

for (const [name, { accumulated, isItsError, iterated }] of Object.entries(readers)) {
  const raises = async (model, calls) => {
    await assert.rejects(iterated(model, calls), isItsError, `${model}, iterated`)
    await assert.rejects(accumulated(model, calls), isItsError, `${model}, accumulated`)
  }

  describe(name, () => {
    it("are raised wherever a text is cut", async () => {
      for (const at of range(cuts[name].text)) await raises(`cut-${at}`, false)
    })

    it("are raised wherever a call is cut, before anybody makes it", async () => {
      for (const at of range(cuts[name].calls)) await raises(`cut-${at}`, true)
    })

    it("are raised at an error among their events", () => raises("fault-error", false))
  })
}

describe("Responses of openai that lack events", () => {
  const { accumulated, isItsError, iterated } = readers["openai's responses"]

  it("are raised where they are put together, and given event by event", async () => {
    for (const fault of ["no-item", "no-part", "no-output"]) {
      assert.ok((await iterated(`fault-${fault}`, false)).length > 0)
      await assert.rejects(accumulated(`fault-${fault}`, false), isItsError, fault)
    }
  })

  it("are whole where all is told late", async () => {
    const [said] = await accumulated("fault-no-item-done", false)
    assert.equal(said.content[0].text, text)
    const [called] = await accumulated("fault-late-arguments", true)
    assert.equal(called.arguments, args.join(""))
  })
})

for (const version of [1, 0]) {
  const { accumulated, iterated } = readers[`messages of @anthropic-ai/sdk ${version}`]

  describe(`Messages of @anthropic-ai/sdk ${version} that are at fault`, () => {
    it("are whole without usage, and where a call is told at once", async () => {
      assert.equal((await accumulated("fault-no-usage", false))[0].text, text)
      assert.deepEqual((await accumulated("fault-whole-tool", true))[0].input, JSON.parse(args.join("")))
    })

    it("are whole where only their last event lacks", async () => {
      assert.equal((await accumulated("cut-9", false))[0].text, text)
    })

    // Here the package's accumulator is silent whatever the gateway adds: the provider has ended its stream in order, and the same dialect is passed on
    // as it came. A call of which half is said is what a model may mean, and what `max_tokens` leaves.
    it("are not raised where the provider ended them: blocks counted from one, half of a call", async () => {
      assert.ok((await iterated("fault-index-1", false)).length > 0)
      assert.equal((await accumulated("fault-index-1", false))[0].text, "")
      assert.deepEqual((await accumulated("fault-half-tool", true))[0].input, { a: 1 })
    })
  })
}
