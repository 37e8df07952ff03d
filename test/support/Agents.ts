/** Programs that call tools until they are answered, one for each official package and dialect: each takes back what it was told as its package has it. */
import Newer from "@anthropic-ai/sdk"
import Older from "anthropic-sdk-0"
import OpenAI from "openai"
import type { Dialect } from "../../src/routing/Dialect.ts"
import { callersKey } from "./Sdk.ts"
import { picture, schema } from "./StrictProvider.ts"

/** What a program was told, all in all. */
export interface Ran {
  readonly reasoning: Array<string>
  readonly texts: Array<string>
  readonly calls: Array<readonly [name: string, args: unknown]>
  /** Of each answer: why it ended, and its tokens, of which those from a cache are some. */
  readonly ends: Array<string>
  readonly counts: Array<{ readonly input: number; readonly cached: number; readonly output: number }>
}

export interface Agent {
  readonly name: string
  readonly dialect: Dialect
  /** Calls tools until there is nothing to call. */
  readonly run: (model: string, streamed: boolean) => Promise<Ran>
  /** The answer in a form. */
  readonly formed: (model: string, streamed: boolean) => Promise<unknown>
  /** The first answer, whole. */
  readonly plain: (model: string) => Promise<unknown>
  /** Its events as they come. */
  readonly iterated: (model: string, onEvent: (event: unknown) => void, signal?: AbortSignal) => Promise<void>
  /** What the package puts together of them. */
  readonly accumulated: (model: string) => Promise<unknown>
  /** The errors of the package. */
  readonly apiError: abstract new (
    ...args: ReadonlyArray<never>
  ) => Error
}

interface Gateway {
  readonly baseUrl: string
  readonly apiKey?: string
}

const question = "Does it rain?"

const city = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city"],
}

const nothing = { type: "object", properties: {} }

const tools = [
  { name: "weather", description: "Tells the weather.", schema: city },
  { name: "time", description: "Tells the time.", schema: nothing },
]

const resultOf = (name: string): string => (name === "time" ? "12:00" : "rain")

/** More than any loop of these tests has. */
const mostTurns = 5

const nothingRan = (): Ran => ({ reasoning: [], texts: [], calls: [], ends: [], counts: [] })

const optionsFor = ({ apiKey = callersKey }: Gateway) => ({ apiKey, timeout: 20_000, maxRetries: 0 })

const drain = async (events: AsyncIterable<unknown>, onEvent: (event: unknown) => void): Promise<void> => {
  for await (const event of events) onEvent(event)
}

type ChatMessage = OpenAI.ChatCompletionMessage & {
  reasoning_content?: string
  reasoning_details?: ReadonlyArray<unknown>
}

/** @param Package another version of it */
export const chatAgent = (gateway: Gateway, Package = OpenAI): Agent => {
  const client = new Package({ ...optionsFor(gateway), baseURL: `${gateway.baseUrl}/v1` })
  const asked = (model: string, messages: ReadonlyArray<OpenAI.ChatCompletionMessageParam>) => ({
    model,
    max_completion_tokens: 4096,
    reasoning_effort: "medium" as const,
    messages: [...messages],
    tools: tools.map(({ description, name, schema: parameters }) => ({
      type: "function" as const,
      function: { name, description, parameters },
    })),
  })
  const begin: ReadonlyArray<OpenAI.ChatCompletionMessageParam> = [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: question },
        { type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } },
      ],
    },
  ]
  /** The package keeps of members that it does not know the last delta alone. */
  const streamed = async (body: ReturnType<typeof asked>): Promise<OpenAI.ChatCompletion> => {
    const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } })
    let reasoning = ""
    stream.on("chunk", ({ choices: [choice] }) => {
      const delta: object = choice?.delta ?? {}
      if ("reasoning_content" in delta) reasoning += String(delta.reasoning_content)
    })
    const whole = await stream.finalChatCompletion()
    const message: ChatMessage | undefined = whole.choices[0]?.message
    if (message !== undefined && reasoning !== "") message.reasoning_content = reasoning
    return whole
  }
  return {
    name: "openai's chats",
    dialect: "chat",
    apiError: Package.APIError,
    run: async (model, isStreamed) => {
      const ran = nothingRan()
      const messages = [...begin]
      for (let turn = 0; turn < mostTurns; turn++) {
        const body = asked(model, messages)
        const { choices, usage } = isStreamed
          ? await streamed(body)
          : await client.chat.completions.create(body)
        const [choice] = choices
        if (choice === undefined) break
        const message: ChatMessage = choice.message
        messages.push(message)
        if (message.reasoning_content !== undefined) ran.reasoning.push(message.reasoning_content)
        if (message.content !== null && message.content !== "") ran.texts.push(message.content)
        ran.ends.push(choice.finish_reason)
        ran.counts.push({
          input: usage?.prompt_tokens ?? 0,
          cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
          output: usage?.completion_tokens ?? 0,
        })
        for (const call of message.tool_calls ?? []) {
          if (call.type !== "function") continue
          const { arguments: args, name } = call.function
          ran.calls.push([name, JSON.parse(args)])
          messages.push({ role: "tool", tool_call_id: call.id, content: resultOf(name) })
        }
        if (message.tool_calls === undefined || message.tool_calls.length === 0) break
      }
      return ran
    },
    formed: async (model, isStreamed) => {
      const body = {
        model,
        messages: [{ role: "user" as const, content: "Answer." }],
        response_format: {
          type: "json_schema" as const,
          json_schema: { name: "answer", schema, strict: true },
        },
      }
      if (!isStreamed) return (await client.chat.completions.parse(body)).choices[0]?.message.parsed
      return JSON.parse((await client.chat.completions.stream(body).finalContent()) ?? "")
    },
    plain: (model) => client.chat.completions.create(asked(model, begin)),
    iterated: async (model, onEvent, signal) =>
      drain(
        await client.chat.completions.create(
          { ...asked(model, begin), stream: true },
          { signal: signal ?? null },
        ),
        onEvent,
      ),
    accumulated: (model) => client.chat.completions.stream(asked(model, begin)).finalChatCompletion(),
  }
}

