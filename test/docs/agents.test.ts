/** The lines of docs/agents.md: its requests are answered, its addresses lead to what is served, and what it has in JSON is JSON. */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { promisify } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { allOperations } from "../../src/operations/Operations.ts"
import { pathOf } from "../../src/operations/paths/RequestTarget.ts"
import { spellingsOf } from "../../src/operations/paths/Spellings.ts"
import { dialects } from "../../src/routing/Dialect.ts"
import { configOf, configuredKey } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { samples } from "../support/OperationSamples.ts"
import { json, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const page = readFileSync(new URL("../../docs/agents.md", import.meta.url), "utf8")

/** What stands in the fenced blocks of a language. */
const blocks = (language: string): ReadonlyArray<string> =>
  Array.from(page.matchAll(/^```(\w*)\n(.*?)^```$/gms)).flatMap(([, name, text = ""]) =>
    name === language ? [text] : [],
  )

const curls = blocks("sh").filter((text) => text.startsWith("curl "))

const served: ReadonlySet<string> = new Set(
  [...allOperations.flatMap(({ paths }) => paths), "/models"].flatMap(spellingsOf),
)

const key = "sk-of-the-reader"

/** What the upstream answers at a path. */
const answerAt = (path: string) => {
  const asked = allOperations.find(({ paths }) => path === `/v1${paths[0]}`)
  const answer = asked === undefined ? {} : samples[asked.name].answer
  return answer instanceof Uint8Array ? {} : answer
}

/** Programs of the page whose packages are there, with a request at their end. */
const programs: ReadonlyArray<readonly [path: string, program: string]> = blocks("js").flatMap((text) => {
  const asked = (path: string, call: string) =>
    [[path, `${text}\nprocess.stdout.write(JSON.stringify(await ${call}))`]] as const
  if (/^import OpenAI from "openai"\n\nconst client = /.test(text)) {
    return [
      ...asked("/v1/responses", 'client.responses.create({ model: "gpt-5.1", input: "Hello" })'),
      ...asked(
        "/v1/chat/completions",
        'client.chat.completions.create({ model: "gpt-5.1", messages: [{ role: "user", content: "Hello" }] })',
      ),
    ]
  }
  return text.includes("@anthropic-ai/sdk")
    ? asked(
        "/v1/messages",
        'client.messages.create({ model: "claude-sonnet-5", max_tokens: 64, messages: [{ role: "user", content: "Hello" }] })',
      )
    : []
})

/** What a command prints when the gateway of port 8000 has these keys. */
const printed = (command: ReadonlyArray<string>, accessKeys: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream(({ path }) => json(answerAt(path)))
    const gateway = yield* startGateway(
      configOf(
        [
          {
            base_url: upstream.url,
            ...(accessKeys.length === 0 ? { api_key: "" } : {}),
            dialects: [...dialects],
            model_match: { type: "keyword", value: ["gpt-", "claude-"] },
          },
        ],
        {
          server: { access_keys: accessKeys },
        },
      ),
    )
    const [program = "", ...words] = command.map((word) =>
      word.replaceAll("http://localhost:8000", gateway.baseUrl),
    )
    const { stdout } = yield* Effect.promise(() =>
      promisify(execFile)(program, words, { env: { ...process.env, SLUICE_KEY: key } }),
    )
    const sent = accessKeys.length === 0 ? key : configuredKey
    expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${sent}`])
    return JSON.parse(stdout)
  })

describe("docs/agents.md", () => {
  it("has a request for each dialect", () => {
    const asked = curls.map((text) => /localhost:8000(\S+)/.exec(text)?.[1])
    const spoken = allOperations.filter(({ dialect }) => dialect !== undefined)
    for (const { paths } of spoken.filter(({ name }) =>
      ["chat.completions", "messages", "responses"].includes(name),
    )) {
      expect(asked).toContain(`/v1${paths[0]}`)
    }
  })

  for (const command of curls) {
    const [, path = ""] = /localhost:8000(\S+)/.exec(command) ?? []
    for (const accessKeys of [[], [key]]) {
      it.scopedLive(`${path} answers, with ${accessKeys.length} access keys`, () =>
        Effect.map(printed(["sh", "-c", command.replace("curl ", "curl -sS ")], accessKeys), (answer) => {
          expect(answer).toEqual(answerAt(path))
        }),
      )
    }
  }

  it("has programs of both families", () => {
    expect(programs.map(([path]) => path)).toEqual(["/v1/responses", "/v1/chat/completions", "/v1/messages"])
  })

  for (const [path, program] of programs) {
    it.scopedLive(`its program is answered at ${path}`, () =>
      Effect.map(printed(["node", "--input-type=module", "--eval", program], [key]), (answer) => {
        expect(answer).toMatchObject(answerAt(path))
      }),
    )
  }

  it("names no path that is not served", () => {
    const rows = Array.from(
      page.matchAll(/^\| [^|]+ \| [^|]+ \| (?<base>[^|]+) \| (?<asks>[^|]+) \|$/gm),
      ({ groups }) => groups ?? {},
    ).filter(({ asks }) => asks?.includes("`/") === true)
    expect(rows.length).toBeGreaterThan(10)
    const asked = rows.flatMap(({ asks = "", base = "" }) => {
      const below = /localhost:8000([^`]*)/.exec(base)?.[1] ?? "/v1"
      return Array.from(asks.matchAll(/`(\/[^`]+)`/g), ([, path = ""]) => `${below}${path}`)
    })
    expect(asked.filter((path) => !served.has(pathOf(path)))).toEqual([])
  })

  it("has JSON that is JSON", () => {
    expect(blocks("json").map((text) => typeof JSON.parse(text))).toEqual(["object", "object"])
  })
})
