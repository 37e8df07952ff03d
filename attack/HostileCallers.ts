/**
 * Callers that do their worst, all at once and each at a pace of its own: bodies that cost more than they weigh, senders and readers that take their
 * time or none, connections that say nothing, strangers, floods, and one greedy caller with a key.
 */
import { connect, type Socket } from "node:net"
import { gzipSync } from "node:zlib"
import { type Chance, chanceOf } from "../soak/Chance.ts"
import { bePart, stepBack } from "./Children.ts"
import {
  goodModel,
  greedyKey,
  hostileConducts,
  keysOfCallers,
  largeModel,
  lateModel,
  plantedKeys,
} from "./Plan.ts"

export interface HostileReport {
  /** How often each attack was tried, and how it was answered. */
  readonly tried: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Of those with a key that were answered by a status: the audit has each. */
  readonly ids: ReadonlyArray<string>
  /** Where a secret was seen in an answer. */
  readonly seen: ReadonlyArray<string>
}

/** Not the address of ordinary callers: limits of an address are to hit whom they are for. */
const ownAddress = "127.0.0.66"

const completions = "/v1/chat/completions"
const megabyte = 1024 * 1024
const around = (filling: string, end = ""): Buffer =>
  Buffer.from(`{"model":"${goodModel}","messages":[{"role":"user","content":"x"}],"x":${filling}${end}}`)
const many = (unit: string, bytes: number): string => unit.repeat(Math.floor(bytes / unit.length))

/** Bodies within the limit that cost their reader more than they cost to send. */
const bodies: ReadonlyArray<Buffer> = [100_000, megabyte, 7 * megabyte].flatMap((bytes) => [
  around(`[${many("{},", bytes)}{}]`),
  around(`[${many("[],", bytes)}[]]`),
  around(`[${many("0,", bytes)}0]`),
  around(`[${many('"",', bytes)}0]`),
  around(`[${many('{"a":0},', bytes)}0]`),
  around(`{${Array.from({ length: bytes / 12 }, (_, at) => `"k${at}":0,`).join("")}"z":0}`),
  around(many("[", bytes), many("]", bytes)),
  around(many('{"a":', bytes), `0${many("}", bytes)}`),
  around(many("[", bytes)),
  around(`"${many("\\u0000", bytes)}"`),
  around(`1${many("0", bytes)}`),
  around(`"${many("x", bytes)}`),
  Buffer.concat([around(`"${many("x", bytes)}`), Buffer.from([0xff, 0xc3]), Buffer.from('"}')]),
  Buffer.from(
    `{"model":"${goodModel}","messages":[${many('{"role":"user","content":"x"},', bytes)}{"role":"user","content":"x"}]}`,
  ),
  Buffer.from(`{${many(`"model":"${goodModel}",`, bytes)}"messages":[{"role":"user","content":"x"}]}`),
  Buffer.from(
    `{"model":"${goodModel}","Model":"other","MAX_TOKENS":100000,"messages":[],"Messages":[${many("0,", bytes)}0]}`,
  ),
])

const packed: ReadonlyArray<Buffer> = [
  gzipSync(Buffer.alloc(200 * megabyte)),
  gzipSync(around(`[${many("{},", 7 * megabyte)}{}]`)),
  gzipSync(around(many("[", 7 * megabyte))),
  gzipSync(gzipSync(Buffer.alloc(50 * megabyte))),
]

const secrets = [...plantedKeys, ...keysOfCallers]
const mostSeen = 50

interface Call {
  readonly method?: string
  readonly path?: string
  readonly key?: string | undefined
  readonly headers?: ReadonlyArray<string>
  readonly body?: Buffer
  /** Milliseconds after which it goes away, whatever came. */
  readonly patienceMs?: number
}

