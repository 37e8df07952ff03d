/** The rules of biome.json on who may import whom are held to what they say: a forbidden import is planted, and seen to be found. */
import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"

const planted: ReadonlyArray<readonly [file: string, module: string, isForbidden: boolean]> = [
  ["src/domain/A.ts", "./Json.ts", false],
  ["src/domain/B.ts", "effect/Either", false],
  ["src/domain/C.ts", "node:crypto", false],
  ["src/domain/D.ts", "../terminal/Printable.ts", false],
  ["src/domain/E.ts", "../terminal/Colour.ts", true],
  ["src/domain/F.ts", "../Hurry.ts", true],
  ["src/domain/G.ts", "../stream/Lift.ts", true],
  ["src/domain/H.ts", "node:child_process", true],
  ["src/domain/I.ts", "effect/Effect", true],
  ["src/domain/J.ts", "effect/DateTime", true],
  ["src/domain/K.ts", "undici", true],
  ["src/terminal/A.ts", "./Colour.ts", false],
  ["src/terminal/B.ts", "../domain/Json.ts", true],
  ["src/terminal/C.ts", "node:fs", true],
  ["src/stream/A.ts", "../domain/Json.ts", false],
  ["src/stream/B.ts", "../upstream/Attempt.ts", true],
  ["src/config/A.ts", "../Gateway.ts", true],
  ["src/config/B.ts", "../cluster/Primary.ts", true],
  ["src/audit/A.ts", "../config/Environment.ts", true],
  ["src/upstream/A.ts", "../stream/EventReader.ts", false],
  ["src/upstream/B.ts", "../audit/Audit.ts", true],
  ["src/Gateway.ts", "node:http", true],
  ["src/Gateway/A.ts", "../http/Server.ts", true],
  ["src/upstream/C.ts", "../Gateway/Exchange.ts", true],
  ["src/http/A.ts", "../Gateway.ts", false],
  ["src/http/B.ts", "../cli/serve.ts", true],
  ["src/cluster/A.ts", "../App.ts", true],
]

const lint = (folder: string): string => {
  try {
    return execFileSync(
      join(process.cwd(), "node_modules/.bin/biome"),
      ["lint", "--only=style/noRestrictedImports", "--max-diagnostics=none", "src"],
      { cwd: folder, encoding: "utf8", stdio: "pipe" },
    )
  } catch (failure) {
    if (failure instanceof Error && "stderr" in failure) return String(failure.stderr)
    throw failure
  }
}

describe("biome.json", () => {
  let folder = ""
  let found = ""
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-layers-"))
    copyFileSync("biome.json", join(folder, "biome.json"))
    for (const [file, module] of planted) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), `import * as it from "${module}"\nexport const here = it\n`)
    }
    found = lint(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(planted)("%s imports %s: forbidden is %s", (file, _, isForbidden) => {
    expect(found.includes(`${file}:1`)).toBe(isForbidden)
  })
})
