/** Whoever imports `better-sqlite3` gets the one that the running Node can load: for esbuild and vitest alike. */
import { fileURLToPath } from "node:url"

export const sqliteAddon = {
  "better-sqlite3": fileURLToPath(new URL("../src/audit/sqlite/SqliteAddon.ts", import.meta.url)),
}
