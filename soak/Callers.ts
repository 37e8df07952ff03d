/** The callers of a soak: all kinds of requests, good and bad, patient and not; and what of each must stand in the audit. */
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http"
import { connect } from "node:net"
import type { Chance } from "./Chance.ts"

/** What became of the requests that were sent. */
export interface Ledger {
  /** Answered with a status: the audit has each once. */
  readonly answered: Set<string>
  /** Left before there was an answer: the audit has each once, or not at all where it never arrived whole. */
  readonly left: Set<string>
  readonly statuses: Map<string, number>
  /** What no caller may ever see. */
  readonly complaints: Array<string>
}

export const newLedger = (): Ledger => ({
  answered: new Set(),
  left: new Set(),
  statuses: new Map(),
  complaints: [],
})

export interface Caller {
  /** One request of some kind, from beginning to end. Never rejects. */
  readonly call: () => Promise<void>
  readonly close: () => void
}

interface Call {
  readonly path: string
  readonly body: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** Goes away so many milliseconds after the request was sent. */
  readonly leavesAfterMs?: number
  /** Goes away after so many chunks of the answer. */
  readonly leavesAfterChunks?: number
  /** Waits so long between chunks. */
  readonly readsEveryMs?: number
}

const nothing = () => {}

/** Above what the slowest answer under the soak's own timeouts may take. */
const patienceMs = 60_000

const maxComplaints = 50

const chat = (model: string, stream: boolean, content: string, more = {}): string =>
  JSON.stringify({ model, stream, ...more, messages: [{ role: "user", content }] })

/**
 * What is wrong with an answer, if anything: it must be of a status that is declared, errors in OpenAI's shape, streams with one of
 * their two ends.
 */
export const faultOf = (status: number, contentType: string, body: string): string | undefined => {
  if (contentType.startsWith("text/event-stream")) {
    const last = body.trimEnd().split("\n\n").at(-1) ?? ""
    if (status !== 200) return `a stream with status ${status}`
    return last === "data: [DONE]" || last.startsWith('data: {"error":')
      ? undefined
      : `a stream that ends in ${JSON.stringify(last.slice(-100))}`
  }
  try {
    const parsed: unknown = JSON.parse(body)
    const isError = typeof parsed === "object" && parsed !== null && "error" in parsed
    if (status >= 400 && !isError) return `status ${status} without an error`
    return status < 400 && isError ? `status ${status} with an error` : undefined
  } catch {
    return `status ${status} with a body that is no JSON: ${JSON.stringify(body.slice(0, 100))}`
  }
}

