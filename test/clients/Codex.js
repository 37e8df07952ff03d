/** Codex, as it comes from npm, before the gateway: it is given a task in a folder of its own, and calls nobody else. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("node_modules/@openai/codex/bin/codex.js", import.meta.url))

/** The lines of docs/agents.md, and what keeps it from asking others. */
const configOf = (model, baseURL) => `
model = "${model}"
model_provider = "sluice"
web_search = "disabled"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.sluice]
name = "Sluice"
base_url = "${baseURL}"
env_key = "SLUICE_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`

const arguments_ = [
  ...["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"],
  "Write notes.txt.",
]

const textOf = async (stream) => {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Does the task; gives its exit code, the events it told and the files it left. */
export const runCodex = async (model, { baseURL, key }) => {
  const root = mkdtempSync(join(tmpdir(), "sluice-codex-"))
  const [home, work] = ["home", "work"].map((name) => mkdtempSync(join(root, name)))
  writeFileSync(join(home, "config.toml"), configOf(model, baseURL))
  const child = spawn(process.execPath, [program, ...arguments_], {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, SLUICE_KEY: key },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const [told, complaints, [code]] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, "exit"),
  ])
  const events = told.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []))
  const files = Object.fromEntries(
    readdirSync(work).map((name) => [name, readFileSync(join(work, name), "utf8")]),
  )
  rmSync(root, { recursive: true, force: true })
  return { code, complaints, events, files }
}
