/**
 * A provider on a free port that speaks one dialect alone, as strictly as the real ones. Of a model called `…-cut-N` so many frames come, and no end; of
 * one called `…-forgotten` the seals of its reasoning need not come back.
 */
import { once } from "node:events"
import { createServer } from "node:http"
import { strictReply } from "../support/StrictProvider.ts"

const answer = (dialect, path, body, said, response) => {
  const {
    body: whole,
    frames,
    status,
  } = strictReply(dialect, path, body, {
    mayForgetSeals: body.model?.endsWith("-forgotten"),
    ...(said.has(body.model) ? { said: said.get(body.model) } : {}),
  })
  const [, most] = /-cut-(\d+)$/.exec(body.model) ?? []
  if (frames === undefined) {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(whole))
  } else {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end(frames.slice(0, most === undefined ? undefined : Number(most)).join(""))
  }
}

/** @param said by model: what it says instead of the usual steps; `asked` are the requests that it got */
export const startStrictProvider = async (dialect, said = new Map()) => {
  const asked = []
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const one of request) chunks.push(one)
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}")
    asked.push(body)
    answer(dialect, request.url, body, said, response)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    asked,
    url: `http://127.0.0.1:${server.address().port}/v1`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A model of each dialect's provider that reasons where it is asked to. */
export const models = { chat: "gpt-5.1", responses: "gpt-5.1", messages: "claude-sonnet-4-5" }