export const startCaller = (port: number, chance: Chance, ledger: Ledger, name: string): Caller => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let count = 0

  const complain = (what: string) => {
    if (ledger.complaints.length < maxComplaints) ledger.complaints.push(what)
  }

  const send = ({ body, headers, leavesAfterChunks, leavesAfterMs, path, readsEveryMs }: Call) =>
    new Promise<void>((resolve) => {
      const id = `soak-${name}-${count++}`
      const options: RequestOptions = {
        agent,
        port,
        host: "127.0.0.1",
        path,
        method: body === undefined ? "GET" : "POST",
        headers: { "content-type": "application/json", "x-request-id": id, ...headers },
      }
      const isAudited = path.startsWith("/v1/")
      let hasAnswer = false
      let hasLeft = false
      const timers: Array<NodeJS.Timeout> = []
      const finish = () => {
        for (const timer of timers) clearTimeout(timer)
        if (!hasAnswer && isAudited) ledger.left.add(id)
        resolve()
      }
      const request = httpRequest(options)
      const leave = () => {
        hasLeft = true
        request.destroy()
      }
      timers.push(
        setTimeout(() => {
          complain(`${id} ${path}: no end within ${patienceMs} ms`)
          leave()
        }, patienceMs),
      )
      if (leavesAfterMs !== undefined) timers.push(setTimeout(leave, leavesAfterMs))

      const read = (response: IncomingMessage) => {
        hasAnswer = true
        if (isAudited) ledger.answered.add(id)
        const status = response.statusCode ?? 0
        const key = `${path.slice(0, 24)} ${status}`
        ledger.statuses.set(key, (ledger.statuses.get(key) ?? 0) + 1)
        let chunks = 0
        // Of large answers only the end matters.
        let text = ""
        response.on("data", (bytes: Buffer) => {
          text = (text + bytes.toString("latin1")).slice(-4_000_000)
          chunks += 1
          if (leavesAfterChunks !== undefined && chunks >= leavesAfterChunks) leave()
          else if (readsEveryMs !== undefined) {
            response.pause()
            timers.push(setTimeout(() => response.resume(), readsEveryMs))
          }
        })
        response.on("error", nothing)
        response.on("close", () => {
          if (!hasLeft) {
            const fault = response.complete
              ? faultOf(status, response.headers["content-type"] ?? "", text)
              : "cut off"
            if (fault !== undefined) complain(`${id} ${path}: ${fault}`)
          }
          finish()
        })
      }
      request.on("response", read)
      request.on("error", (cause) => {
        if (hasAnswer) return
        if (!hasLeft) complain(`${id} ${path}: ${cause.message}`)
        finish()
      })
      if (options.headers !== undefined && "expect" in options.headers) {
        request.on("continue", () => request.end(body))
        request.flushHeaders()
      } else request.end(body)
    })

  /** Bytes that are no request, or only some of one. */
  const sendRaw = (bytes: Buffer, endsAfterMs: number) =>
    new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes))
      const timer = setTimeout(() => socket.destroy(), endsAfterMs)
      socket.on("error", nothing)
      socket.on("data", nothing)
      socket.on("close", () => {
        clearTimeout(timer)
        resolve()
      })
    })

  const completions = "/v1/chat/completions"
  const words = () => "word ".repeat(chance.between(1, 200))
  const post = (stream: boolean, more: Partial<Call> = {}) =>
    send({ path: completions, body: chat("soak-1", stream, words()), ...more })

  const kinds: ReadonlyArray<readonly [number, () => Promise<void>]> = [
    [30, () => post(false)],
    [30, () => post(true)],
    [4, () => post(true, { readsEveryMs: chance.between(1, 10) })],
    [4, () => post(chance.next() < 0.5, { leavesAfterMs: chance.between(0, 30) })],
    [4, () => post(true, { leavesAfterChunks: chance.between(1, 5) })],
    [4, () => send({ path: "/v1/completions", body: JSON.stringify({ model: "soak-1", prompt: words() }) })],
    [3, () => send({ path: "/v1/models", body: undefined })],
    [2, () => send({ path: "/health", body: undefined })],
    [
      0.3,
      () =>
        send({
          path: completions,
          body: chat("soak-1", chance.next() < 0.5, "z".repeat(chance.between(100_000, 5_000_000))),
        }),
    ],
    [0.2, () => send({ path: completions, body: chat("soak-1", false, "z".repeat(6_500_000)) })],
    [2, () => send({ path: completions, body: '{"model": "soak-1", "messages": [' })],
    [2, () => send({ path: completions, body: chat("nobody-serves-this", false, "?") })],
    [2, () => post(false, { headers: { "x-request-timeout-ms": String(chance.between(1, 300)) } })],
    [2, () => post(true, { headers: { "x-request-timeout-ms": String(chance.between(1, 300)) } })],
    [2, () => post(false, { headers: { expect: "100-continue" } })],
    [3, () => send({ path: completions, body: chat("soak-faulty", chance.next() < 0.5, words()) })],
    [3, () => send({ path: completions, body: chat("soak-narrow", chance.next() < 0.5, words()) })],
    [3, () => send({ path: completions, body: chat("soak-resumed", true, words()) })],
    [
      1,
      () =>
        sendRaw(
          Buffer.from(Array.from({ length: chance.between(1, 500) }, () => chance.between(0, 255))),
          200,
        ),
    ],
    [
      1,
      () =>
        sendRaw(
          Buffer.from(
            `POST ${completions} HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{"model":`.slice(
              0,
              chance.between(1, 90),
            ),
          ),
          chance.between(1, 100),
        ),
    ],
    [0.5, () => sendRaw(Buffer.from(`GET / HTTP/1.1\r\nx: ${"a".repeat(20_000)}\r\n\r\n`), 200)],
  ]

  return { call: () => chance.pick(kinds)(), close: () => agent.destroy() }
}