export const run = (port: number): void => {
  stepBack()
  const tried = new Map<string, Map<string, number>>()
  const ids: Array<string> = []
  const seen: Array<string> = []
  const open = new Set<Socket>()
  let isOn = false
  let count = 0

  const note = (what: string, how: string) => {
    const hows = tried.get(what) ?? new Map<string, number>()
    tried.set(what, hows)
    hows.set(how, (hows.get(how) ?? 0) + 1)
  }

  const dial = (): Socket => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: ownAddress })
    open.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => open.delete(socket))
    return socket
  }

  const headOf = ({ body, headers = [], key, method, path = completions }: Call, id: string): string =>
    [
      `${method ?? (body === undefined ? "GET" : "POST")} ${path} HTTP/1.1`,
      "host: a",
      `x-request-id: ${id}`,
      "connection: close",
      ...(key === undefined ? [] : [`authorization: Bearer ${key}`]),
      ...(body === undefined ? [] : ["content-type: application/json", `content-length: ${body.length}`]),
      ...headers,
      "",
      "",
    ].join("\r\n")

  /** Sends, reads all that comes, and looks for secrets in it. */
  const ask = (what: string, call: Call) =>
    new Promise<void>((resolve) => {
      const id = `attack-${count++}`
      const socket = dial()
      let text = ""
      let last = ""
      const timer = setTimeout(() => socket.destroy(), call.patienceMs ?? 20_000)
      socket.on("data", (piece: Buffer) => {
        const now = piece.toString("latin1")
        if (text.length < 200) text += now
        const looked = last + now
        for (const secret of secrets) {
          if (looked.includes(secret) && seen.length < mostSeen) seen.push(`${what}: ${looked.slice(0, 300)}`)
        }
        last = now.slice(-100)
      })
      socket.on("close", () => {
        clearTimeout(timer)
        const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
        note(what, status ?? "closed")
        if (call.key === greedyKey && status !== undefined) ids.push(id)
        resolve()
      })
      socket.write(headOf(call, id))
      if (call.body !== undefined) socket.write(call.body)
    })

  /** Sends what it is given, says so many bytes more at a pace, and never ends. */
  const holdOpen = (what: string, bytes: string, drip?: string) => {
    const socket = dial()
    note(what, "opened")
    socket.write(bytes)
    socket.resume()
    if (drip === undefined) return
    const timer = setInterval(() => socket.write(drip), 500)
    socket.on("close", () => clearInterval(timer))
  }

  /** Asks for much and reads none of it, or a little now and then. */
  const readBadly = (what: string, stream: boolean, everyMs?: number) => {
    const socket = dial()
    note(what, "opened")
    const body = Buffer.from(
      `{"model":"${largeModel}","stream":${stream},"messages":[{"role":"user","content":"x"}]}`,
    )
    socket.write(headOf({ body, key: greedyKey }, `attack-reader-${count++}`))
    socket.write(body)
    socket.pause()
    if (everyMs === undefined) return
    const timer = setInterval(() => socket.read(1_024), everyMs)
    socket.on("close", () => clearInterval(timer))
  }

  const chatOf = (model: string, stream: boolean): Buffer =>
    Buffer.from(`{"model":"${model}","stream":${stream},"messages":[{"role":"user","content":"say x"}]}`)
  const longHeaders = Array.from({ length: 12 }, (_, at) => `x-h${at}: ${"v".repeat(1_100)}`)
  const any = <A>(chance: Chance, from: ReadonlyArray<A>, otherwise: A): A =>
    from[chance.between(0, from.length - 1)] ?? otherwise

  const nothing = Buffer.alloc(0)
  const attacks: ReadonlyArray<
    readonly [perSecond: number, atOnce: number, attack: (chance: Chance) => Promise<void>]
  > = [
    [2, 4, (chance) => ask("heavy body", { body: any(chance, bodies, nothing), key: greedyKey })],
    [
      1,
      2,
      (chance) =>
        ask("packed body", {
          body: any(chance, packed, nothing),
          key: greedyKey,
          headers: ["content-encoding: gzip"],
        }),
    ],
    [
      5,
      20,
      (chance) => {
        const conduct = any(chance, hostileConducts, "html")
        return ask(`provider: ${conduct}`, { body: chatOf(conduct, chance.next() < 0.5), key: greedyKey })
      },
    ],
    [0.5, 1, () => ask("list of models", { path: "/v1/models", key: greedyKey })],
    [20, 60, () => ask("greedy caller", { body: chatOf(lateModel, false), key: greedyKey })],
    [50, 50, () => ask("stranger", { body: chatOf(goodModel, false), headers: longHeaders })],
    [50, 50, () => ask("wrong key", { body: chatOf(goodModel, true), key: `wrong-${count}` })],
    [
      20,
      20,
      () => ask("wrong key, list of models", { method: "HEAD", path: "/v1/models", key: `wrong-${count}` }),
    ],
    [
      5,
      100,
      () => ask("stranger without the body", { headers: ["content-length: 1000000"], method: "POST" }),
    ],
    [100, 50, () => ask("flood of /health", { path: "/health" })],
    [50, 50, (chance) => ask("flood of paths", { path: `/${chance.between(0, 1e9)}/${"x".repeat(1_000)}` })],
    [20, 20, () => ask("preflight", { method: "OPTIONS", headers: ["access-control-request-headers: x"] })],
    [
      20,
      20,
      (chance) =>
        ask("noise", {
          method: String.fromCharCode(...Array.from({ length: 30 }, () => chance.between(1, 255))),
        }),
    ],
  ]

  /** Those who only hold on: as many of each are kept open. */
  const holds: ReadonlyArray<readonly [count: number, hold: () => void]> = [
    [200, () => holdOpen("idle", "")],
    [50, () => holdOpen("half a head", "POST / HTTP/1.1\r\nhost: a\r\nx-a: ")],
    [50, () => holdOpen("dripping head", "POST / HTTP/1.1\r\nhost: a\r\n", "x-a: b\r\n")],
    [
      20,
      () =>
        holdOpen(
          "dripping body",
          headOf({ method: "POST", key: greedyKey, headers: ["content-length: 5000000"] }, "attack-slow"),
          "x",
        ),
    ],
    [
      20,
      () =>
        holdOpen(
          "stranger's dripping body",
          headOf({ method: "POST", headers: ["content-length: 5000000"] }, "attack-slow"),
          "x",
        ),
    ],
    [10, () => readBadly("absent reader", false)],
    [10, () => readBadly("absent reader of a stream", true)],
    [10, () => readBadly("slow reader", false, 200)],
    [5, () => readBadly("slow reader of a stream", true, 200)],
  ]

  const timers: Array<NodeJS.Timeout> = []
  const begin = () => {
    isOn = true
    for (const [at, [perSecond, atOnce, attack]] of attacks.entries()) {
      const chance = chanceOf(at + 100)
      let running = 0
      timers.push(
        setInterval(() => {
          if (running >= atOnce) return
          running += 1
          void attack(chance).finally(() => {
            running -= 1
          })
        }, 1_000 / perSecond),
      )
    }
    for (const [times, hold] of holds) for (let at = 0; at < times; at++) hold()
  }
  const cease = () => {
    if (!isOn) return
    isOn = false
    for (const timer of timers.splice(0)) clearInterval(timer)
    for (const socket of open) socket.destroy()
  }

  bePart(
    "ready",
    (phase) => (phase === "attack" ? begin() : cease()),
    async (): Promise<HostileReport> => {
      cease()
      return {
        tried: Object.fromEntries([...tried].map(([what, hows]) => [what, Object.fromEntries(hows)])),
        ids,
        seen,
      }
    },
  )
}
