/** Backpressure from end to end: a caller who reads slowly slows the upstream down, instead of filling the gateway's memory. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { within } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"
import { postBytes, type RawConnection, rawConnection } from "../support/RawHttp.ts"
import { flood, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const megabyte = 1024 * 1024

/** A line of /proc/PID/status in bytes: `VmRSS`, what is resident now, or `VmHWM`, the most there has been. */
const memory = (pid: number, name: "VmRSS" | "VmHWM"): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) *
  1024

/** See proc(5), clear_refs: 5 sets the peak to what is resident now. */
const forgetPeak = (pid: number) => writeFileSync(`/proc/${pid}/clear_refs`, "5")

const requestBy = (agent: string) =>
  postBytes(
    "/v1/chat/completions",
    {
      model: "gpt-4o",
      stream: true,
      messages: [{ role: "user", content: "Hello?" }],
    },
    { "user-agent": agent },
  )

/**
 * Reads to the end of the stream, keeping nothing, with a pause after each piece, and tells of each how many bytes came so far. As fast as it can
 * be read, what passes through is garbage sooner than it is collected, and that is no matter of a slow reader.
 */
const drain = (connection: RawConnection, pauseMs: number, onPiece: (size: number) => void = () => {}) =>
  Effect.async<number>((resume) => {
    let size = 0
    connection.socket.removeAllListeners("data")
    connection.socket.on("data", (piece: Buffer) => {
      size += piece.length
      onPiece(size)
      if (pauseMs > 0) {
        connection.socket.pause()
        setTimeout(() => connection.socket.resume(), pauseMs)
      }
      if (piece.subarray(-64).includes("data: [DONE]\n\n")) resume(Effect.succeed(size))
    })
    connection.socket.resume()
  })

/** How far a sender may be ahead of who reads: buffers of two systems' sockets, the gateway's and its own. */
const ahead = 32 * megabyte

describe("A slow reader of a fast stream of 400 MB", () => {
  it.runIf(existsSync("/proc/self/clear_refs"))(
    "holds the upstream back all the while, and of what passes the gateway's memory never has more than a third",
    () =>
      Effect.runPromise(
        Effect.gen(function* () {
          const streamBytes = 400 * megabyte
          const warming = flood(32 * megabyte, 64 * 1024)
          const measured = flood(streamBytes, 64 * 1024)
          const upstream = yield* scriptedUpstream(({ headers }) =>
            headers["user-agent"] === "warming" ? warming.answer : measured.answer,
          )
          const files = yield* FileSystem.FileSystem
          const folder = yield* files.makeTempDirectoryScoped()
          writeFileSync(`${folder}/config.yaml`, configOf([{ base_url: upstream.url }]))
          const gateway = yield* sluice(["serve", "--config", `${folder}/config.yaml`, "--port", "0"])
          const port = Number(new URL(yield* addressOf(gateway)).port)
          const pid = gateway.process.pid ?? 0

          // A first stream, read as fast as it comes, so that what a process allocates once is allocated.
          const quick = yield* rawConnection(port)
          yield* quick.send(requestBy("warming"))
          yield* within("the first stream's end", drain(quick, 0), 20_000)

          // Its audit row is written, too.
          const queued = Effect.promise(async () => {
            const health = await fetch(`http://127.0.0.1:${port}/health`)
            return /"queued":0\b/.test(await health.text())
          })
          yield* within("the first row", Effect.repeat(queued, { until: (none) => none }), 20_000)

          const before = memory(pid, "VmRSS")
          forgetPeak(pid)
          const slow = yield* rawConnection(port)
          yield* slow.send(requestBy("measured"))
          yield* Effect.async<void>((resume) => {
            slow.socket.once("data", () => {
              slow.socket.pause()
              resume(Effect.void)
            })
          })
          yield* within("the upstream being held back", measured.stalled(300), 20_000)
          // What the upstream has got rid of by now is in some buffer: its own, the kernel's, the gateway's.
          expect(measured.sentBytes()).toBeLessThan(ahead)
          let mostAhead = 0
          const size = yield* within(
            "the stream's end",
            drain(slow, 1, (size) => {
              mostAhead = Math.max(mostAhead, measured.sentBytes() - size)
            }),
            100_000,
          )
          expect(size).toBeGreaterThan(streamBytes - ahead)
          expect(mostAhead / megabyte).toBeLessThan(ahead / megabyte)
          // V8 leaves what nobody holds any more until it makes up 64 MB, or a little more: far from all that passed, which is what a gateway
          // that keeps it would have.
          expect((memory(pid, "VmHWM") - before) / megabyte).toBeLessThan(streamBytes / 3 / megabyte)
        }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)),
      ),
    120_000,
  )
})
