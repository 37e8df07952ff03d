/** What the start says of GPT_API's rows. */
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import { tellInherited } from "../../../src/audit/sqlite/Inherited.ts"
import * as Lines from "../../../src/telemetry/Lines.ts"
import * as Log from "../../../src/telemetry/Log.ts"
import { temporaryDirectory } from "../../support/AuditRecords.ts"

const told = (database: string) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const log = Lines.layer({
      format: "json",
      level: LogLevel.Info,
      colour: false,
      sink: (line) => void lines.push(line),
    })
    yield* Effect.provide(tellInherited(database, false), Layer.provide(Log.layer, log))
    return lines
  })

const made = (path: string, ...statements: ReadonlyArray<string>) => {
  const database = new Sqlite(path)
  for (const statement of statements) database.exec(statement)
  database.close()
}

it.scoped("a database of GPT_API's is said to be taken over, with its rows, and nothing else is", () =>
  Effect.gen(function* () {
    const path = join(yield* temporaryDirectory, "record.db")
    const table = "CREATE TABLE records (id INTEGER PRIMARY KEY AUTOINCREMENT, Time TEXT)"
    expect(yield* told(path)).toEqual([])
    made(path, table, "INSERT INTO records (Time) VALUES ('a'), ('b'), ('c')")
    expect(yield* told(path)).toEqual([expect.stringMatching(/taken over.*"rows":3/)])
    // It has been taken over since, or never was GPT_API's.
    made(path, "PRAGMA user_version = 1")
    expect(yield* told(path)).toEqual([])
    const other = join(yield* temporaryDirectory, "other.db")
    made(other, "CREATE TABLE anything (a)")
    expect(yield* told(other)).toEqual([])
  }),
)
