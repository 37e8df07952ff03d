/** Who is let in, and whose word is believed: nothing that a file lacks, or says by mistake, opens a gateway that asks for keys. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { loadConfig } from "../../src/config/file/ConfigFile.ts"
import { toOperator } from "../../src/config/file/Saying.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { post } from "../support/RawHttp.ts"
import { chat, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }
const clients =
  'openai_clients: [{ name: a, base_url: "https://a.example", api_key: x, model_match: { type: exact, value: [m] } }]\n'

/** What is wrong with a file that says this beside its clients: errors, or warnings, as the operator reads them. */
const said = (text: string, env: Readonly<Record<string, string>> = {}) => {
  const loaded = loadConfig(`${text}\n${clients}`, env)
  const problems = Either.isLeft(loaded) ? loaded.left : loaded.right.warnings
  return {
    loads: Either.isRight(loaded),
    keys: Either.isRight(loaded) ? loaded.right.config.server.access_keys.length : 0,
    told: problems.map(({ message, path }) => `${toOperator(path)}: ${toOperator(message)}`).join("\n"),
  }
}

describe("Access keys", () => {
  it.each([
    ["an empty text", 'server: { access_keys: [""] }', "empty access key"],
    ["a variable that is set to nothing", `server: { access_keys: ["\${KEY}"] }`, "empty access key"],
    ["a default that is nothing", `server: { access_keys: ["\${NONE:-}"] }`, "empty access key"],
    ["a variable that is not set", `server: { access_keys: ["\${NONE}"] }`, "is not set"],
    ["blanks", 'server: { access_keys: ["  "] }', "white space"],
    ["a blank inside", 'server: { access_keys: ["one two"] }', "white space"],
    ["a line feed behind", 'server: { access_keys: ["key-of-callers\\n"] }', "white space"],
    ["a control character", 'server: { access_keys: ["key\\u0007-of-callers"] }', "cannot carry"],
    ["letters beyond ASCII", "server: { access_keys: [schlüssel-der-anrufer] }", "cannot carry"],
    ["a number", "server: { access_keys: [12345678] }", "access_keys[0]"],
    ["null", "server: { access_keys: [~] }", "access_keys[0]"],
    ["true", "server: { access_keys: [true] }", "access_keys[0]"],
    ["a list inside", "server: { access_keys: [[key-of-callers]] }", "access_keys[0]"],
    ["a map", "server: { access_keys: { a: key-of-callers } }", "access_keys"],
    ["a text without brackets", "server: { access_keys: key-of-callers }", "access_keys"],
    ["false", "server: { access_keys: false }", "access_keys"],
    ["another name", "server: { access_key: [key-of-callers] }", "access_key"],
    ["one level too high", "access_keys: [key-of-callers]", "access_keys"],
    ["a server that is a list", "server: [access_keys]", "server"],
    ["what examples have there", "server: { access_keys: [replace-me] }", "examples"],
  ])("that are %s are refused, and told", (_, text, told) => {
    const found = said(text, { KEY: "" })
    expect([found.loads, found.told]).toEqual([false, expect.stringContaining(told)])
  })

  it.each([
    "",
    "server:",
    "server: {}",
    "server: ~",
    "server: { access_keys: }",
    "server: { access_keys: ~ }",
    "server: { access_keys: [] }",
  ])("that are none (%j) are warned of, where there is something to spend", (text) => {
    const found = said(text)
    expect([found.loads, found.keys, found.told]).toEqual([
      true,
      0,
      expect.stringContaining("at your expense"),
    ])
  })

  it("that are listed twice or can be guessed let in their holders, and are told where they are weak", () => {
    expect(said("server: { access_keys: [key-of-callers, key-of-callers] }")).toEqual({
      loads: true,
      keys: 2,
      told: "",
    })
    const weak = said("server: { access_keys: [x] }")
    expect([weak.loads, weak.told]).toEqual([true, expect.stringContaining("can be guessed")])
  })
})

