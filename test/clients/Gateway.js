/** The gateway as it is shipped, dist/sluice.js, before one provider. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { dialects as all } from "./Provider.js"

const program = fileURLToPath(new URL("../../dist/sluice.js", import.meta.url))

const freePort = async () => {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address()
  probe.close()
  await once(probe, "close")
  return port
}

const ready = async (port, child) => {
  while (child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`the gateway ended with code ${child.exitCode} before it was ready`)
}

/** Starts it with an access key, `key`, before a provider of these dialects; `stop` ends it in order and gives its exit code. */
export const startGateway = async (providerUrl, dialects = all) => {
  const key = "sk-of-the-gateway"
  const folder = mkdtempSync(join(tmpdir(), "sluice-clients-"))
  const port = await freePort()
  const named = ["fake", "json", "cut", "endless", "hangs", "fault-", "status-", "gpt-5", "claude"]
  const unnamed = "omni-moderation-latest"
  writeFileSync(
    join(folder, "config.yaml"),
    JSON.stringify({
      server: { access_keys: [key] },
      retry: { base_delay_ms: 1 },
      breaker: { failures: 0 },
      openai_clients: [
        {
          name: "provider",
          base_url: providerUrl,
          api_key: "sk-of-the-provider",
          dialects,
          model_match: { type: "keyword", value: [...named, unnamed] },
        },
      ],
    }),
  )
  const child = spawn(process.execPath, [program, "serve"], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      SERVER_PORT: String(port),
      SERVER_HOST: "127.0.0.1",
      CONFIG_PATH: "config.yaml",
      LOG_LEVEL: "error",
    },
    stdio: ["ignore", "inherit", "inherit"],
  })
  const ended = once(child, "exit")
  await ready(port, child)
  return {
    key,
    baseURL: `http://127.0.0.1:${port}/v1`,
    stop: async () => {
      child.kill("SIGTERM")
      const [code] = await ended
      rmSync(folder, { recursive: true, force: true })
      return code
    },
  }
}
