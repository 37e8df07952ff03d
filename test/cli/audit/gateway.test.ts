/** `sluice audit --gateway`: what a running gateway tells of its audit is what its files say. */
import { createServer } from "node:http"
import { describe, expect, it, layer } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { everything } from "../../../src/audit/read/AuditFilter.ts"
import { groupings } from "../../../src/audit/read/AuditStats.ts"
import { briefColumns } from "../../../src/audit/read/FoundRow.ts"
import { gatewayReader } from "../../../src/cli/audit/GatewayReader.ts"
import { configOf } from "../../support/GatewayConfig.ts"
import { startGateway } from "../../support/gateway.ts"
import * as Scripted from "../../support/ScriptedUpstream.ts"
import { madeUpRows, rowWith, storedAudit } from "../../support/StoredAudit.ts"
import { audit } from "./runAudit.ts"

const adminKey = "the-operator-and-nobody-else"
const env = { SLUICE_ADMIN_KEY: adminKey }

/** Of more than a page, and with no list that is empty, which the gateway does not write. */
const rows = [
  ...madeUpRows(600, 2911).map((row) => ({ ...row, dropped: row.dropped === "" ? null : row.dropped })),
  rowWith("one", { id: "only-one-is-called-so" }),
  rowWith("slash", { id: "a/b?c#d e%2f", started_at: "2026-11-22T17:35:00.125Z" }),
]

const stack = (sections: Readonly<Record<string, unknown>> = { admin: { keys: [adminKey] } }) =>
  Effect.gen(function* () {
    const { database } = yield* storedAudit(rows)
    const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
    const gateway = yield* startGateway(
      configOf([{ name: "one", base_url: upstream.url, api_key: "sk-secret-of-one" }], sections),
      { auditUrl: database },
    )
    return { database, baseUrl: gateway.baseUrl }
  })

class Stack extends Context.Tag("test/Stack")<
  Stack,
  { readonly database: string; readonly baseUrl: string }
>() {}

/** A server on a port of its own, which answers this to everything. */
const answering = (status: number, body: string, type = "application/json", headers = {}) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((_, response) => {
        response.writeHead(status, { "content-type": type, ...headers }).end(body)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close }))
      })
    }),
    ({ close }) => Effect.sync(close),
  )

layer(Layer.scoped(Stack, Effect.orDie(stack())), { excludeTestServices: true })(
  "sluice audit --gateway",
  (it) => {
    const cases: ReadonlyArray<ReadonlyArray<string>> = [
      ["list"],
      ["list", "--wide", "--utc", "-n", "530"],
      ["list", "--csv", "--model", "gpt-4o"],
      ["list", "--json", "--status", "5xx", "--since", "2026-10-03", "--until", "2026-11-01T12:00:00Z"],
      ["list", "--json", "--status", "429", "--outcome", "failed", "--ip", "2001:db8::1"],
      ["list", "--key", "00112233aabbccdd", "--text", "%", "--upstream", "o'brien"],
      ["list", "--endpoint", "models", "--conversation", "ffeeddccbbaa9988"],
      ["show", "only-one-is-called-so"],
      ["show", "called-so"],
      ["show", "a/b?c#d e%2f", "--json"],
      ["show", "asked-twice", "--utc"],
      ["show", "asked-twice", "--csv", "--no-bodies"],
      ...groupings.map((by) => ["stats", "--by", by, "--wide"]),
      ["stats", "--json", "--since", "2026-10-03", "--until", "2026-11-02", "--outcome", "ok"],
      ["export"],
      ["export", "--json", "--since", "2026-11-01"],
    ]
    for (const words of cases) {
      it.effect(`prints what the file says: ${words.join(" ")}`, () =>
        Effect.gen(function* () {
          const { baseUrl, database } = yield* Stack
          const ofFile = yield* audit([...words, "--db", database])
          const ofGateway = yield* audit([...words, "--gateway", baseUrl], env)
          expect(ofGateway).toEqual(ofFile)
          expect(ofFile).toMatchObject({ code: 0, err: "" })
          expect(ofFile.out.length).toBeGreaterThan(200)
        }),
      )
    }

    it.effect(
      "takes an address without its scheme, with a slash or /v1 behind, and a key of another variable",
      () =>
        Effect.gen(function* () {
          const { baseUrl } = yield* Stack
          const usual = yield* audit(["list", "--gateway", baseUrl], env)
          const bare = baseUrl.replace("http://", "")
          for (const address of [bare, `${baseUrl}/`, `${baseUrl}/v1`, `${baseUrl}/v1/`]) {
            const other = yield* audit(["list", "--gateway", address, "--key-env", "OPS"], { OPS: adminKey })
            expect(other).toEqual(usual)
          }
        }),
    )

    it.effect("says of no such request, and of several, which they are", () =>
      Effect.gen(function* () {
        const { baseUrl } = yield* Stack
        const none = yield* audit(["show", "nobody-is-called-so", "--gateway", baseUrl], env)
        expect(none).toMatchObject({ code: 1, out: "" })
        expect(none.err).toContain("there is no request of this id")
        const empty = yield* audit(["list", "--model", "no-such-model", "--gateway", baseUrl], env)
        expect(empty).toMatchObject({ code: 0, out: "", err: "no request matches" })
      }),
    )

    const wrong = [
      { what: "no key where one is asked for", env: {}, says: /admin\.keys: set SLUICE_ADMIN_KEY to one/ },
      {
        what: "a key that is none",
        env: { SLUICE_ADMIN_KEY: "sk-not-this-one" },
        says: /the key in SLUICE_ADMIN_KEY is none of its admin\.keys/,
      },
    ]
    for (const { env: given, says, what } of wrong) {
      it.effect(`says what is wrong with ${what}, and does not repeat it`, () =>
        Effect.gen(function* () {
          const { baseUrl } = yield* Stack
          for (const command of [["list"], ["list", "--follow"], ["show", "x"], ["stats"], ["export"]]) {
            const { code, err } = yield* audit([...command, "--gateway", baseUrl], given)
            expect(code).toBe(1)
            expect(err).toMatch(says)
            expect(err).not.toContain("sk-not-this-one")
          }
        }),
      )
    }

    it.effect("follows: the last ones, the oldest first, then those that finish, each once", () =>
      Effect.gen(function* () {
        const { baseUrl } = yield* Stack
        const reader = gatewayReader({
          address: baseUrl,
          key: Redacted.make(adminKey),
          keyVariable: "SLUICE_ADMIN_KEY",
        })
        const ask = (id: string, model: string) =>
          Effect.promise(() =>
            fetch(`${baseUrl}/v1/chat/completions`, {
              method: "POST",
              headers: { "content-type": "application/json", "x-request-id": id },
              body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello?" }] }),
            }).then((response) => response.text()),
          )
        const filter = { ...everything, model: "gpt-4o" }
        const last = yield* Stream.runCollect(reader.list(filter, 3))
        let seen = 0
        const followed = yield* reader.follow(filter, 3).pipe(
          Stream.tap(() => {
            seen += 1
            return seen === 3
              ? Effect.zipRight(ask("another-model", "deepseek-chat"), ask("first", "gpt-4o"))
              : seen === 4
                ? ask("second", "gpt-4o")
                : Effect.void
          }),
          Stream.take(5),
          Stream.runCollect,
        )
        const ids = Chunk.toReadonlyArray(Chunk.map(followed, ({ id }) => id))
        const newest = Chunk.toReadonlyArray(Chunk.map(Chunk.reverse(last), ({ id }) => id))
        expect(ids).toEqual([...newest, "first", "second"])
        expect(Object.keys(Chunk.unsafeLast(followed)).toSorted()).toEqual(briefColumns.toSorted())
      }),
    )

    it.effect("takes no key and no second source from the command line", () =>
      Effect.gen(function* () {
        const { baseUrl, database } = yield* Stack
        const asked = (...words: ReadonlyArray<string>) => audit(["list", ...words], env)
        const misused = [
          yield* asked("--gateway", baseUrl, "--db", database),
          yield* asked("--gateway", baseUrl, "--key-env", "NOT_SET_ANYWHERE"),
          yield* asked("--key-env", "SLUICE_ADMIN_KEY"),
          yield* asked("--gateway", baseUrl, "--key-env", "sk-proj-abcdefghijklmnop"),
          yield* asked("--gateway", baseUrl.replace("http://", "http://user:sk-proj-abcdefghijklmnop@")),
          yield* asked("--gateway", `${baseUrl}/?key=sk-proj-abcdefghijklmnop`),
          yield* asked("--gateway", "http://"),
          yield* asked("--gateway", baseUrl, "--key", "x", "--token", adminKey),
        ]
        for (const { code, err, out } of misused) {
          expect({ code, out }).toEqual({ code: 2, out: "" })
          expect(err).not.toBe("")
          expect(err).not.toContain("sk-proj-abcdefghijklmnop")
        }
      }),
    )
  },
)