/** @param Package another version of it */
export const responsesAgent = (gateway: Gateway, Package = OpenAI): Agent => {
  const client = new Package({ ...optionsFor(gateway), baseURL: `${gateway.baseUrl}/v1` })
  const asked = (model: string, input: ReadonlyArray<OpenAI.Responses.ResponseInputItem>) => ({
    model,
    instructions: "Be brief.",
    max_output_tokens: 4096,
    reasoning: { effort: "medium" as const, summary: "auto" as const },
    include: ["reasoning.encrypted_content" as const],
    store: false,
    input: [...input],
    tools: tools.map(({ description, name, schema: parameters }) => ({
      type: "function" as const,
      name,
      description,
      parameters,
      strict: false,
    })),
  })
  const begin: ReadonlyArray<OpenAI.Responses.ResponseInputItem> = [
    {
      role: "user",
      content: [
        { type: "input_text", text: question },
        { type: "input_image", detail: "auto", image_url: `data:image/png;base64,${picture}` },
      ],
    },
  ]
  return {
    name: "openai's responses",
    dialect: "responses",
    apiError: Package.APIError,
    run: async (model, isStreamed) => {
      const ran = nothingRan()
      const input = [...begin]
      for (let turn = 0; turn < mostTurns; turn++) {
        const body = asked(model, input)
        const response = isStreamed
          ? await client.responses.stream(body).finalResponse()
          : await client.responses.create(body)
        const { output, output_text: text, status, usage } = response
        ran.ends.push(status ?? "")
        ran.counts.push({
          input: usage?.input_tokens ?? 0,
          cached: usage?.input_tokens_details.cached_tokens ?? 0,
          output: usage?.output_tokens ?? 0,
        })
        if (text !== "") ran.texts.push(text)
        for (const item of output) {
          if (item.type === "reasoning") {
            ran.reasoning.push([...item.summary, ...(item.content ?? [])].map((part) => part.text).join(""))
          }
          if (item.type === "reasoning" || item.type === "message" || item.type === "function_call") {
            input.push(item)
          }
        }
        const calls = output.flatMap((item) => (item.type === "function_call" ? [item] : []))
        for (const { arguments: args, call_id, name } of calls) {
          ran.calls.push([name, JSON.parse(args)])
          input.push({ type: "function_call_output", call_id, output: resultOf(name) })
        }
        if (calls.length === 0) break
      }
      return ran
    },
    formed: async (model, isStreamed) => {
      const body = {
        model,
        input: "Answer.",
        text: { format: { type: "json_schema" as const, name: "answer", schema, strict: true } },
      }
      if (!isStreamed) return (await client.responses.parse(body)).output_parsed
      return JSON.parse((await client.responses.stream(body).finalResponse()).output_text)
    },
    plain: (model) => client.responses.create(asked(model, begin)),
    iterated: async (model, onEvent, signal) =>
      drain(
        await client.responses.create({ ...asked(model, begin), stream: true }, { signal: signal ?? null }),
        onEvent,
      ),
    accumulated: (model) => client.responses.stream(asked(model, begin)).finalResponse(),
  }
}

