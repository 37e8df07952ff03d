/** What pages in browsers can do to a gateway: they spend nothing of an installation that asks for no keys, and read what `server.cors` lets them. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { allOperations } from "../../src/operations/Operations.ts"
import { spellingsOf } from "../../src/operations/paths/Spellings.ts"
import { file, formOf } from "../support/Forms.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { exchange, head, jsonOf, post, request } from "../support/RawHttp.ts"
import { chat, json, models, scriptedUpstream } from "../support/ScriptedUpstream.ts"

const body = { model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }

/** A gateway with a key of its own to spend, and what it was asked to spend it on. */
const stack = (server: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const upstream = yield* scriptedUpstream((incoming) =>
      incoming.path.endsWith("/models") ? models(["gpt-4o"]) : chat("Hello."),
    )
    const lines: Array<string> = []
    const gateway = yield* startGateway(configOf([{ base_url: upstream.url }], { server }), {}, (line) =>
      lines.push(line),
    )
    return { ...gateway, upstream, lines }
  })

type Headers = Readonly<Record<string, string>>

const evil: Headers = {
  origin: "https://evil.example",
  "sec-fetch-site": "cross-site",
  "sec-fetch-mode": "cors",
}

/** What pages try; each but the last group without a preflight. */
const attacks: ReadonlyArray<readonly [what: string, headers: Headers, status: number, code: string]> = [
  ["text without a preflight", { ...evil, "content-type": "text/plain" }, 403, "origin_not_allowed"],
  ["JSON after one", evil, 403, "origin_not_allowed"],
  ["a key that it made up", { ...evil, authorization: "Bearer x" }, 403, "origin_not_allowed"],
  ["no word of the site", { origin: "https://evil.example" }, 403, "origin_not_allowed"],
  ["a hidden origin", { origin: "null", "sec-fetch-site": "cross-site" }, 403, "origin_not_allowed"],
  [
    "a form",
    {
      origin: "null",
      "sec-fetch-mode": "navigate",
      "sec-fetch-dest": "document",
      "content-type": "application/x-www-form-urlencoded",
    },
    403,
    "origin_not_allowed",
  ],
  ["a page of the same site", { "sec-fetch-site": "same-site" }, 403, "origin_not_allowed"],
  ["an origin that looks local", { origin: "http://localhost.evil.example" }, 403, "origin_not_allowed"],
  ["an extension", { origin: "chrome-extension://abcdef" }, 403, "origin_not_allowed"],
  [
    "a rebound name",
    { host: "evil.example:8000", origin: "http://evil.example:8000" },
    403,
    "host_not_allowed",
  ],
  [
    "a rebound name of this machine's kind",
    { host: "127.0.0.1.nip.io", origin: "http://127.0.0.1.nip.io" },
    403,
    "host_not_allowed",
  ],
  [
    "a local page's text",
    { origin: "http://localhost:3000", "content-type": "text/plain" },
    415,
    "unsupported_media_type",
  ],
  [
    "an application's form",
    { origin: "app://obsidian.md", "content-type": "multipart/form-data; boundary=x" },
    415,
    "unsupported_media_type",
  ],
]

