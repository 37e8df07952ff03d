/** Upstreams that answer before they have read the request: a refusal is read, however they end the connection under the bytes still on their way. */
import { createServer, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Upstream } from "../../../src/routing/Upstream.ts"
import type { UpstreamCall } from "../../../src/upstream/calls/UpstreamCall.ts"
import * as Upstreams from "../../../src/upstream/calls/Upstreams.ts"
import { whole } from "../../../src/upstream/calls/WholeAnswer.ts"
import { type SentBytes, storedBytes } from "../../../src/wire/StoredBytes.ts"
import { defaultTimeouts, makeUpstream } from "../../support/arbitraries.ts"

const text = '{"error":{"message":"too much","type":"invalid_request_error","param":null,"code":null}}'

type Act = (socket: Socket, answer: string) => void

/** What an upstream does after its early answer. */
const acts = {
  "closes, the rest unread": (socket, answer) => {
    socket.pause()
    socket.write(answer, () => socket.destroy())
  },
  "says that it is done, and closes": (socket, answer) => {
    socket.pause()
    socket.end(answer, () => setTimeout(() => socket.destroy(), 30))
  },
  resets: (socket, answer) => {
    socket.pause()
    socket.write(answer, () => socket.resetAndDestroy())
  },
  "says the half, then the rest, and resets": (socket, answer) => {
    socket.pause()
    socket.write(answer.slice(0, -20))
    setTimeout(() => socket.write(answer.slice(-20), () => socket.resetAndDestroy()), 30)
  },
  "reads on": (socket, answer) => {
    socket.on("data", () => {})
    socket.write(answer)
  },
  "reads on for a while, and resets": (socket, answer) => {
    socket.on("data", () => {})
    socket.write(answer)
    setTimeout(() => socket.resetAndDestroy(), 50)
  },
  "neither reads nor closes": (socket, answer) => {
    socket.pause()
    socket.write(answer)
  },
} satisfies Record<string, Act>

const closing: ReadonlySet<string> = new Set(
  Object.keys(acts).filter((how) => how !== "reads on" && how !== "neither reads nor closes"),
)

const headOf = (status: number, lines: ReadonlyArray<string>) =>
  [`HTTP/1.1 ${status} Early`, "content-type: application/json", ...lines, "", ""].join("\r\n")

const length = `content-length: ${text.length}`

const forms = {
  "with a length": { status: 413, answer: headOf(413, [length]) + text },
  "with a length, to be closed": { status: 401, answer: headOf(401, ["connection: close", length]) + text },
  "in chunks": {
    status: 429,
    answer: `${headOf(429, ["transfer-encoding: chunked"])}${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
  },
  "to the close": { status: 413, answer: headOf(413, ["connection: close"]) + text },
}

const small = Buffer.from("{}")

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

/** Answers small requests when they are there, and large ones early. */
const earlyUpstream = (act: Act, answer: string): Effect.Effect<Upstream, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      let text = ""
      const onData = (bytes: Buffer) => {
        text += bytes.toString("latin1")
        const bodyAt = text.indexOf("\r\n\r\n") + 4
        const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0)
        if (length > small.length) {
          socket.off("data", onData)
          act(socket, answer)
        } else if (text.length === bodyAt + length) {
          text = ""
          socket.write(ok)
        }
      }
      socket.on("data", onData)
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }),
    )
    return makeUpstream({ baseUrl: `http://127.0.0.1:${port}/v1`, timeouts: defaultTimeouts })
  })

const ask = (upstream: Upstream, body: SentBytes) =>
  Effect.gen(function* () {
    const call: UpstreamCall = {
      upstream,
      method: "POST",
      path: "/chat/completions",
      headers: { "content-type": "application/json" },
      body,
      awaits: "answer",
      unpacks: "any",
      deadline: undefined,
    }
    const answer = yield* whole(yield* Upstreams.Upstreams, call, 100_000)
    return { status: answer.status, text: Buffer.from(answer.body).toString() }
  })

/** So that the connection is back in its pool. */
const aTurn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const megabytes = (count: number) => Buffer.alloc(count * 1_000_000, "x")

const refuses = (act: Act, { answer, status }: { answer: string; status: number }, body: SentBytes) =>
  Effect.scoped(
    Effect.gen(function* () {
      const upstream = yield* earlyUpstream(act, answer)
      for (const isPooled of [false, true]) {
        if (isPooled) yield* ask(upstream, small)
        expect([isPooled, yield* ask(upstream, body)]).toEqual([isPooled, { status, text }])
        yield* aTurn
        // The next call does not wait behind what was never read.
        expect((yield* ask(upstream, small)).status).toBe(200)
        yield* aTurn
      }
    }),
  )

/** What is read from where it is kept as it is sent. */
const kept = (count: number): SentBytes => {
  const bytes = megabytes(count)
  const read = async function* (from: number, to: number) {
    for (let at = from; at < to; at += 65_536) yield bytes.subarray(at, Math.min(to, at + 65_536))
  }
  return storedBytes([{ store: { read }, from: 0, to: bytes.length }])
}

describe("An upstream that answers a large request early", () => {
  for (const [how, act] of Object.entries(acts)) {
    it.scopedLive(`is heard amid an upload, and so is the next call, where it ${how}`, () =>
      refuses(act, forms["with a length"], kept(5)).pipe(Effect.provide(Upstreams.layer)),
    )
  }

  for (const [how, act] of Object.entries(acts)) {
    it.scopedLive(
      `is heard, and so is the next call, where it ${how}`,
      () =>
        Effect.forEach(Object.entries(forms), ([form, one]) =>
          // An answer to the close has to be closed.
          form === "to the close" && !closing.has(how) ? Effect.void : refuses(act, one, megabytes(5)),
        ).pipe(Effect.provide(Upstreams.layer)),
      30_000,
    )
  }

  it.scopedLive(
    "is heard over 50 MB on their way",
    () => refuses(acts.resets, forms["with a length"], megabytes(50)).pipe(Effect.provide(Upstreams.layer)),
    30_000,
  )
})
