/**
 * The floor: what a hand-written proxy over node:http and undici's `dispatch` takes that parses the request, looks its model up, rewrites it and
 * prints it again, and nothing else: no configuration, retries, limits, errors in OpenAI's shape, audit, log. Takes a table from model to URL as
 * JSON in its first argument.
 */
import { createServer } from "node:http"
import { Agent } from "undici"

const routes = new Map<string, string>(Object.entries(JSON.parse(process.argv[2] ?? "{}")))
const agent = new Agent({ connections: null, keepAliveTimeout: 60_000 })
const passed = ["content-type", "cache-control"]

const server = createServer({ noDelay: true, keepAliveTimeout: 120_000 }, (request, response) => {
  const pieces: Array<Buffer> = []
  request.on("data", (piece: Buffer) => pieces.push(piece))
  request.on("end", () => {
    const body = JSON.parse(Buffer.concat(pieces).toString())
    const url = new URL(routes.get(body.model) ?? "")
    body.model = "gpt-4o"
    const bytes = JSON.stringify(body)
    agent.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}/chat/completions`,
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer sk-bench" },
        body: bytes,
      },
      {
        onRequestStart: (controller) => {
          response.on("close", () => {
            if (!response.writableFinished) controller.abort(new Error("left"))
          })
        },
        onResponseStart: (_, status, headers) => {
          const sent: Record<string, string> = {}
          for (const name of passed) {
            const value = headers[name]
            if (typeof value === "string") sent[name] = value
          }
          response.writeHead(status, sent)
        },
        onResponseData: (controller, chunk) => {
          if (!response.write(chunk)) {
            controller.pause()
            response.once("drain", () => controller.resume())
          }
        },
        onResponseEnd: () => void response.end(),
        onResponseError: () => {
          if (!response.headersSent) response.writeHead(502)
          response.end()
        },
      },
    )
  })
})
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  const address = server.address()
  console.log(typeof address === "object" ? address?.port : "")
})
