/** An upstream in a process of its own, to be killed as a machine kills: without a word. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface UpstreamProcess {
  readonly port: number
  /** `kill -9`, and the end of the process. */
  readonly kill: Effect.Effect<void>
}

/** Streams two events a second to whoever asks, without end; says its port. */
const program = `
import { createServer } from "node:http"
const event = (content) => "data: " + JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m",
  choices: [{ index: 0, delta: { content }, finish_reason: null }] }) + "\\n\\n"
const answer = { id: "c", object: "chat.completion", created: 1, model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "here" }, finish_reason: "stop" }] }
createServer((request, response) => {
  let body = ""
  request.on("data", (bytes) => { body += bytes })
  request.on("end", () => {
    if (!body.includes('"stream":true')) {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer))
      return
    }
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(event("on"))
    const timer = setInterval(() => response.write(event(" and on")), 500)
    response.on("close", () => clearInterval(timer))
  })
}).listen(Number(process.argv[1] ?? 0), "127.0.0.1", function () { console.log(this.address().port) })
`

/** Starts it, on this port where one is given; killed with the scope. */
export const upstreamProcess = (port = 0): Effect.Effect<UpstreamProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, ["--input-type=module", "--eval", program, String(port)], {
          stdio: ["ignore", "pipe", "inherit"],
        }),
      ),
      (process) => Effect.sync(() => process.kill("SIGKILL")),
    )
    const listening = yield* Effect.async<number>((resume) => {
      createInterface({ input: child.stdout }).once("line", (line) => resume(Effect.succeed(Number(line))))
    })
    return {
      port: listening,
      kill: Effect.async<void>((resume) => {
        child.once("close", () => resume(Effect.void))
        child.kill("SIGKILL")
      }),
    }
  })
