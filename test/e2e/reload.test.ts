/** Ten thousand requests while the configuration is replaced all the time: none is lost, none gets another's answer. */
import { renameSync, writeFileSync } from "node:fs"
import { Agent, request as httpRequest } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { configOf } from "../support/GatewayConfig.ts"
import { addressOf, sluice } from "../support/process.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const total = 10_000
const concurrency = 32

interface Answered {
  readonly status: number | undefined
  readonly text: string
}

/** A POST on a kept-alive connection; a connection that breaks is an answer with the error as its text. */
const ask = (agent: Agent, url: string, body: string): Effect.Effect<Answered> =>
  Effect.async((resume) => {
    const sending = httpRequest(url, { method: "POST", agent }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        text += piece
      })
      response.on("end", () => resume(Effect.succeed({ status: response.statusCode, text })))
      response.on("error", (error) => resume(Effect.succeed({ status: undefined, text: String(error) })))
    })
    sending.on("error", (error) => resume(Effect.succeed({ status: undefined, text: String(error) })))
    sending.end(body)
  })

describe("Reloading under load", () => {
  it.scopedLive(
    "loses none of 10,000 requests",
    () =>
      Effect.gen(function* () {
        const upstream = yield* scriptedUpstream((request) => chat(`You said ${Object(request.body).user}.`))
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        const path = `${folder}/config.yaml`
        // Another name, prefix and weight each time, so that an old and a new configuration could not be mistaken for each other.
        const generation = (number: number) =>
          configOf(
            [
              { name: `one-${number}`, base_url: upstream.url, special_prefix: `${number}: ` },
              {
                name: `two-${number}`,
                base_url: upstream.url,
                special_prefix: `${number}: `,
                priority: number,
              },
            ],
            { load_balancing: { strategy: "least_connections" } },
          )
        writeFileSync(path, generation(0))
        const gateway = yield* sluice(["serve", "--config", path, "--port", "0"])
        const address = yield* addressOf(gateway)
        const agent = yield* Effect.acquireRelease(
          Effect.sync(() => new Agent({ keepAlive: true, maxSockets: concurrency })),
          (made) => Effect.sync(() => made.destroy()),
        )

        let written = 0
        const rewriting = yield* Effect.fork(
          Effect.forever(
            Effect.zipRight(
              Effect.sync(() => {
                written += 1
                // In place and by renaming, as editors do either.
                if (written % 2 === 0) writeFileSync(path, generation(written))
                else {
                  writeFileSync(`${path}.new`, generation(written))
                  renameSync(`${path}.new`, path)
                }
                if (written % 8 === 0) gateway.process.kill("SIGHUP")
              }),
              Effect.sleep(15),
            ),
          ),
        )

        const wrong: Array<Answered> = []
        const seen = new Set<string>()
        yield* Effect.forEach(
          Array.from({ length: total }, (_, index) => index),
          (index) =>
            Effect.map(
              ask(
                agent,
                `${address}/v1/chat/completions`,
                JSON.stringify({
                  model: "gpt-4o",
                  user: `number ${index}`,
                  messages: [{ role: "user", content: "Hello?" }],
                }),
              ),
              (answer) => {
                const said = /"content":"(\d+): You said number (\d+)\."/.exec(answer.text)
                if (answer.status !== 200 || said?.[2] !== String(index)) wrong.push(answer)
                seen.add(said?.[1] ?? "")
              },
            ),
          { concurrency, discard: true },
        )
        yield* Fiber.interrupt(rewriting)
        expect(wrong.slice(0, 3)).toEqual([])
        expect(upstream.requests.length).toBe(total)
        // Each answer names the configuration it was made under.
        expect(seen.size).toBeGreaterThan(10)
      }).pipe(Effect.provide(NodeContext.layer)),
    120_000,
  )
})
