/** A short chat, asked of a gateway. */
import * as Effect from "effect/Effect"

export interface Asked {
  readonly model?: string
  readonly stream?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

/** Of several processes any may get it that is asked on a connection of its own. */
export const onItsOwn: Asked = { headers: { connection: "close" } }

/** The status of the answer, once all of that has come. */
export const ask = (
  baseUrl: string,
  { headers = {}, model = "m", stream = false }: Asked = {},
): Effect.Effect<number> =>
  Effect.promise(async () => {
    const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { ...headers },
      body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "hi" }] }),
    })
    await answer.arrayBuffer()
    return answer.status
  })