describe("A page", () => {
  it.scopedLive("of the web spends nothing of a gateway that asks for no keys", () =>
    Effect.gen(function* () {
      const { lines, port, records, upstream } = yield* stack()
      for (const [what, headers, status, code] of attacks) {
        for (const path of ["/v1/chat/completions", "//chat/completions/", "/v1/completions"]) {
          const answer = yield* post(port, path, body, headers)
          expect([what, answer?.status, jsonOf(answer)]).toMatchObject([what, status, { error: { code } }])
        }
      }
      for (const path of ["/v1/models", "/v1/models/gpt-4o", "/health?verbose"]) {
        const read = yield* request(port, "GET", path, evil)
        expect([path, read?.status]).toEqual([path, 403])
        const rebound = yield* request(port, "GET", path, { host: "evil.example:8000" })
        expect([path, rebound?.status]).toEqual([path, 403])
      }
      expect(upstream.requests).toEqual([])
      // Told to who runs it, and no row of the audit, which strangers could fill.
      expect(lines.filter((line) => line.includes("origin_not_allowed")).length).toBeGreaterThan(0)
      expect(yield* records).toEqual([])
    }),
  )

  it.scopedLive("sends no form anywhere that one is taken, and none that is handed on", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(json({ id: "file-1" }))
      const passthrough = [{ path: "/v1/files", client: "first" }]
      const { port } = yield* startGateway(configOf([{ base_url: upstream.url }], { passthrough }))
      const form = formOf([
        ["model", "gpt-4o"],
        ["file", file("a.mp3", "audio/mpeg")],
      ])
      const send = (path: string, headers: Headers) =>
        exchange(
          port,
          Buffer.concat([
            head("POST", path, {
              ...headers,
              "content-type": form.type,
              "content-length": `${form.bytes.length}`,
            }),
            form.bytes,
          ]),
        )
      const paths = allOperations.flatMap(({ form: taken, paths: [path] }) =>
        taken === undefined ? [] : [path],
      )
      const asked = [
        ...paths.flatMap(spellingsOf),
        "/openai/deployments/gpt-4o/audio/transcriptions",
        "/v1/files",
      ]
      const strangers = attacks.filter(([, , status]) => status === 403).map(([, headers]) => headers)
      for (const [at, path] of asked.entries()) {
        const { "content-type": _, ...headers } = strangers[at % strangers.length] ?? evil
        expect([path, (yield* send(path, headers))?.status]).toEqual([path, 403])
      }
      expect(upstream.requests).toEqual([])
      // A page of this machine may hand on what it likes.
      const local = { origin: "http://localhost:3000" }
      expect((yield* send("/v1/files", local))?.status).toBe(200)
      expect((yield* request(port, "DELETE", "/v1/files/file-1", local))?.status).toBe(200)
      expect(upstream.requests.map(({ method }) => method)).toEqual(["POST", "DELETE"])
    }),
  )

  it.scopedLive("of this machine, an application, and one that is listed are served", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ cors: ["*", "https://chat.example", "https://llm.example"] })
      const served: ReadonlyArray<Headers> = [
        { origin: "http://localhost:3000", "sec-fetch-site": "same-site" },
        { origin: "http://127.0.0.1:5173", "sec-fetch-site": "cross-site" },
        { origin: "app://obsidian.md" },
        { origin: "vscode-webview://1a2b" },
        { origin: "https://chat.example", "sec-fetch-site": "cross-site" },
        { host: "llm.example", origin: "https://llm.example", "sec-fetch-site": "same-origin" },
        { host: `127.0.0.1:${port}`, origin: `http://127.0.0.1:${port}`, "sec-fetch-site": "same-origin" },
      ]
      for (const headers of served) {
        expect([headers, (yield* post(port, "/v1/chat/completions", body, headers))?.status]).toEqual([
          headers,
          200,
        ])
      }
    }),
  )

  it.scopedLive("meets no rule where keys are asked for but the type of its body", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ access_keys: ["key-of-a-caller"] })
      const authorization = "Bearer key-of-a-caller"
      const far = { ...evil, host: "llm.example" }
      expect((yield* post(port, "/v1/chat/completions", body, { ...far, authorization }))?.status).toBe(200)
      expect((yield* post(port, "/v1/chat/completions", body, far))?.status).toBe(401)
      const text = { ...far, authorization, "content-type": "text/plain" }
      expect((yield* post(port, "/v1/chat/completions", body, text))?.status).toBe(415)
    }),
  )

  it.scopedLive("is refused as soon as keys are asked for no more", () =>
    Effect.gen(function* () {
      const upstream = yield* scriptedUpstream(() => chat("Hello."))
      const entries = [{ base_url: upstream.url }]
      const gateway = yield* startGateway(configOf(entries, { server: { access_keys: ["key-of-a-caller"] } }))
      const headers = { ...evil, authorization: "Bearer key-of-a-caller" }
      expect((yield* post(gateway.port, "/v1/chat/completions", body, headers))?.status).toBe(200)
      yield* gateway.reload(configOf(entries, { server: { access_keys: [] } }))
      expect((yield* post(gateway.port, "/v1/chat/completions", body, headers))?.status).toBe(403)
    }),
  )
})

