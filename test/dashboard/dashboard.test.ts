/** The dashboard in a real browser, before a real gateway. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Browser, Page } from "playwright-core"
import { rowTold } from "../../src/admin/RowTold.ts"
import { chromiumPath, launch, type Visit, visit } from "../support/Browser.ts"
import { configOf } from "../support/GatewayConfig.ts"
import { startGateway } from "../support/gateway.ts"
import { within } from "../support/Patience.ts"
import * as Scripted from "../support/ScriptedUpstream.ts"
import { type AuditRow, rowWith, storedAudit } from "../support/StoredAudit.ts"
import { chatCompletion } from "../support/Wire.ts"

const adminKey = "the-operator-and-nobody-else"

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

let browser: Browser

/** Markup that would do something if it were taken for markup. */
const attacks = [
  `<img src=x onerror="window.pwned=1;alert(1)">`,
  `"><script>window.pwned=1;alert(1)</script>`,
  `<svg onload="window.pwned=1">`,
  `javascript:window.pwned=1//`,
  `</textarea><iframe srcdoc="<script>parent.pwned=1</script>">`,
]

const attack = attacks.join(" ")

const hostileRequest = JSON.stringify({
  model: attack,
  system: attack,
  tools: [{ name: attack }],
  messages: [
    { role: attack, content: attack },
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: "https://elsewhere.example/pixel.png" } },
        { type: "image_url", image_url: { url: "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+" } },
        { type: attack, text: attack },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: attack, function: { name: attack, arguments: attack } }],
    },
  ],
})

const minutesAgo = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()

const hostileRow = rowWith("hostile", {
  id: `<img src=x onerror="window.pwned=1">`,
  started_at: minutesAgo(1),
  model: attack,
  upstream_model: `other ${attack}`,
  upstream: attack,
  endpoint: attack,
  attempts: JSON.stringify([{ upstream: attack, cause: attack, ms: 3 }]),
  error: attack,
  outcome: "upstream_error",
  user_agent: attack,
  client_ip: attack,
  conversation: attack,
  finish_reason: attack,
  dropped: JSON.stringify([attack]),
  headers: JSON.stringify({ "user-agent": attack, [attack]: attack }),
  request: hostileRequest,
  response: JSON.stringify({
    choices: [{ message: { role: "assistant", content: attack, reasoning_content: attack } }],
  }),
})

const plainRows = (count: number): ReadonlyArray<AuditRow> =>
  Array.from({ length: count }, (_, index) =>
    rowWith(`row-${index}`, { id: `plain-${index}`, started_at: minutesAgo(10 + index) }),
  )

/** A gateway whose first upstream limits the rate and whose second answers, with this audit. */
const stack = (
  rows: ReadonlyArray<AuditRow>,
  sections: Readonly<Record<string, unknown>> = { admin: { keys: [adminKey] } },
) =>
  Effect.gen(function* () {
    const files = yield* storedAudit(rows)
    const limiting = yield* Scripted.scriptedUpstream(Scripted.status(429))
    const answering = yield* Scripted.scriptedUpstream(Scripted.chat("Hello."))
    return yield* startGateway(
      configOf(
        [
          { name: "openai", base_url: limiting.url },
          { name: "azure", base_url: answering.url },
        ],
        sections,
      ),
      { auditUrl: files.database },
    )
  })

const promise = <A>(run: () => Promise<A>): Effect.Effect<A> => Effect.promise(run)

const signIn = async ({ page }: Visit): Promise<void> => {
  await page.getByLabel("Admin key").fill(adminKey)
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.locator("tbody tr").first().waitFor()
}

const go = async (page: Page, name: string): Promise<void> => {
  await page.getByRole("link", { name, exact: true }).click()
  await page.getByRole("heading", { level: 1, name }).waitFor({ state: "attached" })
}

/** What axe finds that keeps somebody out. */
const seriousIn = async (page: Page): Promise<ReadonlyArray<string>> => {
  const found: ReadonlyArray<{
    id: string
    impact: string
    nodes: ReadonlyArray<{ html: string; failureSummary: string }>
  }> = await page.evaluate(`${axe}; axe.run().then(({ violations }) => violations)`)
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
}

