/** Both generations of the official package of Anthropic, pointed at a gateway, with what tests call of them. */
import Newer, { APIError as NewerError } from "@anthropic-ai/sdk"
import Older, { APIError as OlderError } from "anthropic-sdk-0"
import * as Effect from "effect/Effect"
import { callersKey } from "./Sdk.ts"

export interface Asked {
  readonly model: string
  readonly text: string
  readonly tools?: boolean
}

const bodyOf = ({ model, text, tools = false }: Asked) => ({
  model,
  max_tokens: 64,
  messages: [{ role: "user" as const, content: text }],
  ...(tools
    ? {
        tools: [
          {
            name: "weather",
            input_schema: { type: "object" as const, properties: { city: { type: "string" } } },
          },
        ],
      }
    : {}),
})

/** What an official package raises. */
export interface Raised {
  readonly className: string
  /** It is one of the package's own. */
  readonly isApiError: boolean
  readonly status: number | undefined
  readonly body: unknown
  readonly requestId: string | undefined
}

/** What tests call of a package. */
export interface AnthropicCalls {
  readonly create: (asked: Asked) => Promise<unknown>
  /** All events of a stream that is read as it comes. */
  readonly events: (asked: Asked, into: Array<unknown>) => Promise<void>
  /** The message that `.stream()` accumulates, with the text of its `text` events. */
  readonly accumulated: (asked: Asked) => Promise<{ readonly message: unknown; readonly text: string }>
  readonly count: (asked: Asked) => Promise<unknown>
  /** The ids of all models, page after page. */
  readonly models: (limit: number) => Promise<ReadonlyArray<string>>
  readonly model: (id: string) => Promise<unknown>
  readonly raised: (error: unknown) => Raised
}

interface Options {
  readonly apiKey?: string
  readonly path?: string
}

const classOf = (error: unknown): string => (error instanceof Error ? error.constructor.name : typeof error)

const newer = (
  gateway: { readonly baseUrl: string },
  { apiKey = callersKey, path = "" }: Options = {},
): AnthropicCalls => {
  const client = new Newer({ baseURL: gateway.baseUrl + path, apiKey, timeout: 20_000, maxRetries: 0 })
  return {
    create: (asked) => client.messages.create(bodyOf(asked)),
    events: async (asked, into) => {
      for await (const event of await client.messages.create({ ...bodyOf(asked), stream: true }))
        into.push(event)
    },
    accumulated: async (asked) => {
      const stream = client.messages.stream(bodyOf(asked))
      let text = ""
      stream.on("text", (delta) => {
        text += delta
      })
      return { message: await stream.finalMessage(), text }
    },
    count: (asked) => {
      const { max_tokens: _, ...body } = bodyOf(asked)
      return client.messages.countTokens(body)
    },
    models: async (limit) => {
      const ids: Array<string> = []
      for await (const { id } of client.models.list({ limit })) ids.push(id)
      return ids
    },
    model: (id) => client.models.retrieve(id),
    raised: (error) => ({
      className: classOf(error),
      isApiError: error instanceof NewerError,
      status: error instanceof NewerError ? error.status : undefined,
      body: error instanceof NewerError ? error.error : undefined,
      requestId: error instanceof NewerError ? (error.requestID ?? undefined) : undefined,
    }),
  }
}

const older = (
  gateway: { readonly baseUrl: string },
  { apiKey = callersKey, path = "" }: Options = {},
): AnthropicCalls => {
  const client = new Older({ baseURL: gateway.baseUrl + path, apiKey, timeout: 20_000, maxRetries: 0 })
  return {
    create: (asked) => client.messages.create(bodyOf(asked)),
    events: async (asked, into) => {
      for await (const event of await client.messages.create({ ...bodyOf(asked), stream: true }))
        into.push(event)
    },
    accumulated: async (asked) => {
      const stream = client.messages.stream(bodyOf(asked))
      let text = ""
      stream.on("text", (delta) => {
        text += delta
      })
      return { message: await stream.finalMessage(), text }
    },
    count: (asked) => {
      const { max_tokens: _, ...body } = bodyOf(asked)
      return client.messages.countTokens(body)
    },
    models: async (limit) => {
      const ids: Array<string> = []
      for await (const { id } of client.models.list({ limit })) ids.push(id)
      return ids
    },
    model: (id) => client.models.retrieve(id),
    raised: (error) => ({
      className: classOf(error),
      isApiError: error instanceof OlderError,
      status: error instanceof OlderError ? error.status : undefined,
      body: error instanceof OlderError ? error.error : undefined,
      requestId: error instanceof OlderError ? (error.requestID ?? undefined) : undefined,
    }),
  }
}

/** The generations by their versions. */
export const generations: ReadonlyArray<readonly [version: string, sdk: typeof newer]> = [
  ["0.137.0", older],
  ["1.14.0", newer],
]

/** What a call raises; resolving fails the test. */
export const raisedBy = (calls: AnthropicCalls, promise: () => Promise<unknown>): Effect.Effect<Raised> =>
  Effect.tryPromise({ try: promise, catch: (error) => calls.raised(error) }).pipe(
    Effect.flip,
    Effect.orElse(() => Effect.dieMessage("the call was answered where it should have failed")),
  )