describe("sluice audit --gateway, where there is no such gateway", () => {
  const health = JSON.stringify({ status: "ok", version: "0.0.9" })
  const cases = [
    {
      what: "another program's page",
      answer: answering(200, "<html></html>", "text/html"),
      says: /not what this release/,
    },
    {
      what: "another program's 404",
      answer: answering(404, "not found", "text/plain"),
      says: /no Sluice answers there/,
    },
    {
      what: "an address that leads elsewhere",
      answer: answering(308, "", "text/plain", { location: "/x" }),
      says: /leads elsewhere/,
    },
    { what: "JSON of another release", answer: answering(200, "{}"), says: /not what this release/ },
    { what: "a Sluice without the API", answer: answering(404, health), says: /Sluice|admin\.port/ },
    {
      what: "what is refused in the gateway's words, controls shown",
      answer: answering(
        403,
        JSON.stringify({ error: { message: "list \u001b[31mone", code: "no_admin_key" } }),
      ),
      says: /list \\x1b\[31mone/,
    },
  ]
  for (const { answer, says, what } of cases) {
    it.scopedLive(`says so: ${what}`, () =>
      Effect.gen(function* () {
        const { url } = yield* answer
        for (const command of [["list"], ["list", "--follow"]]) {
          const { code, err } = yield* audit([...command, "--gateway", url], env)
          expect(code).toBe(1)
          if (command.length === 1) expect(err).toMatch(says)
          expect(err).not.toContain("\u001b")
        }
      }),
    )
  }

  it.scopedLive("says that nothing is reached, and where", () =>
    Effect.gen(function* () {
      const { close, url } = yield* answering(200, "")
      close()
      const { code, err } = yield* audit(["list", "--gateway", url], env)
      expect(code).toBe(1)
      expect(err).toContain(`--gateway ${url}: it cannot be reached`)
    }),
  )

  it.scopedLive("points to admin.port where the callers' port is asked", () =>
    Effect.gen(function* () {
      const { close, url } = yield* answering(200, "")
      close()
      const { baseUrl } = yield* stack({ admin: { keys: [adminKey], port: Number(new URL(url).port) } })
      const { code, err } = yield* audit(["list", "--gateway", baseUrl], env)
      expect(code).toBe(1)
      expect(err).toContain("Ask at its admin.port")
    }),
  )
})
