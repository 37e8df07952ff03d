/** `npm run screenshots`: takes the pictures of docs/images from a busy gateway whose providers are scripted. Needs Chromium. */
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import { type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { auditFiles } from "../src/audit/AuditUrl.ts"
import { writeRows } from "../test/support/StoredAudit.ts"
import { history } from "./screenshots/History.ts"
import { smaller } from "./screenshots/Png.ts"
import { startProvider } from "./screenshots/Providers.ts"
import { talks } from "./screenshots/Talk.ts"

const folder = mkdtempSync(join(tmpdir(), "sluice-screenshots-"))
const images = process.env["SCREENSHOTS"] ?? "docs/images"

const openai = await startProvider((nth) => (nth % 4 === 1 ? "limits" : "answers"), 9)
const azure = await startProvider(() => "answers", 12)
const anthropic = await startProvider(() => "answers", 14)
const deepseek = await startProvider((nth) => (nth < 1 ? "answers" : "fails"), 6)

const entry = (name: string, url: string, words: string, more = "") => `
  - name: ${name}
    base_url: ${url}
    api_key: \${${name.toUpperCase()}_API_KEY}
    dialects: [chat]
    model_match: { type: keyword, value: [${words}] }${more}`

const config = `# The models of the shop, its help desk and its programmers.
openai_clients:${entry("openai", openai.url, "gpt-", "\n    fallback: azure")}${entry("azure", azure.url, "gpt-", "\n    priority: 0")}${entry("anthropic", anthropic.url, "claude-")}${entry("deepseek", deepseek.url, "deepseek-")}

server:
  access_keys: ["\${HELP_DESK_KEY}", "\${PROGRAMMERS_KEY}"]

admin:
  keys: ["\${ADMIN_KEY}"]
`

const keys = {
  HELP_DESK_KEY: "sk-help-desk-0000000000",
  PROGRAMMERS_KEY: "sk-programmers-000000000",
  ADMIN_KEY: "sk-operator-00000000000",
}

writeFileSync(join(folder, "config.yaml"), config, { mode: 0o600 })
await Effect.runPromise(writeRows(auditFiles(join(folder, "record.db")), history(Date.now(), 26)))

const gateway = spawn(
  process.execPath,
  ["dist/sluice.js", "serve", "--port", "0", "--config", join(folder, "config.yaml")],
  {
    env: {
      ...keys,
      OPENAI_API_KEY: "sk-1",
      AZURE_API_KEY: "sk-2",
      ANTHROPIC_API_KEY: "sk-3",
      DEEPSEEK_API_KEY: "sk-4",
      PATH: process.env["PATH"],
      LOG_FORMAT: "json",
      SERVER_HOST: "127.0.0.1",
      AUDIT_URL: `sqlite:${join(folder, "record.db")}`,
    },
    stdio: ["ignore", "pipe", "inherit"],
  },
)

const address = await new Promise<string>((resolve) => {
  createInterface({ input: gateway.stdout }).on("line", (line) => {
    const said: unknown = JSON.parse(line)
    if (typeof said === "object" && said !== null && "address" in said) resolve(String(said.address))
  })
})

/** A caller asks, and reads the answer to its end. */
const ask = async (nth: number): Promise<void> => {
  const talk = talks[[0, 1, 2, 0, 1, 3, 0, 2][nth % 8] ?? 0]
  const response = await fetch(`${address}/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${nth % 2 === 0 ? keys.HELP_DESK_KEY : keys.PROGRAMMERS_KEY}`,
      "user-agent": nth % 2 === 0 ? "OpenAI/Python 2.8.0" : "claude-cli/2.1.332",
    },
    body: JSON.stringify({
      model: nth === 11 ? "gemini-3-pro" : talk?.model,
      stream: nth % 3 !== 2,
      messages: [
        { role: "system", content: talk?.system },
        { role: "user", content: talk?.user },
      ],
    }),
  })
  await response.text()
}

for (let nth = 0; nth < 34; nth += 1) await ask(nth)

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
})

const open = async (options: BrowserContextOptions): Promise<Page> => {
  const page = await (await browser.newContext({ reducedMotion: "reduce", ...options })).newPage()
  await page.goto(`${address}/dashboard`)
  await page.getByLabel("Admin key").fill(keys.ADMIN_KEY)
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.locator("tbody tr").first().waitFor()
  return page
}

const take = async (page: Page, name: string): Promise<void> => {
  await page.mouse.move(0, 0)
  await page.evaluate("document.fonts.ready.then(() => undefined)")
  writeFileSync(join(images, `${name}.png`), smaller(await page.screenshot()))
}

const desk = { width: 1360, height: 820 }
const phone = { width: 390, height: 780 }

mkdirSync(images, { recursive: true })
for (const colorScheme of ["light", "dark"] as const) {
  const page = await open({ viewport: desk, colorScheme })
  await take(page, `requests-${colorScheme}`)
  await page.locator("tr", { hasText: "429" }).first().locator("a").click()
  await page.locator(".turns").waitFor()
  await take(page, `story-${colorScheme}`)
  await page.goto(`${address}/dashboard#/usage?period=7d`)
  await page.locator("canvas").waitFor()
  await page.locator("table.usage tbody tr").first().waitFor()
  await take(page, `usage-${colorScheme}`)
  await page.goto(`${address}/dashboard#/upstreams`)
  await page.locator(".upstream").first().waitFor()
  await page.getByLabel("Model").fill("gpt-5.1")
  await page.getByRole("button", { name: "Explain" }).click()
  await page.locator(".plan").waitFor()
  await take(page, `upstreams-${colorScheme}`)
  if (process.env["SCREENSHOTS"] !== undefined) {
    await page.goto(`${address}/dashboard#/config`)
    await page.locator(".numbered").waitFor()
    await take(page, `config-${colorScheme}`)
    await page.goto(`${address}/dashboard#/connect`)
    await page.locator(".snippets").waitFor()
    await take(page, `connect-${colorScheme}`)
  }
  await page.close()
}
const small = await open({ viewport: phone, colorScheme: "light", isMobile: true, hasTouch: true })
await take(small, "requests-phone")
if (process.env["SCREENSHOTS"] !== undefined) {
  for (const name of ["usage", "upstreams", "config", "connect"]) {
    await small.goto(`${address}/dashboard#/${name}`)
    await small.waitForTimeout(1500)
    await take(small, `${name}-phone`)
  }
}
await small.goto(`${address}/dashboard#/requests`)
await small.locator("tr", { hasText: "429" }).first().locator("a").click()
await small.locator(".turns").waitFor()
await take(small, "story-phone")

await browser.close()
gateway.kill("SIGTERM")
for (const provider of [openai, azure, anthropic, deepseek]) provider.close()
rmSync(folder, { recursive: true, force: true })
