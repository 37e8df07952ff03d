/** The providers of a soak: one that is well, and others that do everything a provider can do wrong, at random. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Chance } from "./Chance.ts"

export interface Provider {
  /** With `/v1`. */
  readonly url: string
  /** Closes the connections nobody uses. */
  readonly closeIdle: () => void
  readonly close: () => void
}

const envelope = { id: "chatcmpl-soak", object: "chat.completion.chunk", created: 1, model: "soak" }

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

const delta = (content: string): string =>
  event({ ...envelope, choices: [{ index: 0, delta: { content }, finish_reason: null }] })

const ending = `${event({ ...envelope, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}${event({
  ...envelope,
  choices: [],
  usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
})}data: [DONE]\n\n`

const plainAnswer = (length: number): string =>
  JSON.stringify({
    ...envelope,
    object: "chat.completion",
    choices: [
      { index: 0, message: { role: "assistant", content: "x".repeat(length) }, finish_reason: "stop" },
    ],
    usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
  })

/** What is answered to a request that was read to its end. */
type Conduct = (response: ServerResponse, streams: boolean, chance: Chance) => void

const json = (response: ServerResponse, status: number, body: string, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(body)

const errorBody = (message: string): string =>
  JSON.stringify({ error: { message, type: "server_error", param: null, code: null } })

/** Sends events with pauses between them, and then calls back, unless the reader left. */
const sendEvents = (response: ServerResponse, count: number, pauseMs: number, then: () => void) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.write(delta("<think>why</think>"))
  let sent = 0
  const next = () => {
    if (response.destroyed) return
    if (sent++ === count) {
      then()
      return
    }
    const sendNext = () => (pauseMs === 0 ? setImmediate(next) : setTimeout(next, pauseMs))
    if (response.write(delta(` word ${sent}`))) sendNext()
    else response.once("drain", sendNext)
  }
  next()
}

const well: Conduct = (response, streams, chance) => {
  if (!streams) {
    setTimeout(() => json(response, 200, plainAnswer(chance.between(1, 2_000))), chance.between(0, 30))
    return
  }
  const paced = chance.pick<readonly [number, number]>([
    [8, [chance.between(1, 40), 0]],
    [3, [chance.between(5, 50), 10]],
    [1, [chance.between(500, 3_000), 0]],
  ])
  sendEvents(response, paced[0], paced[1], () => response.end(ending))
}

const resetSocket = ({ socket }: ServerResponse): void => {
  socket?.resetAndDestroy()
}

/** After some of the answer, whatever it is. */
const midway =
  (then: (response: ServerResponse) => void): Conduct =>
  (response, streams, chance) => {
    if (streams) {
      sendEvents(response, chance.between(1, 10), 2, () => then(response))
      return
    }
    response.writeHead(200, { "content-type": "application/json", "content-length": 5_000 })
    response.write("{", () => then(response))
  }

const nothing = () => {}

const faults: ReadonlyArray<readonly [number, Conduct]> = [
  [50, well],
  [8, (response) => json(response, 500, errorBody("broken"))],
  [3, (response) => json(response, 429, errorBody("slow down"), { "retry-after": "1" })],
  [2, (response) => json(response, 401, errorBody("who are you"))],
  [3, (response) => response.writeHead(503, { "content-type": "text/html" }).end("<html>busy</html>")],
  [2, (response) => response.writeHead(307, { location: "http://127.0.0.1:9/" }).end()],
  [4, resetSocket],
  [6, midway(resetSocket)],
  [4, midway((response) => response.end())],
  [2, nothing],
  [2, midway(nothing)],
  [2, (response) => void response.socket?.end("HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\ngarbage")],
  [2, (response) => void response.socket?.end(Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10]))],
  [
    2,
    (response) =>
      response
        .writeHead(200, { "content-type": "text/event-stream" })
        .end(event({ error: { message: "no" } })),
  ],
  [
    2,
    midway((response) => {
      response.end(event({ error: { message: "out of tokens" } }))
    }),
  ],
  [
    1,
    (response) =>
      response.writeHead(200, { "content-type": "text/event-stream" }).end(`data: ${"y".repeat(200_000)}`),
  ],
]

/** What it does is drawn for each request. */
export const startProvider = (kind: "well" | "faulty", chance: Chance): Promise<Provider> =>
  new Promise((resolve) => {
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      let streams = false
      let seen = 0
      request.on("error", nothing)
      response.on("error", nothing)
      request.on("data", (bytes: Buffer) => {
        // The member is near the end or the beginning of what the callers of a soak send.
        if (seen === 0 || bytes.length < 65_536) streams ||= bytes.includes('"stream":true')
        seen += bytes.length
      })
      request.on("end", () => {
        if (request.method === "GET") {
          json(response, 200, JSON.stringify({ object: "list", data: [{ id: "soak-1", object: "model" }] }))
          return
        }
        const conduct = kind === "well" ? well : chance.pick(faults)
        conduct(response, streams, chance)
      })
    }
    const server: Server = createServer(answer)
    const sockets = new Set<Socket>()
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
      socket.on("error", nothing)
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" ? address?.port : 0
      resolve({
        url: `http://127.0.0.1:${port}/v1`,
        closeIdle: () => server.closeIdleConnections(),
        close: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
        },
      })
    })
  })
