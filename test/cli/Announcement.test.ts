/** What the start says, to people and to machines. */
import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { addressOf, membersOf, type Started, textOf } from "../../src/cli/Announcement.ts"
import { loadConfig } from "../../src/config/file/ConfigFile.ts"
import { makeSnapshot } from "../../src/config/Snapshots.ts"
import { configOf } from "../support/GatewayConfig.ts"

const snapshotOf = (
  server: Readonly<Record<string, unknown>>,
  admin: Readonly<Record<string, unknown>> = {},
) => {
  const entries = ["openai", "azure"].map((name) => ({ name, base_url: "http://127.0.0.1:9/v1" }))
  const { config } = Either.getOrThrow(loadConfig(configOf(entries, { server, admin }), {}))
  return makeSnapshot(config, { generation: 1, loadedAt: 0, env: {} })
}

const started = (over: Partial<Started> = {}, server: Readonly<Record<string, unknown>> = {}): Started => ({
  version: "0.1.0",
  host: "::",
  port: 8000,
  configPath: "config/config.yaml",
  audit: "./logs/record.db",
  workers: 1,
  snapshot: snapshotOf(server),
  ...over,
})

describe("the start", () => {
  it.each([
    ["::", "http://localhost:8000"],
    ["0.0.0.0", "http://localhost:8000"],
    ["127.0.0.1", "http://127.0.0.1:8000"],
    ["::1", "http://[::1]:8000"],
  ])("on %s says an address to click: %s", (host, address) => {
    expect(addressOf(started({ host }))).toBe(address)
  })

  it("tells people where, who, and where it is kept", () => {
    expect(textOf(started()).split("\n")).toEqual([
      "sluice 0.1.0 on http://localhost:8000 (all interfaces)",
      "  config   config/config.yaml: openai, azure",
      "  callers  everybody who reaches the port is served",
      "  look     http://localhost:8000/dashboard: everybody who reaches the port sees it",
      "  audit    ./logs/record.db, bodies kept",
      "  try      curl http://localhost:8000/v1/models; sluice explain MODEL",
    ])
    const [first = "", , callers = ""] = textOf(
      started({ workers: 4, host: "127.0.0.1" }, { access_keys: ["a-key", "another"] }),
    ).split("\n")
    expect(first).toBe("sluice 0.1.0 on http://127.0.0.1:8000, 4 workers")
    expect(callers).toBe("  callers  need one of 2 access keys")
  })

  it.each([
    [{ access_keys: ["a-key"] }, {}, "nobody may see the dashboard: set admin.keys"],
    [
      { access_keys: ["a-key"] },
      { keys: ["b-key"] },
      "http://localhost:8000/dashboard: needs one of admin.keys",
    ],
    [{}, { port: 9000 }, "http://127.0.0.1:9000/dashboard: everybody who reaches the port sees it"],
  ])("tells people where the dashboard is: %j %j", (server, admin, words) => {
    expect(textOf(started({ snapshot: snapshotOf(server, admin) }))).toContain(`  look     ${words}\n`)
  })

  it("tells machines the same as members, and no key", () => {
    const members = membersOf(started({ workers: 2 }, { access_keys: ["a-key"] }))
    expect(members).toMatchObject({
      address: "http://localhost:8000",
      clients: ["openai", "azure"],
      access_keys: 1,
      audit: "./logs/record.db",
      bodies: "full",
      workers: 2,
    })
    expect(JSON.stringify(members)).not.toContain("a-key")
  })
})
