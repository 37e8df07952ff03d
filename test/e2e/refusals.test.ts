/** Refusals of large bodies: who sends on reads its answer and no reset, and who sends on without end is not listened to for ever. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { head, type RawConnection, rawConnection } from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const chatPath = "/v1/chat/completions"

const refusals = [
  { status: 401, path: chatPath, headers: { authorization: "Bearer sk-wrong" } },
  { status: 404, path: "/v1/nowhere", headers: {} },
  { status: 405, path: "/v1/models", headers: {} },
  { status: 413, path: chatPath, headers: {} },
  { status: 415, path: chatPath, headers: { "content-encoding": "x-unknown" } },
] as const

const start = Effect.gen(function* () {
  const upstream = yield* scriptedUpstream(chat("Hello."))
  return yield* startGateway(
    configOf([{ base_url: upstream.url }], { server: { max_body_bytes: 1_000_000, access_keys: ["sk-in"] } }),
  )
})

/** Those without a valid key, or with nothing to ask for. */
const isOfStranger = (status: number): boolean => [401, 404, 405].includes(status)

const piece = Buffer.alloc(64 * 1024, "x")
const asChunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")])

const framings = [
  { name: "with a length", headers: { "content-length": `${2 ** 40}` }, bytes: piece },
  { name: "in chunks", headers: { "transfer-encoding": "chunked" }, bytes: asChunk },
] as const

const statusOf = ({ received }: RawConnection): string =>
  received().subarray(0, "HTTP/1.1 413".length).toString()

/** Sends on until the other side has closed; gives how many bytes were taken. */
const sendWithoutEnd = ({ send, socket }: RawConnection, bytes: Buffer) => {
  let sent = 0
  const go: Effect.Effect<number> = Effect.suspend(() => {
    if (socket.destroyed || socket.readableEnded) return Effect.succeed(sent)
    sent += bytes.length
    return Effect.zipRight(send(bytes), go)
  })
  return go
}

describe("A large body that is refused", () => {
  it.scopedLive(
    "is answered to clients of Node's fetch, whole or in chunks",
    () =>
      Effect.gen(function* () {
        const gateway = yield* start
        for (const { headers, path, status } of refusals) {
          // Who may not ask is not read on for long.
          const body = Buffer.alloc(isOfStranger(status) ? 32_000 : 30_000_000, "x")
          for (const sent of [() => body, () => new Blob([body]).stream()]) {
            const response = yield* Effect.promise(() =>
              fetch(`${gateway.baseUrl}${path}`, {
                method: "POST",
                headers: { authorization: "Bearer sk-in", ...headers },
                body: sent(),
                duplex: "half",
              }),
            )
            const text = yield* Effect.promise(() => response.text())
            expect([response.status, text]).toEqual([status, expect.stringContaining('"error"')])
          }
        }
      }),
    60_000,
  )

  it.scopedLive(
    "is not taken without end",
    () =>
      Effect.gen(function* () {
        const { port } = yield* start
        const [unauthorized] = refusals
        for (const { bytes, headers } of framings) {
          const connection = yield* rawConnection(port)
          yield* connection.send(head("POST", unauthorized.path, { ...unauthorized.headers, ...headers }))
          const sent = yield* sendWithoutEnd(connection, bytes)
          expect(statusOf(connection)).toBe("HTTP/1.1 401")
          expect(sent).toBeLessThan(400_000_000)
        }
      }),
    60_000,
  )

  it.scopedLive(
    "is waited for while it comes, however slowly, of callers, and for a moment of strangers; then its connection is closed",
    () =>
      Effect.gen(function* () {
        const { port } = yield* start
        const outcomes = yield* Effect.forEach(
          refusals,
          ({ headers, path }) =>
            Effect.gen(function* () {
              const connection = yield* rawConnection(port)
              const authorized = { authorization: "Bearer sk-in", "content-length": "100000000", ...headers }
              yield* connection.send(head("POST", path, authorized))
              // Longer than it may be silent.
              for (let i = 0; i < 12; i++) {
                yield* connection.send(piece)
                yield* Effect.sleep(250)
              }
              const isOpen = !connection.socket.readableEnded && !connection.socket.destroyed
              const end = yield* connection.closed
              return [statusOf(connection), isOpen, end] as const
            }),
          { concurrency: "unbounded" },
        )
        expect(outcomes).toEqual(
          refusals.map(({ status }) => [`HTTP/1.1 ${status}`, !isOfStranger(status), "end"]),
        )
      }),
    60_000,
  )
})
