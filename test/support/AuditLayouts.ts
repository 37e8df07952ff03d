/** Audits of older layouts, as the releases that wrote them left them (test/fixtures/audit-layout-1/README.md). */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type AuditFiles, auditFiles } from "../../src/audit/AuditUrl.ts"
import { columnNames, layouts } from "../../src/audit/sqlite/Columns.ts"
import { temporaryDirectory } from "./AuditRecords.ts"

const fixtures = fileURLToPath(new URL("../fixtures/audit-layout-1", import.meta.url))

export const states = [
  "unmoved",
  "copying",
  "sealed",
  "published",
  "switched",
  "moved",
  "spilled",
  "inherited",
] as const

export type State = (typeof states)[number]

/** The columns that layout 1 had. */
export const columnsOfLayout1: ReadonlyArray<string> = (layouts[0] ?? []).map(({ name }) => name)

const added = Object.fromEntries(
  columnNames.filter((name) => !columnsOfLayout1.includes(name)).map((name) => [name, null]),
)

/** The rows in all of them, the oldest first, as this release is to see them: what they lack is NULL. */
export const rowsOfLayout1: ReadonlyArray<Readonly<Record<string, unknown>>> = readFileSync(
  join(fixtures, "rows.jsonl"),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => ({ ...JSON.parse(line), ...added }))

/** An audit in such a state, in a directory of its own that is gone with the scope. */
export const auditOfLayout1 = (state: State): Effect.Effect<AuditFiles, never, Scope.Scope> =>
  Effect.map(temporaryDirectory, (directory) => {
    const from = join(fixtures, state)
    for (const name of readdirSync(from)) {
      if (!name.endsWith(".gz")) copyFileSync(join(from, name), join(directory, name))
      else writeFileSync(join(directory, name.slice(0, -3)), gunzipSync(readFileSync(join(from, name))))
    }
    return auditFiles(join(directory, "record.db"))
  })
