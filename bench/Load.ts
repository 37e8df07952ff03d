/**
 * The load generator of the benchmarks: raw sockets that send one request made beforehand again and again, and look at no more of the answers than it
 * takes to find their ends. Takes the path of a file with a `LoadPlan`, whose body may be larger than an argument may be; says `begin` and `end` around the time that is measured, then its
 * `LoadResult`.
 */
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { type LoadPlan, type LoadResult, quantile } from "./Figures.ts"

const plan: LoadPlan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"))

const request = Buffer.from(
  [
    `POST ${plan.path} HTTP/1.1`,
    "host: bench",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(plan.body)}`,
    ...Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}`),
    "",
    plan.body,
  ].join("\r\n"),
)

let isMeasured = false
let isOver = false
let requests = 0
let events = 0
let errors = 0
/** Connections that have got an event. */
let begun = 0
const latencies: Array<number> = []
const firstEvents: Array<number> = []

const data = Buffer.from("data: ")
const lastChunk = "\r\n0\r\n\r\n"
const headEnd = Buffer.from("\r\n\r\n")

const countEvents = (chunk: Buffer): number => {
  let found = 0
  for (let at = chunk.indexOf(data); at >= 0; at = chunk.indexOf(data, at + data.length)) found++
  return found
}

/** The last bytes of a body, for as many as its end has. */
const tailAfter = (tail: string, chunk: Buffer): string =>
  (tail + chunk.toString("latin1", Math.max(0, chunk.length - lastChunk.length))).slice(-lastChunk.length)

/** One connection, one request after the other. */
const run = (): void => {
  const socket = connect({ port: plan.port, host: "127.0.0.1", noDelay: true })
  let sentAt = 0
  let hasFirst = false
  let hasBegun = false
  /** Of a body of known length; negative where it comes in chunks; `undefined` before the head. */
  let missing: number | undefined
  let tail = ""
  const send = () => {
    if (isOver) {
      socket.destroy()
      return
    }
    sentAt = performance.now()
    hasFirst = false
    missing = undefined
    tail = ""
    socket.write(request)
  }
  const finished = () => {
    if (isMeasured) {
      requests++
      latencies.push(performance.now() - sentAt)
    }
    send()
  }
  socket.on("connect", send)
  socket.on("data", (bytes) => {
    let chunk = bytes
    if (missing === undefined) {
      const at = chunk.indexOf(headEnd)
      const text = chunk.toString("latin1", 0, at)
      if (!text.startsWith("HTTP/1.1 200")) errors++
      const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
      missing = length === undefined ? -1 : Number(length)
      chunk = chunk.subarray(at + headEnd.length)
    }
    if (plan.kind === "stream") {
      const found = countEvents(chunk)
      if (isMeasured) events += found
      if (!hasFirst && found > 0) {
        hasFirst = true
        if (!hasBegun) begun++
        hasBegun = true
        if (isMeasured) firstEvents.push(performance.now() - sentAt)
      }
    }
    if (missing < 0) {
      tail = tailAfter(tail, chunk)
      if (tail === lastChunk) finished()
      return
    }
    missing -= chunk.length
    if (missing === 0) finished()
  })
  socket.on("error", () => {
    if (!isOver) errors++
  })
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

for (let at = 0; at < plan.connections; at++) {
  run()
  // So that streams do not tick in step, and no queue of connections overflows.
  if (plan.rampMs > 0) await sleep(plan.rampMs / plan.connections)
}
await sleep(plan.warmMs)
isMeasured = true
const told = plan.lingers
  ? new Promise<void>((resolve) => process.once("SIGUSR2", () => resolve()))
  : Promise.resolve()
const cpuBefore = process.cpuUsage()
const startedAt = performance.now()
console.log("begin")
await sleep(plan.measureMs)
console.log("end")
isMeasured = false
const { system, user } = process.cpuUsage(cpuBefore)
const seconds = (performance.now() - startedAt) / 1_000
await told
isOver = true
const result: LoadResult = {
  seconds,
  requests,
  events,
  errors,
  begun,
  latencyMs: { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) },
  firstEventMs: { p50: quantile(firstEvents, 0.5), p99: quantile(firstEvents, 0.99) },
  busy: (system + user) / 1_000 / plan.measureMs,
}
console.log(JSON.stringify(result))
process.exit(0)
