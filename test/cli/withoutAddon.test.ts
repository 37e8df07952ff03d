/** Where SQLite's addon cannot be loaded: installed under another Node, copied from another machine, or not at all. */
import { execFile } from "node:child_process"
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { temporaryDirectory } from "../support/AuditRecords.ts"

const major = Number(process.versions.node.split(".")[0])

const addon = major < 22 ? "better-sqlite3-12" : "better-sqlite3"

/** The built programs in a directory where there is no addon, or one that was not compiled. */
const installed = (inPlaceOfAddon: string | undefined) =>
  Effect.map(temporaryDirectory, (directory) => {
    mkdirSync(join(directory, "dist"))
    for (const name of [
      "sluice.js",
      "audit-thread.js",
      "read-thread.js",
      "aside-thread.js",
      "brotli-thread.js",
      "brotli.wasm",
      "otlp-export.js",
    ]) {
      copyFileSync(join("dist", name), join(directory, "dist", name))
    }
    writeFileSync(join(directory, "package.json"), '{"type":"module"}')
    writeFileSync(join(directory, "config.yaml"), "openai_clients: []\n")
    writeFileSync(join(directory, "record.db"), "")
    if (inPlaceOfAddon !== undefined) {
      mkdirSync(join(directory, "node_modules", addon), { recursive: true })
      writeFileSync(join(directory, "node_modules", addon, "index.js"), inPlaceOfAddon)
    }
    return directory
  })

const run = (directory: string, args: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }>((resume) => {
    execFile(
      process.execPath,
      ["dist/sluice.js", ...args],
      { cwd: directory, env: { AUDIT_URL: "record.db", SERVER_PORT: "0", CONFIG_PATH: "config.yaml" } },
      (error, stdout, stderr) => resume(Effect.succeed({ code: error?.code ?? 0, stdout, stderr })),
    )
  })

const sentence = `the audit's database addon ${addon} does not load under Node ${process.versions.node}; install anew under this Node with "npm ci"`

describe.each([
  { name: "missing", inPlaceOfAddon: undefined },
  {
    name: "not compiled",
    inPlaceOfAddon:
      'module.exports = function () { throw new Error("Could not locate the bindings file. Tried:\\n 1\\n 2") }',
  },
])("an addon that is $name", ({ inPlaceOfAddon }) => {
  it.scopedLive("stops the start with one sentence that says what to do", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* run(yield* installed(inPlaceOfAddon), ["serve"])
      expect(code).toBe(1)
      expect(stderr).toBe("")
      expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
        message: "cannot start",
        problems: [expect.stringContaining(sentence)],
      })
    }),
  )

  it.scopedLive("is told by what reads the audit in that sentence, too", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* run(yield* installed(inPlaceOfAddon), ["audit", "list"])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^[^\n]+\n$/)
      expect(stderr).toContain(sentence)
    }),
  )

  it.scopedLive.each([
    { args: ["--help"] },
    { args: ["--version"] },
    { args: ["check"] },
    { args: ["explain", "--model", "x"] },
    { args: ["audit", "--help"] },
  ])("is not missed by sluice $args", ({ args }) =>
    Effect.gen(function* () {
      const { stderr, stdout } = yield* run(yield* installed(inPlaceOfAddon), args)
      expect(`${stdout}${stderr}`).not.toContain("addon")
      expect(stdout.length).toBeLessThan(10_000)
      expect(stderr.length).toBeLessThan(1000)
      expect(`${stdout}${stderr}`).not.toBe("")
    }),
  )
})
