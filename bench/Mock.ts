/**
 * The upstream of the benchmarks: raw sockets and answers made beforehand, so that it is never the limit. What it does stands in the path,
 * `/plain/…`, `/embedding-256/…` (so many numbers), `/burst-200/…` (so many events, as fast as they are taken), `/paced-20-100/…` (one every 20 ms, 100 of them), `/fail-5/…` (each fifth
 * request is a 503). Events are those of the endpoint at which the path ends.
 */
import { createServer, type Socket } from "node:net"
import { type MockStream, streamAt } from "./MockStreams.ts"

const answer = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1_795_305_600,
  model: "gpt-4o",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "It is a long established fact. ".repeat(8), refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 },
})

/** A vector in base64, as the official packages ask for. */
const vectorOf = (dimensions: number): string =>
  JSON.stringify({
    object: "list",
    data: [
      { object: "embedding", index: 0, embedding: Buffer.alloc(4 * dimensions, 0x3e).toString("base64") },
    ],
    model: "gpt-4o",
    usage: { prompt_tokens: 90, total_tokens: 90 },
  })

const answerOf = (body: string): Buffer =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
const plain = answerOf(answer)
const vectors = new Map([256, 1_536].map((dimensions) => [dimensions, answerOf(vectorOf(dimensions))]))
const refusal = '{"error":{"message":"overloaded","type":"server_error","param":null,"code":null}}'
const failure = Buffer.from(
  `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${refusal.length}\r\n\r\n${refusal}`,
)
const head = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
)

const burst = (socket: Socket, { end, first, token }: MockStream, count: number): void => {
  socket.write(head)
  socket.write(first)
  for (let at = 0; at < count; at++) socket.write(token(at))
  socket.write(end(count))
}

const paced = (socket: Socket, { end, first, token }: MockStream, everyMs: number, count: number): void => {
  socket.write(Buffer.concat([head, first]))
  let sent = 0
  const stop = () => clearInterval(timer)
  const timer = setInterval(() => {
    if (sent < count) socket.write(token(sent++))
    else {
      stop()
      socket.off("close", stop)
      socket.write(end(count))
    }
  }, everyMs)
  socket.once("close", stop)
}

let requests = 0

const respond = (socket: Socket, path: string): void => {
  const [, behaviour = "plain"] = path.split("/", 2)
  const [kind, a = "0", b = "0"] = behaviour.split("-")
  switch (kind) {
    case "burst":
      burst(socket, streamAt(path), Number(a))
      return
    case "paced":
      paced(socket, streamAt(path), Number(a), Number(b))
      return
    case "fail":
      socket.write(++requests % Number(a) === 0 ? failure : plain)
      return
    case "embedding":
      socket.write(vectors.get(Number(a)) ?? failure)
      return
    default:
      socket.write(plain)
  }
}

const headEnd = Buffer.from("\r\n\r\n")

const server = createServer({ noDelay: true }, (socket) => {
  /** What is left of the body of the request being read. */
  let missing = 0
  let path = ""
  let before: Buffer = Buffer.alloc(0)
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk) => {
    let bytes = before.length === 0 ? chunk : Buffer.concat([before, chunk])
    before = Buffer.alloc(0)
    for (;;) {
      if (missing > 0) {
        if (bytes.length < missing) {
          missing -= bytes.length
          return
        }
        bytes = bytes.subarray(missing)
        missing = 0
        respond(socket, path)
      }
      if (bytes.length === 0) return
      const at = bytes.indexOf(headEnd)
      if (at < 0) {
        before = bytes
        return
      }
      const text = bytes.toString("latin1", 0, at)
      path = text.slice(text.indexOf(" ") + 1, text.indexOf(" HTTP/"))
      missing = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0)
      bytes = bytes.subarray(at + headEnd.length)
      if (missing === 0) respond(socket, path)
    }
  })
})

server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  const address = server.address()
  console.log(typeof address === "object" ? address?.port : "")
})
