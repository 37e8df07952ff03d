/** The audit's thread program as Node can run it in a thread: bundled once per test file. */
import { mkdirSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { buildSync } from "esbuild"
import { sqliteAddon } from "../../scripts/sqliteAddon.js"

const banner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'

/**
 * Bundles a program of this repository, and says where it is; the database addon is found from there. Test files run side by side,
 * so each has a name of its own for it.
 */
export const bundled = (source: string, name: string): URL => {
  const directory = fileURLToPath(new URL("../../node_modules/.cache/sluice-test", import.meta.url))
  mkdirSync(directory, { recursive: true })
  const outfile = `${directory}/${name}.mjs`
  buildSync({
    entryPoints: [fileURLToPath(new URL(`../../${source}`, import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    alias: sqliteAddon,
    banner: { js: banner },
    logLevel: "silent",
  })
  return pathToFileURL(outfile)
}

export const auditThread = (testFile: string): URL =>
  bundled("src/audit/sqlite/ThreadProgram.ts", `${testFile}-audit-thread`)
