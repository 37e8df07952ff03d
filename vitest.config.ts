/** Tests mirror `src`; everything under `test/` named `*.test.ts` runs. */
import { defineConfig } from "vitest/config"
import { sqliteAddon } from "./scripts/sqliteAddon.js"

export default defineConfig({
  resolve: { alias: sqliteAddon },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/BeforeEachFile.ts"],
    // Only what hangs is to fail, on a loaded machine too. Properties that are tried for a given time (scripts/fuzz.js) take theirs.
    testTimeout: process.env["FUZZ_SECONDS"] === undefined ? 120_000 : 0,
    hookTimeout: 120_000,
    // What a file imports is loaded once for all: with a process for each, that was half of the work.
    isolate: false,
    // By default one core is left free, which on two cores runs all files one after the other.
    maxWorkers: 2,
    minWorkers: 1,
    // So that its import of the addon is replaced as well.
    server: { deps: { inline: ["@effect/sql-sqlite-node"] } },
  },
})
