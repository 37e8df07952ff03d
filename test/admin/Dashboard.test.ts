/** The dashboard's files as they are served: small, by names that may be kept for ever, with headers that leave a page nothing but its own. Needs the build. */
import { readdirSync, readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { configOf } from "../support/GatewayConfig.ts"
import { dashboard, startGateway } from "../support/gateway.ts"

const names = readdirSync(dashboard)

/** Compressed, all that a browser loads. */
const mostBytes = 120_000

const get = (url: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(url, { redirect: "manual", ...init })
    return { status: response.status, headers: response.headers, text: await response.text() }
  })

const config = configOf([{ name: "one", base_url: "http://127.0.0.1:9/v1" }], {
  admin: { keys: ["the-operator-and-nobody-else"] },
})

describe("The dashboard's files", () => {
  it("are a page, a program and a style, and small", () => {
    expect(names.map((name) => name.replace(/-[A-Z0-9]{8}\./, "-HASH.")).sort()).toEqual([
      "dashboard-HASH.css",
      "dashboard-HASH.js",
      "index.html",
    ])
    const bytes = names.map((name) => gzipSync(readFileSync(new URL(name, dashboard)), { level: 9 }).length)
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(mostBytes)
  })

  it("name nothing outside of the gateway, and hold no script or style in the page itself", () => {
    const page = readFileSync(new URL("index.html", dashboard), "utf8")
    for (const [, address = ""] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
      expect(address).toMatch(/^(?:dashboard\/dashboard-[A-Z0-9]{8}\.(?:js|css)$|data:image\/svg)/)
    }
    expect(page).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=| style=/)
    const styles = names.filter((name) => name.endsWith(".css"))
    for (const name of styles) {
      expect(readFileSync(new URL(name, dashboard), "utf8")).not.toMatch(/@import|url\(/)
    }
  })
})

describe("The dashboard is served", () => {
  it.scopedLive("without a key, since the page itself holds nothing", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* startGateway(config)
      const page = yield* get(`${baseUrl}/dashboard`)
      expect(page.status).toBe(200)
      expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8")
      expect(page.headers.get("cache-control")).toBe("no-store")
      expect(page.headers.get("x-content-type-options")).toBe("nosniff")
      const policy = page.headers.get("content-security-policy") ?? ""
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain("unsafe")
      const [, program = ""] = /src="([^"]*)"/.exec(page.text) ?? []
      const asset = yield* get(`${baseUrl}/${program}`)
      expect(asset.status).toBe(200)
      expect(asset.headers.get("content-type")).toBe("text/javascript; charset=utf-8")
      expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable")
      expect(asset.headers.get("content-encoding")).toBe("gzip")
      const plain = yield* get(`${baseUrl}/${program}`, { headers: { "accept-encoding": "gzip;q=0" } })
      expect(plain.headers.get("content-encoding")).toBeNull()
      expect(plain.text).toBe(asset.text)
    }),
  )

  it.scopedLive("at its paths alone, to be read alone", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* startGateway(config)
      const slash = yield* get(`${baseUrl}/dashboard/`)
      expect([slash.status, slash.headers.get("location")]).toEqual([308, "../dashboard"])
      for (const path of ["nothing.js", "..%2fsluice.js", "../sluice.js", "%00"]) {
        expect((yield* get(`${baseUrl}/dashboard/${path}`)).status).toBe(404)
      }
      expect((yield* get(`${baseUrl}/dashboard`, { method: "POST" })).status).toBe(405)
      const head = yield* get(`${baseUrl}/dashboard`, { method: "HEAD" })
      expect([head.status, head.text]).toEqual([200, ""])
    }),
  )
})
