/** `sluice check --online` against servers: what it asks, what it says, and how it ends. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sluice } from "../../support/process.ts"
import * as Scripted from "../../support/ScriptedUpstream.ts"

const check = (entries: ReadonlyArray<object>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* files.makeTempFileScoped({ suffix: ".yaml" })
    const text = JSON.stringify({ server: { access_keys: ["key-of-callers"] }, openai_clients: entries })
    yield* files.writeFileString(path, text, { mode: 0o600 })
    return yield* Effect.flatMap(sluice(["check", "--online", path]), ({ exited }) => exited)
  }).pipe(Effect.orDie, Effect.provide(NodeContext.layer))

const refused = Scripted.status(400, { error: { message: "you must provide a model" } })

/** Lists a model and refuses empty chats, as a good server does. */
const good: Scripted.Script = ({ method, path }) => {
  if (/^\/v1\/models(?:\?|$)/.test(path)) return Scripted.models(["gpt-4"])
  return method === "POST" && path === "/v1/chat/completions"
    ? refused
    : Scripted.status(404, { detail: "Not Found" })
}

const entry = (name: string, base_url: string, more: object = {}) => ({
  name,
  base_url,
  api_key: `sk-secret-of-${name}`,
  model_match: { type: "exact", value: ["gpt-4"] },
  ...more,
})

describe("sluice check --online", () => {
  it.scopedLive("asks each client for its models and by empty requests, and finds nothing wrong", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(good)
      const { code, stdout } = yield* check([entry("a", upstream.url)])
      expect(stdout).toContain("a: lists 1 model; speaks chat")
      expect(code).toBe(0)
      const posted = upstream.requests.filter(({ method }) => method === "POST")
      expect(posted.map(({ path, body }) => [path, body])).toEqual([
        ["/v1/chat/completions", {}],
        ["/v1/responses", {}],
        ["/v1/messages", {}],
      ])
      expect(upstream.requests.map(({ headers }) => headers.authorization)).toEqual(
        upstream.requests.map(() => "Bearer sk-secret-of-a"),
      )
    }),
  )

  it.scopedLive("says what is wrong with each, without a key in it, and exits 1", () =>
    Effect.gen(function* () {
      const upstream = yield* Scripted.scriptedUpstream(good)
      const shut = yield* Scripted.scriptedUpstream(({ headers }) =>
        Scripted.status(401, { error: { message: `Incorrect API key: ${headers["x-api-key"]}\u001b[31m` } }),
      )
      const port = yield* Scripted.closedPort
      const { code, stdout } = yield* check([
        entry("shut", shut.url, { auth: "x-api-key" }),
        entry("gone", `http://127.0.0.1:${port}/v1`),
        entry("lacking", upstream.url, {
          dialects: ["chat", "messages"],
          model_match: { type: "exact", value: ["gpt-4", "gpt-9"] },
        }),
        entry("elsewhere", `${upstream.origin}/other`),
      ])
      expect(code).toBe(1)
      expect(stdout).toContain(
        "shut: refuses its api_key, sent as x-api-key (answered 401: Incorrect API key: ",
      )
      expect(stdout).toContain("gone: cannot be reached: could not connect (ECONNREFUSED)")
      expect(stdout).toContain('lacking: has no model "gpt-9"; does not speak messages: ')
      expect(stdout).toContain("5 problems found online")
      expect(stdout).not.toContain("sk-secret")
      expect(stdout).not.toContain("\u001b")
    }),
  )
})
