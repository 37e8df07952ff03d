/** Ten callers that use the gateway as people do, the provider that serves them well, and what became of each of their requests. */
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http"
import { type Chance, chanceOf } from "../soak/Chance.ts"
import { bePart } from "./Children.ts"
import { accessKeyOf, ordinaryCallers, type Phase } from "./Plan.ts"
import { latencyOf } from "./Verdict.ts"

/** How long requests took while it was quiet, and those of which any part fell into an attack; and what went wrong. */
export interface OrdinaryReport {
  readonly quietMs: ReadonlyArray<number>
  readonly attackMs: ReadonlyArray<number>
  readonly failures: ReadonlyArray<string>
  /** All that were answered: the audit has each once. */
  readonly ids: ReadonlyArray<string>
}

const chunkOf = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`

const answerOf = (content: string): string =>
  JSON.stringify({
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 },
  })

const streamPieces = 12
const pauseMs = 3
const answerMs = 5

/** Says back the word that it was asked for, so that no caller takes another's answer for its own. */
const respond = (body: string, response: ServerResponse) => {
  response.on("error", () => {})
  const word = /"say ([\w-]+)"/.exec(body)?.[1] ?? ""
  const streams = body.includes('"stream":true')
  if (!streams) {
    const answer = answerOf(word)
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(answer), answerMs)
    return
  }
  response.writeHead(200, { "content-type": "text/event-stream" })
  let sent = 0
  const next = () => {
    if (response.destroyed) return
    if (sent++ === streamPieces) {
      response.end(`${chunkOf("", "stop")}data: [DONE]\n\n`)
      return
    }
    response.write(chunkOf(word))
    setTimeout(next, pauseMs)
  }
  next()
}

const startProvider = (): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer((request: IncomingMessage, response) => {
      const pieces: Array<Buffer> = []
      request.on("error", () => {})
      request.on("data", (piece: Buffer) => pieces.push(piece))
      request.on("end", () => {
        if (request.method === "GET") {
          response
            .writeHead(200, { "content-type": "application/json" })
            .end('{"object":"list","data":[{"id":"good"}]}')
        } else respond(Buffer.concat(pieces).toString(), response)
      })
    })
    server.keepAliveTimeout = 60_000
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/v1`)
    })
  })

/** What a stream says: its text, or nothing where it did not end as it should. */
const textOf = (events: string): string | undefined => {
  const datas = events.split("\n\n").filter((event) => event.startsWith("data: "))
  if (datas.at(-1) !== "data: [DONE]") return undefined
  return datas
    .slice(0, -1)
    .map((event): string => JSON.parse(event.slice(6)).choices[0]?.delta?.content ?? "")
    .join("")
}

const patienceMs = 30_000
const longestThoughtMs = 60
const mostFailures = 200
const filler = "Some words of an earlier turn of the talk. ".repeat(5_000)

export const run = async (): Promise<void> => {
  const provider = await startProvider()
  const quietMs: Array<number> = []
  const attackMs: Array<number> = []
  const failures: Array<string> = []
  const ids: Array<string> = []
  let phase: Phase = "settling"
  let changes = 0
  let isOver = false

  const fail = (id: string, what: string) => {
    if (failures.length < mostFailures) failures.push(`${phase} ${id}: ${what}`)
  }

  const ask = (port: number, caller: number, agent: Agent, chance: Chance, count: number) =>
    new Promise<void>((resolve) => {
      const id = `ordinary-${caller}-${count}`
      const stream = chance.next() < 0.5
      const history = chance.next() < 0.05 ? [{ role: "assistant", content: filler }] : []
      const body = JSON.stringify({
        model: "good",
        stream,
        messages: [...history, { role: "user", content: `say ${id}` }],
      })
      const began = performance.now()
      const change = changes
      const begunIn = phase
      const headers = {
        authorization: `Bearer ${accessKeyOf(caller)}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "x-request-id": id,
      }
      const sent = httpRequest({
        agent,
        port,
        host: "127.0.0.1",
        path: "/v1/chat/completions",
        method: "POST",
        headers,
      })
      const timer = setTimeout(() => sent.destroy(new Error(`no end within ${patienceMs} ms`)), patienceMs)
      const done = (fault: string | undefined) => {
        clearTimeout(timer)
        if (fault !== undefined) fail(id, fault)
        else if (begunIn === "attack" || phase === "attack") attackMs.push(performance.now() - began)
        else if (change === changes && phase === "quiet") quietMs.push(performance.now() - began)
        resolve()
      }
      sent.on("error", (error) => done(error.message))
      sent.on("response", (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (piece: string) => {
          text += piece
        })
        response.on("error", (error) => done(error.message))
        response.on("end", () => {
          ids.push(id)
          if (response.statusCode !== 200) return done(`${response.statusCode} ${text.slice(0, 200)}`)
          const expected = stream ? id.repeat(streamPieces) : id
          const said = stream ? textOf(text) : JSON.parse(text).choices[0]?.message?.content
          done(said === expected ? undefined : `another answer: ${text.slice(-200)}`)
        })
      })
      sent.end(body)
    })

  const call = async (port: number, caller: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const chance = chanceOf(caller + 1)
    for (let count = 0; !isOver; count++) {
      await ask(port, caller, agent, chance, count)
      await new Promise((resolve) => setTimeout(resolve, chance.between(0, longestThoughtMs)))
    }
    agent.destroy()
  }

  let saidQuiet = 0
  let saidAttack = 0
  const sayCycle = () => {
    const words = (all: ReadonlyArray<number>, from: number) => {
      const { max, p50, p99, requests } = latencyOf(all.slice(from))
      return `${requests} requests, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, at most ${max.toFixed(0)} ms`
    }
    console.log(
      `  quiet: ${words(quietMs, saidQuiet)}; attacked: ${words(attackMs, saidAttack)}; ${failures.length} failures`,
    )
    saidQuiet = quietMs.length
    saidAttack = attackMs.length
  }

  let load: Promise<unknown> = Promise.resolve()
  process.once("message", (message) => {
    const port = Number(message)
    load = Promise.all(Array.from({ length: ordinaryCallers }, (_, caller) => call(port, caller)))
  })
  bePart(
    provider,
    (next) => {
      phase = next
      changes += 1
      if (next === "settling") sayCycle()
    },
    async (): Promise<OrdinaryReport> => {
      isOver = true
      await load
      return { quietMs, attackMs, failures, ids }
    },
  )
}