describe("A program", () => {
  it.scopedLive("is served as ever: any name, any type, no origin", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ cors: [] })
      const programs: ReadonlyArray<Headers> = [
        {},
        { "content-type": "application/x-www-form-urlencoded" },
        { host: "sluice.prod.example.com" },
        { "sec-fetch-mode": "cors", "user-agent": "node" },
      ]
      for (const headers of programs) {
        expect([headers, (yield* post(port, "/v1/chat/completions", body, headers))?.status]).toEqual([
          headers,
          200,
        ])
      }
      for (const host of ["sluice", "sluice.default.svc.cluster.local", "localhost:8000", "10.1.2.3"]) {
        for (const path of ["/v1/models", "/health?verbose"]) {
          expect([host, (yield* request(port, "GET", path, { host }))?.status]).toEqual([host, 200])
        }
      }
      // Probes are told nothing.
      for (const path of ["/health", "/livez", "/readyz"]) {
        expect((yield* request(port, "GET", path, { host: "any.example" }))?.status).toBe(200)
      }
    }),
  )

  it.scopedLive("behind a trusted proxy on the same machine asks under the proxy's name", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ trust_proxy: 1 })
      expect((yield* request(port, "GET", "/v1/models", { host: "llm.example" }))?.status).toBe(200)
    }),
  )
})

describe("server.cors", () => {
  it.scopedLive("that lists origins names each to itself alone, and says that answers differ", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ cors: ["https://chat.example"], access_keys: ["key-of-a-caller"] })
      const ask = (headers: Headers) => post(port, "/v1/chat/completions", body, headers)
      const listed = yield* ask({ origin: "https://chat.example", authorization: "Bearer key-of-a-caller" })
      expect(listed?.headers["access-control-allow-origin"]).toBe("https://chat.example")
      expect(listed?.headers["vary"]).toBe("origin")
      for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, {}]) {
        const other = yield* ask(headers)
        expect(other?.headers["access-control-allow-origin"]).toBe(undefined)
        expect(other?.headers["vary"]).toBe("origin")
      }
      const preflight = yield* request(port, "OPTIONS", "/v1/models", { origin: "https://evil.example" })
      expect(preflight?.headers["access-control-allow-origin"]).toBe(undefined)
    }),
  )

  it.scopedLive(
    "lets pages into a private network only where they are named, and repeats no endless list of headers",
    () =>
      Effect.gen(function* () {
        const { port } = yield* stack({ cors: ["*", "https://chat.example"] })
        const preflight = (headers: Headers) =>
          Effect.map(
            request(port, "OPTIONS", "/v1/chat/completions", {
              "access-control-request-private-network": "true",
              ...headers,
            }),
            (answer) => answer?.headers ?? {},
          )
        const named = yield* preflight({ origin: "https://chat.example" })
        expect(named["access-control-allow-private-network"]).toBe("true")
        for (const origin of ["https://evil.example", "null", "http://localhost:3000"]) {
          expect((yield* preflight({ origin }))["access-control-allow-private-network"]).toBe(undefined)
        }
        expect(named["access-control-allow-credentials"]).toBe(undefined)
        const few = yield* preflight({ "access-control-request-headers": "authorization, x-stainless-os" })
        expect(few["access-control-allow-headers"]).toBe("authorization, x-stainless-os")
        const many = yield* preflight({ "access-control-request-headers": "x-a,".repeat(1_000) })
        expect(many["access-control-allow-headers"]).toBe("*")
      }),
  )
})

describe("Every answer", () => {
  it.scopedLive("is taken for what its type says, and JSON is kept by no cache", () =>
    Effect.gen(function* () {
      const { port } = yield* stack({ access_keys: ["key-of-a-caller"] })
      const authorization = "Bearer key-of-a-caller"
      const answers = [
        yield* post(port, "/v1/chat/completions", body, { authorization }),
        yield* post(port, "/v1/chat/completions", {}, { authorization }),
        yield* post(port, "/v1/chat/completions", body),
        yield* request(port, "GET", "/v1/models", { authorization }),
        yield* request(port, "GET", "/health"),
        yield* request(port, "GET", "/livez"),
        yield* request(port, "GET", "/nowhere"),
        yield* request(port, "DELETE", "/v1/models"),
        yield* post(port, "/v1/chat/completions", body, { authorization, expect: "miracles" }),
        yield* exchange(port, "GARBAGE\r\n\r\n"),
        yield* exchange(port, head("GET", "/health", { "x-long": "x".repeat(20_000) })),
      ]
      for (const [index, answer] of answers.entries()) {
        expect([index, answer?.headers["x-content-type-options"]]).toEqual([index, "nosniff"])
        expect([index, answer?.headers["cache-control"]]).toEqual([index, "no-store"])
      }
      const stream = yield* post(port, "/v1/chat/completions", { ...body, stream: true }, { authorization })
      expect(stream?.headers["x-content-type-options"]).toBe("nosniff")
      expect(stream?.headers["cache-control"]).toBe("no-cache")
    }),
  )
})