describe("trust_proxy", () => {
  it.each([
    '"yes"',
    '"1"',
    "-1",
    "1.5",
    "33",
    ".inf",
    "[10.0.0.0/33]",
    "[proxy.example]",
    "[[10.0.0.0/8]]",
    "[1]",
    "{ hops: 1 }",
    "10.0.0.0/8",
    '[""]',
  ])("that is %s is refused", (value) => {
    const found = said(`server: { access_keys: [key-of-callers], trust_proxy: ${value} }`)
    expect([found.loads, found.told]).toEqual([false, expect.stringContaining("trust_proxy")])
  })

  it.scopedLive("tells addresses in one spelling, and believes no more than it says", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(() => chat("Hello."))
      const cases: ReadonlyArray<readonly [trust: unknown, forwarded: string, told: string]> = [
        [true, "::ffff:1.2.3.4", "1.2.3.4"],
        [true, "[fe80::1%eth0]:443", "fe80::1"],
        [true, "fe80::1%eth0", "fe80::1"],
        [true, "::FFFF:102:304", "1.2.3.4"],
        [1, "8.8.8.8, ::ffff:1.2.3.4", "1.2.3.4"],
        [1, "8.8.8.8, <script>", "127.0.0.1"],
        [["127.0.0.0/8"], "8.8.8.8, 1.2.3.4", "1.2.3.4"],
        [["10.0.0.0/8"], "8.8.8.8", "127.0.0.1"],
        [0, "8.8.8.8", "127.0.0.1"],
        [false, "8.8.8.8", "127.0.0.1"],
      ]
      for (const [trust, forwarded, told] of cases) {
        const gateway = yield* startGateway(
          configOf([{ base_url: upstream.url }], { server: { trust_proxy: trust } }),
        )
        yield* post(gateway.port, "/v1/chat/completions", body, { "x-forwarded-for": forwarded })
        const [record] = yield* gateway.awaitRecords(1)
        expect([trust, forwarded, record?.clientIp]).toEqual([trust, forwarded, told])
      }
    }),
  )
})

describe("A reload", () => {
  it.scopedLive("opens a gateway that asks for keys only where the file says so", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(() => chat("Hello."))
      const entries = [{ base_url: upstream.url }]
      const files = yield* FileSystem.FileSystem
      const gateway = yield* startGateway(
        configOf(entries, {
          server: { access_keys: ["key-of-callers"] },
          admin: { keys: ["key-of-operators"] },
        }),
      )
      const stranger = Effect.map(
        post(gateway.port, "/v1/chat/completions", body),
        (answer) => answer?.status,
      )
      const half = configOf(entries)
      for (const lacking of [
        half,
        `${half}server:\n`,
        `${half}server: { access_keys: }\nadmin: { keys: [] }\n`,
        `${half}server: { access_keys: [""] }\nadmin: { keys: [] }\n`,
        `${half}server: { access_keys: [key-of-callers] }\n`,
        "openai_clients: []\n",
        "",
      ]) {
        yield* gateway.reload(lacking)
        expect([lacking, yield* stranger, (yield* gateway.config.status).generation]).toEqual([
          lacking,
          401,
          1,
        ])
        expect((yield* gateway.config.status).lastError).not.toBe(null)
      }
      // Gone, and written anew without.
      yield* files.remove(gateway.configPath)
      yield* gateway.config.reload
      expect(yield* stranger).toBe(401)
      yield* gateway.reload(half)
      expect(yield* stranger).toBe(401)
      // One of several may go: the others still shut it.
      yield* gateway.reload(
        `${half}server: { access_keys: [another-key-of-callers] }\nadmin: { keys: [key-of-operators] }\n`,
      )
      expect([yield* stranger, (yield* gateway.config.status).generation]).toEqual([401, 2])
      yield* gateway.reload(`${half}server: { access_keys: [] }\nadmin: { keys: [] }\n`)
      expect(yield* stranger).toBe(200)
    }).pipe(Effect.provide(NodeFileSystem.layer)),
  )
})
