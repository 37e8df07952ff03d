/** Providers that do their worst, each below a path that is named after what it does. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { gzipSync } from "node:zlib"
import { bePart, stepBack } from "./Children.ts"
import { type HostileConduct, hostileConducts, largeModel, lateModel } from "./Plan.ts"

const megabyte = 1024 * 1024

const objects = Buffer.from("{},".repeat(21_845))

const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const delta = (content: string): string =>
  event({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices: [{ index: 0, delta: { content } }],
  })

const json = { "content-type": "application/json" }
const events = { "content-type": "text/event-stream" }

/** Writes the piece again and again, as fast as it is taken, until so many bytes are out. */
const pour = (response: ServerResponse, piece: Buffer, bytes: number, end: string) => {
  let left = bytes
  const more = () => {
    while (left > 0) {
      if (response.destroyed) return
      left -= piece.length
      if (!response.write(piece)) {
        response.once("drain", more)
        return
      }
    }
    response.end(end)
  }
  more()
}

const drip = (response: ServerResponse, piece: string) => {
  const timer = setInterval(() => {
    if (response.destroyed) clearInterval(timer)
    else response.write(piece)
  }, 200)
}

/** The key as it came, in the words of a provider that tells too much. */
const echoOf = ({ headers }: IncomingMessage): string =>
  JSON.stringify({
    error: {
      message: `Incorrect API key provided: ${headers.authorization?.replace("Bearer ", "")}. Headers: ${JSON.stringify(headers)}`,
      type: "server_error",
      param: null,
      code: null,
    },
  })

const forgery =
  'no\n12:00:00.000 INFO  request id=forged status=200 outcome=ok\r\n{"level":"info","message":"request","id":"forged"}\n\u001b[2J\u001b]0;owned\u0007\u009b2J\u202e\u2028'

const bomb = gzipSync(Buffer.alloc(200 * megabyte))
const packedObjects = gzipSync(Buffer.concat(Array.from({ length: 800 }, () => objects)))

/** Statuses that take turns, since each leads another way. */
let turn = 0
const statusInTurn = (): number => [200, 400, 401, 403, 429, 500][turn++ % 6] ?? 500

const conducts: Readonly<
  Record<HostileConduct, (request: IncomingMessage, response: ServerResponse) => void>
> = {
  "endless-plain": (_, response) => {
    response.writeHead(200, json).write('{"x":"')
    pour(response, Buffer.alloc(65_536, "x"), 4096 * megabyte, '"}')
  },
  "endless-line": (_, response) => {
    response.writeHead(200, events).write("data: ")
    pour(response, Buffer.alloc(65_536, "x"), 4096 * megabyte, "\n\n")
  },
  "endless-comments": (_, response) => {
    response.writeHead(200, events)
    pour(response, Buffer.from(": ping\n\n".repeat(8_000)), 100 * megabyte, "")
  },
  html: (_, response) =>
    void response
      .writeHead(statusInTurn(), { "content-type": "text/html" })
      .end(`<html>${"<b>".repeat(100_000)}`),
  "status-000": ({ socket }) => void socket.end("HTTP/1.1 000 X\r\ncontent-length: 2\r\n\r\n{}"),
  "many-objects": (_, response) => {
    response.writeHead(200, json).write('{"choices":[')
    pour(response, objects, 60 * megabyte, "{}]}")
  },
  "many-objects-in-error": (_, response) => {
    response.writeHead(statusInTurn(), json).write('{"error":{"message":"x"},"x":[')
    pour(response, objects, 10 * megabyte, "{}]}")
  },
  "huge-first-event": (_, response) => {
    response.writeHead(200, events).write('data: {"error":null,"choices":[')
    pour(response, objects, 30 * megabyte, "{}]}\n\n")
  },
  "deep-event": (_, response) => {
    response.writeHead(200, events)
    response.end(
      `data: ${"[".repeat(megabyte)}\n\ndata: {"choices":${"[".repeat(megabyte)}${"]".repeat(megabyte)}}\n\n`,
    )
  },
  "echoing-key": (request, response) => void response.writeHead(statusInTurn(), json).end(echoOf(request)),
  "echoing-key-in-event": (request, response) =>
    void response.writeHead(200, events).end(`${delta("well")}data: ${echoOf(request)}\n\n`),
  "forging-lines": (_, response) =>
    void response.writeHead(statusInTurn(), json).end(
      JSON.stringify({
        error: { message: forgery.repeat(1_000), type: forgery, param: null, code: forgery },
      }),
    ),
  "dripping-head": ({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\n")
    const timer = setInterval(
      () => (socket.destroyed ? clearInterval(timer) : socket.write("x-a: b\r\n")),
      200,
    )
  },
  "dripping-body": (_, response) => {
    response.writeHead(200, json)
    drip(response, " ")
  },
  "packed-bomb": (request, response) => {
    const isBomb = turn++ % 2 === 0
    response.writeHead(200, { ...json, "content-encoding": "gzip" })
    request.resume()
    response.end(isBomb ? bomb : packedObjects)
  },
  silent: () => {},
  resetting: ({ socket }) => void socket.resetAndDestroy(),
}

const answerOf = (content: string): string =>
  JSON.stringify({
    id: "c",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  })

const large = answerOf("large ".repeat(700_000))
const largeEvent = delta("large ".repeat(8_000))
const largePauseMs = 50
const lateMs = 3_000

/** What is only slow, or only long: the hostile are those who ask for it. */
const answerAtLength = (response: ServerResponse, streams: boolean) => {
  if (!streams) {
    response.writeHead(200, json).end(large)
    return
  }
  response.writeHead(200, events)
  const next = () => {
    if (response.destroyed) return
    if (response.write(largeEvent)) setTimeout(next, largePauseMs)
    else response.once("drain", next)
  }
  next()
}

/** Lists of models: too long, of objects without end, or with a name that is text of its own. */
const listModels = (conduct: HostileConduct, response: ServerResponse) => {
  switch (conduct) {
    case "many-objects":
      response.writeHead(200, json).write('{"data":[')
      pour(response, objects, 7 * megabyte, "{}]}")
      return
    case "silent":
      return
    default:
      response
        .writeHead(200, json)
        .end(JSON.stringify({ data: [{ id: forgery, pricing: "x".repeat(1_000) }] }))
  }
}

export const run = (): void => {
  stepBack()
  let requests = 0
  const server = createServer((request, response) => {
    requests += 1
    request.on("error", () => {})
    request.socket.on("error", () => {})
    response.on("error", () => {})
    const conduct = hostileConducts.find((one) => request.url?.startsWith(`/${one}/`))
    let streams = false
    request.on("data", (piece: Buffer) => {
      streams ||= piece.includes('"stream":true')
    })
    request.on("end", () => {
      if (request.url?.startsWith(`/${largeModel}/`)) answerAtLength(response, streams)
      else if (request.url?.startsWith(`/${lateModel}/`)) {
        setTimeout(() => response.writeHead(200, json).end(answerOf("late")), lateMs)
      } else if (conduct === undefined) response.writeHead(404).end()
      else if (request.method === "GET") listModels(conduct, response)
      else conducts[conduct](request, response)
    })
  })
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" ? address?.port : 0
    bePart(
      `http://127.0.0.1:${port}`,
      () => {},
      async () => requests,
    )
  })
}
