/** Uploads of hundreds of megabytes through the program as it is run: what memory they take, and what is left of them where it is killed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, request, type Server } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { within } from "../support/Patience.ts"
import { addressOf, sluice } from "../support/process.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "uploads-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true })),
)

/** Counts what it is sent, and keeps none of it. */
const counter = Effect.acquireRelease(
  Effect.async<Server>((resume) => {
    const server = createServer((message, response) => {
      let bytes = 0
      message.on("data", (chunk: Uint8Array) => {
        bytes += chunk.length
      })
      message.on("end", () => {
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ text: `${bytes}` }))
      })
    }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => server.close()),
)

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === "object" ? (address?.port ?? 0) : 0
}

const opening = Buffer.from(
  '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n',
)
const closing = Buffer.from(
  '\r\n--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-x\r\n--b--\r\n',
)
const megabyte = Buffer.alloc(1_000_000, 0x61)

/** Sends a file of so many megabytes, no faster than it is taken; told after each how many went. */
const send = (address: string, megabytes: number, onSent: (megabytes: number) => void) =>
  Effect.async<string>((resume) => {
    const length = opening.length + megabytes * megabyte.length + closing.length
    const headers = { "content-type": "multipart/form-data; boundary=b", "content-length": `${length}` }
    const sent = request(`${address}/v1/audio/transcriptions`, { method: "POST", headers }, (answer) => {
      let text = ""
      answer.on("data", (chunk: Buffer) => {
        text += chunk.toString()
      })
      answer.on("end", () => resume(Effect.succeed(text)))
    })
    sent.on("error", (error) => resume(Effect.succeed(error.message)))
    let gone = 0
    const next = (): void => {
      if (gone === megabytes) {
        sent.end(closing)
        return
      }
      sent.write(megabyte, () => {
        gone += 1
        onSent(gone)
        next()
      })
    }
    sent.write(opening, next)
    return Effect.sync(() => sent.destroy())
  })

const start = Effect.gen(function* () {
  const spool = yield* folder
  const upstream = yield* counter
  const config = join(yield* folder, "config.yaml")
  writeFileSync(config, configOf([{ base_url: `http://127.0.0.1:${portOf(upstream)}/v1` }]), { mode: 0o600 })
  const gateway = yield* sluice(["serve", "--config", config, "--port", "0"], { TMPDIR: spool })
  return { address: yield* addressOf(gateway), gateway, spool }
})

const residentMegabytes = (pid: number | undefined): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

describe.runIf(process.platform === "linux")("A long upload", () => {
  it.scopedLive("takes memory of no matter whose size", () =>
    Effect.gen(function* () {
      const { address, gateway } = yield* start
      yield* send(address, 5, () => {})
      const before = residentMegabytes(gateway.process.pid)
      let most = 0
      const megabytes = 400
      const text = yield* send(address, megabytes, () => {
        most = Math.max(most, residentMegabytes(gateway.process.pid))
      })
      expect(JSON.parse(text)).toEqual({ text: `${opening.length + megabytes * 1_000_000 + closing.length}` })
      most = Math.max(most, residentMegabytes(gateway.process.pid))
      // Whatever waits to be collected: kept, it would be all of it.
      expect(most - before).toBeLessThan(megabytes / 2)
    }),
  )

  it.scopedLive("leaves nothing behind where the program is killed amid it", () =>
    Effect.gen(function* () {
      const { address, gateway, spool } = yield* start
      const amid = yield* Deferred.make<void>()
      yield* Effect.forkScoped(
        send(address, 200, (gone) => {
          if (gone === 20) {
            gateway.process.kill("SIGKILL")
            Deferred.unsafeDone(amid, Effect.void)
          }
        }),
      )
      yield* within("that it is amid it", Deferred.await(amid))
      expect((yield* within("its end", gateway.exited)).signal).toBe("SIGKILL")
      expect(readdirSync(spool)).toEqual([])
    }),
  )
})