describe.skipIf(chromiumPath === undefined)("The dashboard", () => {
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser?.close())

  it.scopedLive("shows a failover as it happens, and holds it while it is paused", () =>
    Effect.gen(function* () {
      const gateway = yield* stack(plainRows(3))
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { asked, faults, page } = visited
      yield* promise(() => signIn(visited))
      yield* promise(() => page.getByText("Live", { exact: true }).waitFor())
      const ask = () =>
        promise(() =>
          fetch(`${gateway.baseUrl}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "Hello?" }] }),
          }).then((response) => response.text()),
        )
      yield* ask()
      const first = page.locator("tbody tr").first()
      yield* promise(() => first.locator(".chips", { hasText: "azure 200" }).waitFor())
      expect(yield* promise(() => first.locator(".chips").innerText())).toBe("openai 429 → azure 200")
      yield* promise(() => page.getByRole("button", { name: "Pause" }).click())
      yield* ask()
      yield* promise(() => page.getByRole("button", { name: "Show 1 new request" }).click())
      yield* promise(() => page.getByText("5 requests", { exact: true }).waitFor())
      // It needs nothing but the gateway.
      expect([...new Set(asked.map(({ origin }) => origin))]).toEqual([gateway.baseUrl])
      expect(faults).toEqual([])
    }),
  )

  it.scopedLive("shows a request that hangs while it does, and moves it to the list when it is over", () =>
    Effect.gen(function* () {
      const files = yield* storedAudit(plainRows(3))
      const limiting = yield* Scripted.scriptedUpstream(Scripted.status(429))
      const slow = Scripted.controlled("application/json")
      const hanging = yield* Scripted.scriptedUpstream(slow.answer)
      const gateway = yield* startGateway(
        configOf(
          [
            { name: "azure", base_url: limiting.url },
            { name: "openai-1", base_url: hanging.url },
          ],
          { admin: { keys: [adminKey] } },
        ),
        { auditUrl: files.database },
      )
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { faults, page } = visited
      yield* promise(() => signIn(visited))
      yield* promise(() => page.getByText("Live", { exact: true }).waitFor())
      const underWay = page.getByRole("region", { name: "Under way" })
      expect(yield* promise(() => underWay.count())).toBe(0)
      const answer = yield* Effect.fork(
        promise(() =>
          fetch(`${gateway.baseUrl}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json", "x-request-id": "hangs" },
            body: JSON.stringify({ model: `gpt ${attack}`, messages: [{ role: "user", content: "Hi?" }] }),
          }).then((response) => response.text()),
        ),
      )
      yield* within("the request", slow.opened)
      const line = underWay.getByRole("listitem")
      yield* promise(() => line.getByText(/^waits for openai-1, /).waitFor())
      expect(yield* promise(() => line.locator(".chips").innerText())).toBe("azure 429")
      expect(yield* promise(() => line.locator(".model").innerText())).toContain("onerror")
      const age = yield* promise(() => line.locator("time").innerText())
      yield* promise(() => line.locator("time").filter({ hasNotText: age }).waitFor())
      // Another filter leaves it out, and so does one of what is known of finished requests alone.
      yield* promise(() => page.getByLabel("Search").fill("plain-1"))
      yield* promise(() => underWay.waitFor({ state: "hidden" }))
      yield* promise(() => page.getByLabel("Search").fill("hangs"))
      yield* promise(() => line.waitFor())
      yield* slow.write(JSON.stringify(chatCompletion("At last.")))
      yield* slow.end("cut")
      yield* Fiber.join(answer)
      yield* promise(() => page.locator('tbody a[data-id="hangs"]').waitFor())
      yield* promise(() => underWay.waitFor({ state: "hidden" }))
      expect(yield* promise(() => page.evaluate("window.pwned"))).toBeUndefined()
      expect(faults).toEqual([])
    }),
  )

  it.scopedLive("shows texts of requests as texts, whatever they hold", () =>
    Effect.gen(function* () {
      const gateway = yield* stack([hostileRow, ...plainRows(1)])
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { asked, faults, page } = visited
      yield* promise(() => signIn(visited))
      yield* promise(() => page.locator("tbody tr", { hasText: "onerror" }).locator("td.when a").click())
      yield* promise(() => page.locator(".turns").waitFor())
      const told = yield* promise(() => page.locator(".turns").innerText())
      for (const text of attacks) expect(told).toContain(text)
      expect(told).toContain("picture at https://elsewhere.example/pixel.png")
      for (const name of ["Request", "Answer", "Headers", "Repeat"]) {
        yield* promise(() => page.getByRole("button", { name, exact: true }).click())
        yield* promise(() => page.locator(".story .raw, .story .wide").getByText("onerror").first().waitFor())
      }
      yield* promise(() => go(page, "Usage"))
      for (const name of ["Client", "Endpoint", "Address"]) {
        yield* promise(() => page.getByRole("button", { name, exact: true }).click())
        yield* promise(() => page.locator("tbody").getByText("onerror").first().waitFor())
      }
      for (const name of ["Upstreams", "Configuration", "Connect"]) yield* promise(() => go(page, name))
      const alive = "img, iframe, svg, script:not([src]), [onerror], [onload], a[href^='javascript']"
      expect(yield* promise(() => page.locator(alive).count())).toBe(0)
      expect(yield* promise(() => page.evaluate("window.pwned"))).toBeUndefined()
      expect(faults).toEqual([])
      expect([...new Set(asked.map(({ origin }) => origin))]).toEqual([gateway.baseUrl])
    }),
  )

  it.scopedLive("goes by keyboard alone, from signing in to a story and back", () =>
    Effect.gen(function* () {
      const gateway = yield* stack(plainRows(4))
      const { page } = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const press = (...keys: ReadonlyArray<string>) =>
        promise(async () => {
          for (const key of keys) await page.keyboard.press(key)
        })
      const focused = promise(() => page.locator(":focus").innerText())
      yield* promise(() => page.getByLabel("Admin key").waitFor())
      yield* press("Tab")
      yield* promise(() => page.keyboard.type(adminKey))
      yield* press("Enter")
      yield* promise(() => page.locator("tbody tr").nth(3).waitFor())
      yield* press("Tab")
      expect(yield* focused).toBe("Skip to the page")
      for (let presses = 0; presses < 30 && !/ago$/.test(yield* focused); presses += 1) yield* press("Tab")
      const first = yield* focused
      yield* press("ArrowDown")
      expect(yield* focused).not.toBe(first)
      yield* press("Enter")
      yield* promise(() => page.locator(".story h2:focus").waitFor())
      yield* promise(() => page.locator(".story .tabs").waitFor())
      yield* press("Escape")
      yield* promise(() => page.locator(".story").waitFor({ state: "detached" }))
      yield* promise(() => page.locator('td.when a[data-id="plain-1"]:focus').waitFor())
    }),
  )

  it.scopedLive("keeps nobody out that axe knows of, by day, by night and on a phone", () =>
    Effect.gen(function* () {
      const gateway = yield* stack([
        ...plainRows(3),
        rowWith("bad", {
          id: "bad",
          started_at: minutesAgo(5),
          status: 503,
          outcome: "upstream_error",
          error: "down",
          attempts: '[{"upstream":"openai","status":503,"ms":3},{"upstream":"azure","status":429,"ms":3}]',
        }),
      ])
      for (const options of [
        { colorScheme: "light" },
        { colorScheme: "dark", viewport: { width: 390, height: 780 } },
      ] as const) {
        const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`, { ...options, bypassCSP: true })
        const { page } = visited
        yield* promise(() => page.getByLabel("Admin key").waitFor())
        expect(yield* promise(() => seriousIn(page))).toEqual([])
        yield* promise(() => signIn(visited))
        expect(yield* promise(() => seriousIn(page))).toEqual([])
        yield* promise(() => page.locator('a[data-id="bad"]').click())
        yield* promise(() => page.locator(".story .tabs").waitFor())
        expect(yield* promise(() => seriousIn(page))).toEqual([])
        for (const [name, ready] of [
          ["Usage", "table.usage tbody tr"],
          ["Upstreams", ".upstream"],
          ["Configuration", ".numbered"],
          ["Connect", ".snippets"],
        ] as const) {
          yield* promise(() => go(page, name))
          yield* promise(() => page.locator(ready).first().waitFor())
          expect([name, ...(yield* promise(() => seriousIn(page)))]).toEqual([name])
        }
        const wider = "document.documentElement.scrollWidth - innerWidth"
        expect(yield* promise(() => page.evaluate(wider))).toBe(0)
      }
    }),
  )

  it.scopedLive("asks for older requests by the cursor of the page before", () =>
    Effect.gen(function* () {
      const gateway = yield* stack(plainRows(70))
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { asked, page } = visited
      yield* promise(() => signIn(visited))
      yield* promise(() => page.getByText("50 requests", { exact: true }).waitFor())
      yield* promise(() => page.getByRole("button", { name: "Older requests" }).click())
      yield* promise(() => page.getByText("70 requests", { exact: true }).waitFor())
      const pages = asked.filter(({ pathname }) => pathname.endsWith("/admin/api/requests"))
      const ways = new Set(pages.map(({ searchParams }) => [...searchParams.keys()].join(" and ")))
      expect([...ways]).toEqual(["within_ms", "cursor and within_ms"])
      yield* promise(() => page.getByLabel("Search").fill("plain-69"))
      yield* promise(() => page.getByText("1 request", { exact: true }).waitFor())
      expect(page.url()).toContain("#/requests?text=plain-69")
    }),
  )

  it.scopedLive("looks further back by itself for what is rare, and shows what it finds at once", () =>
    Effect.gen(function* () {
      const gateway = yield* stack(plainRows(1))
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { asked, context, page } = visited
      yield* promise(() => signIn(visited))
      // Each question finds one row, and the audit goes on for ever.
      const day = (back: number): string => new Date(Date.UTC(2026, 10, 28 - back, 12)).toISOString()
      let stop = () => {}
      const stopped = new Promise<void>((resolve) => {
        stop = resolve
      })
      yield* promise(() =>
        context.route(/requests\?.*model=rare/, async (route) => {
          const cursor = new URL(route.request().url()).searchParams.get("cursor")
          const number = cursor === null ? 1 : Number(cursor) + 1
          const at = day(number)
          // The fourth takes until it is no longer wanted.
          if (number === 4) await stopped
          const id = `rare-${number}`
          const rows = [rowTold(rowWith(id, { id, started_at: at }))]
          await route.fulfill({ json: { rows, next: String(number), searched_to: at, left_out: [] } })
        }),
      )
      yield* promise(() => page.getByLabel("Model").fill("rare"))
      yield* promise(() => page.locator('a[data-id="rare-3"]').waitFor())
      yield* promise(() => page.getByText(/^Searched back to \d+ \w+, \d\d:\d\d …$/).waitFor())
      yield* promise(() => page.getByRole("button", { name: "Stop", exact: true }).click())
      stop()
      yield* promise(() => page.getByRole("button", { name: "Search further back" }).waitFor())
      yield* promise(() => page.getByText("4 requests", { exact: true }).waitFor())
      // It goes on until a page is full.
      yield* promise(() => page.getByRole("button", { name: "Search further back" }).click())
      yield* promise(() => page.getByText("54 requests", { exact: true }).waitFor())
      yield* promise(() => page.getByRole("button", { name: "Search further back" }).waitFor())
      const cursors = asked
        .filter(({ searchParams }) => searchParams.get("model") === "rare" && searchParams.has("within_ms"))
        .map(({ searchParams }) => searchParams.get("cursor"))
        .filter((cursor) => cursor !== null)
      expect(cursors).toEqual(Array.from({ length: 53 }, (_, index) => String(index + 1)))
    }),
  )

  it.scopedLive("says that the gateway is gone, and goes on when it is back", () =>
    Effect.gen(function* () {
      const gateway = yield* stack(plainRows(1))
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { context, page } = visited
      yield* promise(() => context.route("**/requests/live*", (route) => route.abort()))
      yield* promise(() => signIn(visited))
      yield* promise(() => page.getByText("The gateway is gone").waitFor())
      yield* promise(() => context.unroute("**/requests/live*"))
      yield* promise(() => page.getByText("Live", { exact: true }).waitFor())
    }),
  )

  it.scopedLive("lets nobody in with a wrong key, and nobody after signing out", () =>
    Effect.gen(function* () {
      const gateway = yield* stack(plainRows(1))
      const visited = yield* visit(browser, `${gateway.baseUrl}/dashboard`)
      const { context, page } = visited
      yield* promise(() => page.getByLabel("Admin key").fill("sk-a-caller"))
      yield* promise(() => page.getByRole("button", { name: "Sign in" }).click())
      expect(yield* promise(() => page.getByRole("alert").innerText())).toContain("admin.keys")
      yield* promise(() => signIn(visited))
      expect(yield* promise(() => page.evaluate("document.cookie"))).toBe("")
      yield* promise(() => page.getByRole("button", { name: "Sign out" }).click())
      yield* promise(() => page.getByLabel("Admin key").waitFor())
      expect(yield* promise(() => context.cookies())).toEqual([])
      yield* promise(() => page.reload())
      yield* promise(() => page.getByLabel("Admin key").waitFor())
    }),
  )

  it.scopedLive("says what to do where there is nothing yet, and where nobody may look", () =>
    Effect.gen(function* () {
      const open = yield* stack([], {})
      const visited = yield* visit(browser, `${open.baseUrl}/dashboard`)
      yield* promise(() => visited.page.getByText("No requests yet.").waitFor())
      expect(yield* promise(() => visited.page.getByRole("button", { name: "Sign out" }).count())).toBe(0)
      const shut = yield* stack([], { server: { access_keys: ["sk-a-caller"] } })
      const { page } = yield* visit(browser, `${shut.baseUrl}/dashboard`)
      yield* promise(() => page.getByText("This page is closed").waitFor())
    }),
  )
})
