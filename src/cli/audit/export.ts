/** `sluice audit export`: whole requests, for other programs. */
import * as Effect from "effect/Effect"
import { columnNames } from "../../audit/sqlite/Columns.ts"
import { type Command, command } from "../Command.ts"
import { filterOf, filterOptions, zoneOption } from "./Filter.ts"
import { rowsRendering } from "./Rendering.ts"
import {
  formatOf,
  formatOptions,
  lookOf,
  sourceOptions,
  sourceVariables,
  unreadableMeans,
  withReader,
  writeRows,
} from "./Store.ts"

const manual = {
  name: "audit export",
  summary: "Write whole requests as CSV or JSON lines",
  about: "Writes whole requests, the oldest first, as CSV or with --json as JSON lines.",
  options: { ...filterOptions, ...zoneOption, ...formatOptions, ...sourceOptions },
  examples: ["sluice audit export --since 2026-11-01 --json > november.jsonl"],
  environment: sourceVariables,
  failure: unreadableMeans,
} as const

export const exportRows: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const filter = yield* filterOf(given)
    const format = yield* formatOf(given, "csv")
    const look = yield* lookOf(given)
    yield* withReader(given, (reader) =>
      writeRows(reader.export(filter), rowsRendering(format, columnNames, look)),
    )
  }),
)
