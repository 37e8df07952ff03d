/** Tests mirror `src`; everything under `test/` named `*.test.ts` runs. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
  },
})
