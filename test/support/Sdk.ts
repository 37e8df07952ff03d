/** The official `openai` package pointed at a gateway, and its promises and streams as effects. */
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import type { Stream } from "openai/core/streaming"
import { within } from "./Patience.ts"

/** The key the caller has. */
export const callersKey = "sk-of-the-caller"

/** A client with the package's own defaults, retries included. */
export const sdk = (
  gateway: { readonly baseUrl: string },
  options: { readonly apiKey?: string; readonly maxRetries?: number } = {},
): OpenAI => new OpenAI({ baseURL: `${gateway.baseUrl}/v1`, apiKey: callersKey, timeout: 20_000, ...options })

/** What the call resolves with; a rejection fails the test. */
export const call = <A>(promise: () => PromiseLike<A>): Effect.Effect<A> => Effect.promise(promise)

/** What the call rejects with, which has to be one of the package's own errors; resolving fails the test. */
export const rejection = (
  promise: () => PromiseLike<unknown>,
): Effect.Effect<InstanceType<typeof OpenAI.APIError>> =>
  Effect.tryPromise({ try: promise, catch: asApiError }).pipe(
    Effect.flip,
    Effect.orElse(() => Effect.dieMessage("the call was answered where it should have failed")),
  )

const asApiError = (cause: unknown): InstanceType<typeof OpenAI.APIError> => {
  if (cause instanceof OpenAI.APIError) return cause
  // Not one of the package's errors: the test has to see it as it is.
  throw cause
}

/** The next item of a stream; `undefined` at its end. */
export const next = <A>(iterator: AsyncIterator<A>) =>
  within(
    "the next chunk",
    Effect.map(
      call(() => iterator.next()),
      (result): A | undefined => (result.done === true ? undefined : result.value),
    ),
  )

/** All items of a stream. */
export const collect = <A>(stream: Stream<A>): Effect.Effect<ReadonlyArray<A>> =>
  call(async () => {
    const items: Array<A> = []
    for await (const item of stream) items.push(item)
    return items
  })

/** A stream's items until it raises, and what it raises. */
export const collectUntilError = <A>(
  stream: Stream<A>,
): Effect.Effect<{
  readonly items: ReadonlyArray<A>
  readonly error: InstanceType<typeof OpenAI.APIError>
}> => {
  const items: Array<A> = []
  return Effect.map(
    rejection(async () => {
      for await (const item of stream) items.push(item)
    }),
    (error) => ({ items, error }),
  )
}

/** The text of one choice of a chat stream. */
export const textOf = (
  chunks: ReadonlyArray<OpenAI.Chat.Completions.ChatCompletionChunk>,
  index = 0,
): string =>
  chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? "")
    .join("")
