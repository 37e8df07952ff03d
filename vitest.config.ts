/** Tests mirror `src`; everything under `test/` named `*.test.ts` runs. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    // By default one core is left free, which on two cores runs all files one after the other.
    maxWorkers: 2,
    minWorkers: 1,
  },
})
