/** Providers as the screenshots need them: one that limits the rate now and then, one that is down, and some that answer. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { talkOf } from "./Talk.ts"

export interface Provider {
  /** With `/v1`. */
  readonly url: string
  readonly close: () => void
}

/** What a provider does with a request, the first of which is 0. */
export type Manner = (nth: number) => "answers" | "limits" | "fails"

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const bodyOf = async (request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> => {
  let text = ""
  for await (const piece of request) text += String(piece)
  return text === "" ? {} : JSON.parse(text)
}

const refuse = (response: ServerResponse, status: number, message: string, type: string): void => {
  const headers = { "content-type": "application/json", ...(status === 429 ? { "retry-after": "20" } : {}) }
  response.writeHead(status, headers).end(JSON.stringify({ error: { message, type, code: type } }))
}

const tokensOf = (text: string): number => Math.ceil(text.length / 4)

/** An answer of the chat dialect, streamed word by word or whole. */
const answer = async (response: ServerResponse, body: Readonly<Record<string, unknown>>, paceMs: number) => {
  const model = String(body["model"])
  const text = talkOf(model)?.answer ?? "Done."
  const usage = {
    prompt_tokens: tokensOf(JSON.stringify(body["messages"])),
    completion_tokens: tokensOf(text),
    total_tokens: tokensOf(JSON.stringify(body["messages"])) + tokensOf(text),
  }
  const envelope = { id: `chatcmpl-${Math.round(performance.now() * 1e6).toString(36)}`, created: 0, model }
  await wait(paceMs * 20)
  if (body["stream"] !== true) {
    const choices = [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }]
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ ...envelope, object: "chat.completion", choices, usage }))
    return
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  const chunk = (choices: ReadonlyArray<object>, more: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ ...envelope, object: "chat.completion.chunk", choices, ...more })}\n\n`,
    )
  for (const word of text.split(/(?<= )/)) {
    chunk([{ index: 0, delta: { content: word }, finish_reason: null }])
    await wait(paceMs)
  }
  chunk([{ index: 0, delta: {}, finish_reason: "stop" }])
  chunk([], { usage })
  response.end("data: [DONE]\n\n")
}

/** Starts one on a free port. */
export const startProvider = (manner: Manner, paceMs: number): Promise<Provider> =>
  new Promise((resolve) => {
    let asked = 0
    const server: Server = createServer(async (request, response) => {
      const body = await bodyOf(request)
      switch (manner(asked++)) {
        case "answers":
          return answer(response, body, paceMs)
        case "limits":
          return refuse(response, 429, "Rate limit reached: 500 requests a minute.", "rate_limit_exceeded")
        case "fails":
          return refuse(response, 503, "The server is overloaded. Please try again later.", "server_error")
      }
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" ? address?.port : undefined
      resolve({ url: `http://127.0.0.1:${port}/v1`, close: () => server.close() })
    })
  })
