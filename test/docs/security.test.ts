/** The bounds that docs/security.md tells are those of the code: defaults as the reference has them, fixed ones as they are written. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const read = (path: string): string => readFileSync(path, "utf8")
const page = read("docs/security.md")
const reference = read("docs/configuration.md")

const rows = [...page.matchAll(/^\| (?<what>[^|]+) \| (?<bound>[^|]+) \| (?<settings>`[^|]+`) \|$/gm)].map(
  ({ groups }) => ({
    bound: groups?.["bound"] ?? "",
    settings: [...(groups?.["settings"] ?? "").matchAll(/`(?:\w+\.)?(\w+)`/g)].map(([, name = ""]) => name),
  }),
)

/** The numbers that a setting has by default, wherever there is one of that name. */
const defaultsOf = (setting: string): ReadonlyArray<string> =>
  [...reference.matchAll(new RegExp(`^\\| \`${setting}\` \\|[^|]+\\| \`(\\d+)\` \\|`, "gm"))].map(
    ([, value = ""]) => value,
  )

describe("docs/security.md", () => {
  it("has rows for settings", () => {
    expect(rows.length).toBeGreaterThan(8)
  })

  it.each(rows.flatMap(({ bound, settings }) => settings.map((setting) => [setting, bound] as const)))(
    "tells the default of %s",
    (setting, bound) => {
      const defaults = defaultsOf(setting)
      const said = bound.replaceAll(",", "").match(/\d+/g) ?? []
      // Some have none, and 0 is none.
      const isBound = defaults.some((value) => value !== "0")
      if (isBound) expect(said.some((number) => defaults.includes(number))).toBe(true)
      else expect(bound).toContain("no bound by default")
    },
  )

  it.each([
    ["16 KiB", "src/http/NodeServer.ts", "maxHeaderSize: 16 * 1024"],
    ["within 30 s", "src/http/NodeServer.ts", "headersTimeout: 30_000"],
    ["32 MiB beside its bytes", "src/wire/JsonCost.ts", "mostMemory = 32 * 1024 * 1024"],
    ["longer than 10 ms", "src/wire/JsonCost.ts", "mostMillisAtOnce = 10"],
    ["in which 128 wait", "src/aside/Aside.ts", "mostWaiting = 128"],
    ["64 MiB", "src/upstream/PlainBody.ts", "maxAnswerBytes = 64 * 1024 * 1024"],
    ["64 KiB", "src/upstream/Reading.ts", "maxErrorBytes = 64 * 1024"],
    ["8 MiB", "src/upstream/lists/ListCalls.ts", "maxListBytes = 8 * 1024 * 1024"],
    ["32 MiB |", "src/upstream/lists/KeptLists.ts", "mostListBytes = 32 * 1024 * 1024"],
    ["an event, an error", "src/answer/EventReader.ts", "maxEventBytes = 32 * 1024 * 1024"],
    ["256 MiB in memory", "src/audit/queue/AuditQueue.ts", "bytes: 256 * 1024 * 1024"],
    ["200,000 values", "src/config/file/TreeReader.ts", "mostNodes = 200_000"],
    ["three packings at most", "src/http/PackedBody.ts", "mostCodings = 3"],
  ])("tells a fixed bound: %s", (words, path, line) => {
    expect(page).toContain(words)
    expect(read(path)).toContain(line)
  })
})
