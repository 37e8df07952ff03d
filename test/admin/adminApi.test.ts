/** The admin API over sockets: who is let in, what pages may ask, and what it tells. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cookieName } from "../../src/admin/Session.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { rawConnection } from "../support/RawHttp.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { hostileTexts, madeUpRows, rowWith, storedAudit } from "../support/StoredAudit.ts"

const adminKey = "the-operator-and-nobody-else"
const withKey = { authorization: `Bearer ${adminKey}` }
const rows = madeUpRows(300, 20261128)

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

const get = (url: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  Effect.promise(async (): Promise<Answer> => {
    const response = await fetch(url, { headers, redirect: "manual", ...init })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    }
  })

const member = (of: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (found, step) => (typeof found === "object" && found !== null ? Reflect.get(found, step) : undefined),
    of,
  )

const listOf = (of: unknown, ...path: ReadonlyArray<string | number>): ReadonlyArray<unknown> => {
  const found = member(of, ...path)
  return Array.isArray(found) ? found : []
}

const stack = (sections: Readonly<Record<string, unknown>> = { admin: { keys: [adminKey] } }) =>
  Effect.gen(function* () {
    const files = yield* storedAudit([
      ...rows,
      rowWith("hostile", { id: "<script>alert(1)</script>", model: hostileTexts[0] ?? "" }),
    ])
    const upstream = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
    const gateway = yield* startGateway(
      configOf([{ name: "one", base_url: upstream.url, api_key: "sk-secret-of-one" }], sections),
      { auditUrl: files.database },
    )
    return { ...gateway, upstream, api: `${gateway.baseUrl}/admin/api` }
  })

const ask = (baseUrl: string, model = "gpt-4o", headers: Record<string, string> = {}) =>
  get(
    `${baseUrl}/v1/chat/completions`,
    { "content-type": "application/json", ...headers },
    {
      method: "POST",
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hello?" }] }),
    },
  )

describe("The admin API", () => {
  it.scopedLive("tells nobody anything without a key, and all answers keep other sites out", () =>
    Effect.gen(function* () {
      const { api, baseUrl } = yield* stack()
      for (const path of [
        "/requests",
        "/requests/x",
        "/requests/live",
        "/usage",
        "/upstreams",
        "/config",
        "/connect",
        "/health",
        "/explain",
        "/openapi.json",
        "/nowhere",
      ]) {
        const { body, headers, status } = yield* get(`${api}${path}`)
        expect([path, status, member(body, "error", "code")]).toEqual([path, 401, "invalid_admin_key"])
        expect(headers.get("x-content-type-options")).toBe("nosniff")
        expect(headers.get("cache-control")).toBe("no-store")
        expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'")
        expect(headers.get("access-control-allow-origin")).toBeNull()
      }
      const wrong = yield* get(`${api}/requests`, { "x-api-key": "another" })
      expect(wrong.status).toBe(401)
      expect((yield* get(`${baseUrl}/metrics`)).status).toBe(401)
    }),
  )

  it.scopedLive("takes a body that is no JSON for a mistake, and repeats nothing of it", () =>
    Effect.gen(function* () {
      const { api } = yield* stack()
      for (const [type, body] of [
        ["application/json", ""],
        ["application/json", `{"key":"${adminKey}"`],
        ["application/json", JSON.stringify(adminKey)],
        ["application/json", JSON.stringify({ kee: adminKey })],
        ["application/json", "[".repeat(16_000)],
        ["application/x-www-form-urlencoded", `key=${adminKey}`],
        [
          "multipart/form-data; boundary=x",
          `--x\r\ncontent-disposition: form-data; name="key"\r\n\r\n${adminKey}\r\n--x--\r\n`,
        ],
      ] as const) {
        const answer = yield* get(
          `${api}/session`,
          { "content-type": type, "api-key": "somebody's" },
          { method: "POST", body },
        )
        expect([body, answer.status]).toEqual([body, 400])
        expect(member(answer.body, "error", "code")).toBe("invalid_parameter")
        expect(JSON.stringify(answer.body)).not.toContain(adminKey)
      }
    }),
  )

  it.scopedLive("answers every spelling of a path and every method, and the head of what is live", () =>
    Effect.gen(function* () {
      const { port } = yield* stack()
      const asked = (method: string, target: string) =>
        Effect.gen(function* () {
          const connection = yield* rawConnection(port)
          yield* connection.send(
            `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${adminKey}\r\nconnection: close\r\n\r\n`,
          )
          const text = yield* connection.until((text) => text.includes("\r\n\r\n"))
          return Number(text.slice(9, 12))
        })
      for (const target of [
        "//admin/api/usage",
        "/admin//api/usage/",
        "http://[/admin/api/usage",
        "http://a:99999/admin/api/usage",
        "/%61dmin/api/usage?by=hour",
      ]) {
        expect([target, yield* asked("GET", target)]).toEqual([target, 200])
      }
      for (const method of ["TRACE", "PUT", "PROPFIND"]) {
        expect([method, yield* asked(method, "/admin/api/usage")]).toEqual([method, 405])
      }
      expect(yield* asked("HEAD", "/admin/api/requests/live")).toBe(200)
    }),
  )

  it.scopedLive("pages through the audit, the newest first, and shows one request whole", () =>
    Effect.gen(function* () {
      const { api } = yield* stack()
      const seen: Array<unknown> = []
      let cursor = ""
      do {
        const { body, status } = yield* get(`${api}/requests?limit=70&cursor=${cursor}`, withKey)
        expect(status).toBe(200)
        seen.push(...listOf(body, "rows"))
        cursor = String(member(body, "next") ?? "")
      } while (cursor !== "")
      expect(seen).toHaveLength(rows.length + 1)
      const times = seen.map((row) => String(member(row, "started_at")))
      expect(times).toEqual(times.toSorted().toReversed())
      const shown = yield* get(`${api}/requests/${encodeURIComponent("<script>alert(1)</script>")}`, withKey)
      expect(shown.status).toBe(200)
      expect(shown.headers.get("content-type")).toMatch(/^application\/json/)
      expect(member(shown.body, "requests", 0, "request")).toBe('{"model":"gpt-4o"}')
      expect(member(shown.body, "requests", 0, "headers")).toEqual({ "content-type": "application/json" })
      expect(member(shown.body, "requests", 0, "attempts", 0, "upstream")).toBe("official")
    }),
  )

  it.scopedLive("takes filters and cursors for what they say, whatever they say", () =>
    Effect.gen(function* () {
      const { api } = yield* stack()
      for (const text of hostileTexts.filter((one) => one !== "")) {
        for (const param of ["model", "upstream", "text", "endpoint", "conversation", "key", "ip"]) {
          const { status } = yield* get(`${api}/requests?${param}=${encodeURIComponent(text)}`, withKey)
          expect([param, text, status]).toEqual([param, text, text.includes("\0") ? 400 : 200])
        }
        for (const param of ["cursor", "since", "status", "outcome", "limit"]) {
          const { body, status } = yield* get(`${api}/requests?${param}=${encodeURIComponent(text)}`, withKey)
          expect([param, text, status]).toEqual([param, text, 400])
          expect(member(body, "error", "param")).toBe(param)
        }
      }
      for (const [question, param, words] of [
        ["requests?sinc=1h", "sinc", "is unexpected"],
        ["requests/live?limit=5", "limit", "is unexpected"],
        ["requests/active?outcome=ok", "outcome", "is unexpected"],
        ["explain?modle=gpt-4o", "modle", "is unexpected"],
        ["requests?text=a%00", "text", "has the character NUL in it"],
        ["usage?by=modle", "by", "by: expected one of hour, day, model, upstream,"],
        ["requests?order=up", "order", "order: expected one of newest, oldest"],
      ] as const) {
        const { body, status } = yield* get(`${api}/${question}`, withKey)
        expect([question, status, member(body, "error", "param")]).toEqual([question, 400, param])
        expect(member(body, "error", "message")).toContain(words)
      }
      const forged = Buffer.from(JSON.stringify(["2026-99-99T00:00:00.000Z", "k"])).toString("base64url")
      expect((yield* get(`${api}/requests?cursor=${forged}`, withKey)).status).toBe(400)
      const hostile = yield* get(
        `${api}/requests?model=${encodeURIComponent(hostileTexts[0] ?? "")}`,
        withKey,
      )
      expect(listOf(hostile.body, "rows").length).toBeGreaterThan(0)
    }),
  )

  it.scopedLive("signs a browser in and out, with a cookie that no script and no other site gets", () =>
    Effect.gen(function* () {
      const { api, reload } = yield* stack()
      const signIn = (key: string, headers: Record<string, string> = {}) =>
        get(
          `${api}/session`,
          { "content-type": "application/json", ...headers },
          {
            method: "POST",
            body: JSON.stringify({ key }),
          },
        )
      expect((yield* signIn("wrong")).status).toBe(401)
      expect((yield* signIn(adminKey, { "sec-fetch-site": "cross-site" })).status).toBe(403)
      expect((yield* signIn(adminKey, { origin: "https://evil.example" })).status).toBe(403)
      const signedIn = yield* signIn(adminKey, { origin: new URL(api).origin })
      expect(signedIn.status).toBe(204)
      const cookie = signedIn.headers.get("set-cookie") ?? ""
      expect(cookie).toMatch(
        new RegExp(`^${cookieName}=.+; Path=/; Max-Age=\\d+; HttpOnly; SameSite=Strict$`),
      )
      expect(cookie).not.toContain(adminKey)
      const session = { cookie: cookie.split(";")[0] ?? "" }
      expect((yield* get(`${api}/requests`, session)).status).toBe(200)
      expect((yield* get(`${api}/session`, session)).body).toEqual({ asks_keys: true, signed_in: true })
      expect((yield* get(`${api}/requests`, { ...session, origin: "https://evil.example" })).status).toBe(403)
      expect((yield* get(`${api}/requests`, { ...session, "sec-fetch-site": "same-site" })).status).toBe(403)
      // Another's session beside one's own is none: who plants one does not choose who is seen.
      const planted = `${cookieName}=planted; ${session.cookie}`
      expect((yield* get(`${api}/requests`, { cookie: planted })).status).toBe(401)
      const signedOut = yield* get(`${api}/session`, session, { method: "DELETE" })
      expect(signedOut.headers.get("set-cookie")).toContain("Max-Age=0")
      yield* reload(
        configOf([{ name: "one", base_url: "http://127.0.0.1:1" }], {
          admin: { keys: ["a-new-key-for-operators"] },
        }),
      )
      expect((yield* get(`${api}/requests`, session)).status).toBe(401)
    }),
  )

  it.scopedLive("is shut where callers are asked for keys and nobody is an operator", () =>
    Effect.gen(function* () {
      const { api } = yield* stack({ server: { access_keys: ["k"] } })
      const { body, status } = yield* get(`${api}/requests`, { authorization: "Bearer k" })
      expect([status, member(body, "error", "code")]).toEqual([403, "no_admin_key"])
    }),
  )

  it.scopedLive("is open where no keys are asked for, but not under a stranger's name", () =>
    Effect.gen(function* () {
      const { api } = yield* stack({})
      expect((yield* get(`${api}/requests`)).status).toBe(200)
    }),
  )

  it.scopedLive("counts usage, with the period before", () =>
    Effect.gen(function* () {
      const { api } = yield* stack()
      const { body, status } = yield* get(`${api}/usage?by=model&since=2026-10-20&until=2026-11-23`, withKey)
      expect(status).toBe(200)
      const inTime = rows.filter(({ started_at }) => String(started_at) >= "2026-10-20").length
      expect(member(body, "now", "total", "requests")).toBe(inTime + 1)
      expect(member(body, "before", "total", "requests")).toBe(rows.length - inTime)
      expect(member(body, "now", "complete")).toBe(true)
      expect((yield* get(`${api}/usage?by=nonsense`, withKey)).status).toBe(400)
    }),
  )

  it.scopedLive("tells of upstreams, plans, the configuration and how to connect, without a secret", () =>
    Effect.gen(function* () {
      const { api, baseUrl } = yield* stack()
      expect((yield* ask(baseUrl)).status).toBe(200)
      const upstreams = yield* get(`${api}/upstreams`, withKey)
      expect(member(upstreams.body, "upstreams", 0)).toMatchObject({
        name: "one",
        state: "closed",
        in_flight: 0,
        last_5m: { attempts: 1, errors: 0 },
      })
      const plan = yield* get(`${api}/explain?model=gpt-4o`, withKey)
      expect(member(plan.body, "groups", 0, "targets", 0, "client")).toBe("one")
      expect((yield* get(`${api}/explain?model=gpt-4o&endpoint=nonsense`, withKey)).status).toBe(400)
      const config = yield* get(`${api}/config`, withKey)
      expect(member(config.body, "text")).toContain("base_url")
      expect(JSON.stringify(config.body)).not.toContain("sk-secret-of-one")
      expect(JSON.stringify(config.body)).not.toContain(adminKey)
      expect(member(config.body, "refusal")).toBeNull()
      expect((yield* get(`${api}/connect`, withKey)).body).toMatchObject({ same_port: true, keys: false })
      expect(member((yield* get(`${api}/health`, withKey)).body, "workers")).toBe(1)
      expect((yield* get(`${api}/nowhere`, withKey)).status).toBe(404)
      expect((yield* get(`${api}/requests`, withKey, { method: "DELETE" })).status).toBe(404)
    }),
  )

  it.scopedLive("tells of clients under whatever names they have", () =>
    Effect.gen(function* () {
      const names = ["constructor", "__proto__", "toString"]
      const { baseUrl } = yield* startGateway(
        configOf(names.map((name) => ({ name, base_url: "http://127.0.0.1:1" }))),
      )
      const { body, status } = yield* get(`${baseUrl}/admin/api/upstreams`)
      expect(status).toBe(200)
      expect(listOf(body, "upstreams").map((one) => member(one, "name"))).toEqual(names)
      expect(member(body, "upstreams", 1, "last_5m", "attempts")).toBe(0)
    }),
  )
})
