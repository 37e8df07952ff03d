/** Nothing that a provider sends makes the built gateway stand still, by what Node or undici make of it, under any Node. */
import { readFileSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { nodeAdvice } from "../../src/runtime/NodeSupport.ts"
import { addressOf, sluice } from "../support/process.ts"
import { jsonOf, post, request } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { chatCompletion } from "../support/Wire.ts"

const programs = [
  "dist/sluice.js",
  "dist/audit-thread.js",
  "dist/read-thread.js",
  "dist/aside-thread.js",
  "dist/brotli-thread.js",
  "dist/otlp-export.js",
]

describe("a built program", () => {
  it.each(programs)("never lets Node word an assertion that fails: %s", (path) => {
    const text = readFileSync(path, "utf8")
    // Node 20 reads and parses the program for it. What stands in its place (scripts/assert.cjs) is a function without members.
    expect(text.match(/["'](node:)?assert(\/strict)?["']/g)).toBeNull()
    expect(text.match(/(?<![\w./])assert\d*\.\w+/g)).toBeNull()
  })

  it.each(programs)("has no line that is long to print, or to parse: %s", (path) => {
    const longest = Math.max(
      ...readFileSync(path, "utf8")
        .split("\n")
        .map(({ length }) => length),
    )
    expect(longest).toBeLessThan(10_000)
  })
})

const body = JSON.stringify(chatCompletion("fine"))
const withLength = `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n"

/** What is sent in place of an answer, and what the caller gets for it. */
const answers: ReadonlyArray<readonly [name: string, bytes: string, status: number]> = [
  ["200", `HTTP/1.1 200 OK\r\n${withLength}`, 200],
  ...["000", "001", "009", "010", "099"].flatMap((code) => [
    [`${code}`, `HTTP/1.1 ${code} X\r\n${withLength}`, 502] as const,
    [`${code} in chunks`, `HTTP/1.1 ${code} X\r\n${chunked}\r\n2\r\n{}\r\n0\r\n\r\n`, 502] as const,
    [`${code} without a body`, `HTTP/1.1 ${code} X\r\ncontent-length: 0\r\n\r\n`, 502] as const,
    [`103, then ${code}`, `HTTP/1.1 103 X\r\n\r\nHTTP/1.1 ${code} X\r\n${withLength}`, 502] as const,
  ]),
  ...["-1", "1", "20", "2000", "1e2", "0x1", "abc", " ", "+200", "２００", "NaN"].map(
    (code) => [`${code}`, `HTTP/1.1 ${code} X\r\n${withLength}`, 502] as const,
  ),
  ...["100", "101", "204", "205", "299", "304", "306", "600", "999"].map(
    (code) => [`${code} and nothing`, `HTTP/1.1 ${code} X\r\n\r\n`, 502] as const,
  ),
  ["100 with a body", `HTTP/1.1 100 X\r\n${withLength}`, 502],
  ["an upgrade", "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nxx", 502],
  [
    "an upgrade to HTTP/2",
    "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\n",
    502,
  ],
  ["200 that upgrades", `HTTP/1.1 200 X\r\nconnection: upgrade\r\nupgrade: h2c\r\n${withLength}`, 200],
  ["two answers", `HTTP/1.1 200 OK\r\n${withLength}`.repeat(2), 200],
  ["two answers, the first of them none", `HTTP/1.1 000 X\r\n\r\nHTTP/1.1 200 OK\r\n${withLength}`, 502],
  ["103, 200, 103", `HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\n${withLength}HTTP/1.1 103 X\r\n\r\n`, 200],
  ["two lengths", `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n${withLength}`, 502],
  ["a length and chunks", `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n${withLength}`, 502],
  ["a length of more than there is", `HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{}`, 502],
  ["a length of less than there is", `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${body}`, 502],
  ["a length below nothing", `HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n${body}`, 502],
  ["a chunk of no size", `HTTP/1.1 200 OK\r\n${chunked}\r\nzz\r\n{}\r\n`, 502],
  ["trailers for ever", `HTTP/1.1 200 OK\r\n${chunked}\r\n0\r\n${"a: b\r\n".repeat(50_000)}`, 502],
  ["a head for ever", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(50_000)}`, 502],
  ["one header for ever", `HTTP/1.1 200 OK\r\na: ${"b".repeat(300_000)}`, 502],
  ["HTTP/0.9", body, 502],
  ["HTTP/2.0, in HTTP/1.1's words", `HTTP/2.0 200 OK\r\n${withLength}`, 200],
  ["another protocol", "SSH-2.0-OpenSSH_9.9\r\n", 502],
  ["a request", "GET / HTTP/1.1\r\nhost: x\r\n\r\n", 502],
  ["NUL", "\0\0\0\0", 502],
  ["a bare CR in the head", `HTTP/1.1 200 OK\r\na: b\rc: d\r\n${withLength}`, 502],
]

describe("the start", () => {
  it.scopedLive("warns of a Node that is out of support or has known holes, and serves", () =>
    Effect.gen(function* () {
      const advice = nodeAdvice(process.versions.node)
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      yield* files.writeFileString(`${folder}/config.yaml`, "openai_clients: []\n")
      const gateway = yield* sluice(["serve"], { SERVER_PORT: "0", CONFIG_PATH: `${folder}/config.yaml` })
      expect((yield* request(Number(new URL(yield* addressOf(gateway)).port), "GET", "/livez"))?.status).toBe(
        200,
      )
      yield* gateway.signal("SIGTERM")
      const { stdout } = yield* gateway.exited
      const told = stdout.split("\n").map((line): unknown => JSON.parse(line))
      const warned = told.filter((line) => String(Object(line).message).startsWith("Node "))
      expect(warned).toMatchObject(advice === undefined ? [] : [{ level: "warn", message: advice }])
    }).pipe(Effect.provide(NodeContext.layer)),
  )
})

describe("a provider that answers against HTTP", () => {
  it.scopedLive(
    "costs its caller a 502 and nobody else anything, whatever it sends",
    () =>
      Effect.gen(function* () {
        const upstream = yield* Scripted.scriptedUpstream((request) => {
          const index = Number(Object(request.body).model?.replace("m-", ""))
          return Scripted.raw(Buffer.from(answers[index]?.[1] ?? "", "utf8"), "end")
        })
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        yield* files.writeFileString(
          `${folder}/config.yaml`,
          `openai_clients: [{ name: a, base_url: "${upstream.url}", api_key: sk-up, model_match: { type: keyword, value: [m-] } }]
retry: { rounds: 1 }
breaker: { failures: 0 }
`,
        )
        const gateway = yield* sluice(["serve"], { SERVER_PORT: "0", CONFIG_PATH: `${folder}/config.yaml` })
        const port = Number(new URL(yield* addressOf(gateway)).port)
        const got: Array<readonly [string, number | undefined]> = []
        for (const [index, [name]] of answers.entries()) {
          const [answer, live] = yield* Effect.all(
            [
              post(port, "/v1/chat/completions", {
                model: `m-${index}`,
                messages: [{ role: "user", content: "x" }],
              }),
              // While that is being answered.
              Effect.zipRight(upstream.awaitRequest(index + 1), request(port, "GET", "/livez")),
            ],
            { concurrency: "unbounded" },
          )
          expect(live?.status).toBe(200)
          expect(JSON.stringify(jsonOf(answer))).not.toMatch(/assert/i)
          got.push([name, answer?.status])
        }
        expect(got).toEqual(answers.map(([name, , status]) => [name, status]))
        yield* gateway.signal("SIGTERM")
        expect(yield* gateway.exited).toMatchObject({ code: 0, stderr: "" })
      }).pipe(Effect.provide(NodeContext.layer)),
    // Some sixty exchanges, on whatever machine. A gateway that words assertions would stand still for longer, several times over.
    60_000,
  )
})