type Blocks = Array<Newer.ContentBlockParam>

const messagesBody = (model: string, messages: ReadonlyArray<Newer.MessageParam>) => ({
  model,
  max_tokens: 4096,
  system: "Be brief.",
  thinking: { type: "enabled" as const, budget_tokens: 2048 },
  messages: [...messages],
  tools: tools.map(({ description, name, schema: properties }) => ({
    name,
    description,
    input_schema: { ...properties, type: "object" as const },
  })),
})

type MessagesBody = ReturnType<typeof messagesBody>

const formedBody = (model: string) => ({
  model,
  max_tokens: 4096,
  messages: [{ role: "user" as const, content: "Answer." }],
  output_config: { format: { type: "json_schema" as const, schema } },
})

/** What programs call of a generation of Anthropic's package. */
interface MessagesCalls {
  readonly create: (body: MessagesBody | ReturnType<typeof formedBody>) => Promise<Newer.Message>
  readonly accumulated: (body: MessagesBody | ReturnType<typeof formedBody>) => Promise<Newer.Message>
  readonly events: (body: MessagesBody, signal: AbortSignal | undefined) => Promise<AsyncIterable<unknown>>
}

const begun: ReadonlyArray<Newer.MessageParam> = [
  {
    role: "user",
    content: [
      { type: "text", text: question },
      { type: "image", source: { type: "base64", media_type: "image/png", data: picture } },
    ],
  },
]

const messagesAgent = (
  version: string,
  { accumulated, create, events }: MessagesCalls,
  apiError: Agent["apiError"],
): Agent => ({
  name: `messages of @anthropic-ai/sdk ${version}`,
  dialect: "messages",
  apiError,
  run: async (model, isStreamed) => {
    const ran = nothingRan()
    const messages = [...begun]
    for (let turn = 0; turn < mostTurns; turn++) {
      const body = messagesBody(model, messages)
      const { content, stop_reason, usage } = isStreamed ? await accumulated(body) : await create(body)
      messages.push({ role: "assistant", content })
      ran.ends.push(stop_reason ?? "")
      const cached = usage.cache_read_input_tokens ?? 0
      ran.counts.push({ input: usage.input_tokens + cached, cached, output: usage.output_tokens })
      const results: Blocks = []
      for (const block of content) {
        if (block.type === "thinking") ran.reasoning.push(block.thinking)
        if (block.type === "text") ran.texts.push(block.text)
        if (block.type !== "tool_use") continue
        ran.calls.push([block.name, block.input])
        results.push({ type: "tool_result", tool_use_id: block.id, content: resultOf(block.name) })
      }
      if (results.length === 0) break
      messages.push({ role: "user", content: results })
    }
    return ran
  },
  formed: async (model, isStreamed) => {
    const body = formedBody(model)
    const { content } = isStreamed ? await accumulated(body) : await create(body)
    return JSON.parse(content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""))
  },
  plain: (model) => create(messagesBody(model, begun)),
  iterated: async (model, onEvent, signal) =>
    drain(await events(messagesBody(model, begun), signal), onEvent),
  accumulated: (model) => accumulated(messagesBody(model, begun)),
})

const newerAgent = (gateway: Gateway): Agent => {
  const { messages } = new Newer({ ...optionsFor(gateway), baseURL: gateway.baseUrl })
  const calls: MessagesCalls = {
    create: (body) => messages.create(body),
    accumulated: (body) => messages.stream(body).finalMessage(),
    events: (body, signal) => messages.create({ ...body, stream: true }, { signal: signal ?? null }),
  }
  return messagesAgent("1.14.0", calls, Newer.AnthropicError)
}

const olderAgent = (gateway: Gateway): Agent => {
  const { messages } = new Older({ ...optionsFor(gateway), baseURL: gateway.baseUrl })
  const calls: MessagesCalls = {
    create: (body) => messages.create(body),
    accumulated: (body) => messages.stream(body).finalMessage(),
    events: (body, signal) => messages.create({ ...body, stream: true }, { signal: signal ?? null }),
  }
  return messagesAgent("0.137.0", calls, Older.AnthropicError)
}

export const agents: ReadonlyArray<(gateway: Gateway) => Agent> = [
  (gateway) => chatAgent(gateway),
  (gateway) => responsesAgent(gateway),
  newerAgent,
  olderAgent,
]
