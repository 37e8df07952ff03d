/**
 * Callers that do their worst, all at once and each at a pace of its own: bodies that cost more than they weigh, senders and readers that take their
 * time or none, connections that say nothing, strangers, floods, and one greedy caller with a key.
 */
import { connect, type Socket } from "node:net"
import { type Chance, chanceOf } from "../soak/Chance.ts"
import { bePart, stepBack } from "./Children.ts"
import { heavyBodies, packedBodies } from "./HostileBodies.ts"
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

/** Requests that come at a pace, each on a connection of its own. */
interface Attack {
  readonly name: string
  readonly perSecond: number
  readonly atOnce: number
  readonly call: (chance: Chance) => Call
}

/** Connections that only hold on: as many are kept open. */
interface Hold {
  readonly name: string
  readonly connections: number
  readonly hold: (name: string) => void
}

/** @param only a part of the names of the attacks that are tried; all where it is empty */
export const run = (port: number, only: string): void => {
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
  const noise = (chance: Chance): string =>
    String.fromCharCode(...Array.from({ length: 30 }, () => chance.between(1, 255)))
  const attacks: ReadonlyArray<Attack> = [
    {
      name: "heavy body",
      perSecond: 2,
      atOnce: 4,
      call: (chance) => ({ body: any(chance, heavyBodies, nothing), key: greedyKey }),
    },
    {
      name: "packed body",
      perSecond: 1,
      atOnce: 2,
      call: (chance) => ({
        body: any(chance, packedBodies, nothing),
        key: greedyKey,
        headers: ["content-encoding: gzip"],
      }),
    },
    ...hostileConducts.map(
      (conduct): Attack => ({
        name: `provider: ${conduct}`,
        perSecond: 0.4,
        atOnce: 4,
        call: (chance) => ({ body: chatOf(conduct, chance.next() < 0.5), key: greedyKey }),
      }),
    ),
    {
      name: "list of models",
      perSecond: 0.5,
      atOnce: 1,
      call: () => ({ path: "/v1/models", key: greedyKey }),
    },
    {
      name: "greedy caller",
      perSecond: 20,
      atOnce: 60,
      call: () => ({ body: chatOf(lateModel, false), key: greedyKey }),
    },
    {
      name: "stranger",
      perSecond: 50,
      atOnce: 50,
      call: () => ({ body: chatOf(goodModel, false), headers: longHeaders }),
    },
    {
      name: "stranger without the body",
      perSecond: 5,
      atOnce: 100,
      call: () => ({ headers: ["content-length: 1000000"], method: "POST" }),
    },
    {
      name: "wrong key",
      perSecond: 50,
      atOnce: 50,
      call: () => ({ body: chatOf(goodModel, true), key: `wrong-${count}` }),
    },
    {
      name: "wrong key for the list of models",
      perSecond: 20,
      atOnce: 20,
      call: () => ({ method: "HEAD", path: "/v1/models", key: `wrong-${count}` }),
    },
    { name: "flood of /health", perSecond: 100, atOnce: 50, call: () => ({ path: "/health" }) },
    {
      name: "flood of paths",
      perSecond: 50,
      atOnce: 50,
      call: (chance) => ({ path: `/${chance.between(0, 1e9)}/${"x".repeat(1_000)}` }),
    },
    {
      name: "preflight",
      perSecond: 20,
      atOnce: 20,
      call: () => ({ method: "OPTIONS", headers: ["access-control-request-headers: x"] }),
    },
    { name: "noise", perSecond: 20, atOnce: 20, call: (chance) => ({ method: noise(chance) }) },
  ]

  const longBody = { method: "POST", headers: ["content-length: 5000000"] }
  const holds: ReadonlyArray<Hold> = [
    { name: "idle", connections: 200, hold: (name) => holdOpen(name, "") },
    {
      name: "half a head",
      connections: 50,
      hold: (name) => holdOpen(name, "POST / HTTP/1.1\r\nhost: a\r\nx-a: "),
    },
    {
      name: "dripping head",
      connections: 50,
      hold: (name) => holdOpen(name, "POST / HTTP/1.1\r\nhost: a\r\n", "x-a: b\r\n"),
    },
    {
      name: "dripping body",
      connections: 20,
      hold: (name) => holdOpen(name, headOf({ ...longBody, key: greedyKey }, "attack-slow"), "x"),
    },
    {
      name: "stranger's dripping body",
      connections: 20,
      hold: (name) => holdOpen(name, headOf(longBody, "attack-slow"), "x"),
    },
    { name: "absent reader", connections: 10, hold: (name) => readBadly(name, false) },
    { name: "absent reader of a stream", connections: 10, hold: (name) => readBadly(name, true) },
    { name: "slow reader", connections: 10, hold: (name) => readBadly(name, false, 200) },
    { name: "slow reader of a stream", connections: 5, hold: (name) => readBadly(name, true, 200) },
  ]

  const timers: Array<NodeJS.Timeout> = []
  const begin = () => {
    isOn = true
    for (const [at, { atOnce, call, name, perSecond }] of attacks.entries()) {
      if (!name.includes(only)) continue
      const chance = chanceOf(at + 100)
      let running = 0
      timers.push(
        setInterval(() => {
          if (running >= atOnce) return
          running += 1
          void ask(name, call(chance)).finally(() => {
            running -= 1
          })
        }, 1_000 / perSecond),
      )
    }
    for (const { connections, hold, name } of holds) {
      if (name.includes(only)) for (let at = 0; at < connections; at++) hold(name)
    }
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
