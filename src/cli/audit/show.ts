/** `sluice audit show`: all that is kept of one request. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Row } from "../../audit/read/FoundRow.ts"
import { columnNames } from "../../audit/sqlite/Columns.ts"
import { printable } from "../../terminal/Printable.ts"
import { CliFailure } from "../CliFailure.ts"
import { type Command, command } from "../Command.ts"
import { write } from "../Output.ts"
import type { AuditReader } from "./AuditReader.ts"
import { zoneOption } from "./Filter.ts"
import { isBody, rowPage } from "./Page.ts"
import { rowsRendering } from "./Rendering.ts"
import {
  type Failures,
  formatOf,
  formatOptions,
  lookOf,
  sourceOptions,
  sourceVariables,
  withReader,
  writeRows,
} from "./Store.ts"

const manual = {
  name: "audit show",
  summary: "Show all that is kept of one request",
  about: "Shows all that is kept of a request, with its headers and bodies.",
  argument: { name: "ID", help: "its x-request-id, or the first or last characters of it, as `list` shows" },
  options: {
    "no-bodies": { help: "without request and response" },
    ...zoneOption,
    ...formatOptions,
    ...sourceOptions,
  },
  examples: ["sluice audit show 80722e66", "sluice audit show 80722e66 --no-bodies"],
  environment: sourceVariables,
  failure: "no such request, or the audit cannot be read",
} as const

/** The request of this id, else the one whose id begins or ends so. */
const rowsCalled = (
  reader: AuditReader,
  path: string,
  id: string,
): Effect.Effect<ReadonlyArray<Row>, Failures> =>
  Effect.gen(function* () {
    const { rows, similar } = yield* reader.called(id)
    if (rows.length > 0) return rows
    const called = printable(JSON.stringify(id))
    const message =
      similar.length === 0
        ? `${path}: there is no request ${called}`
        : `${path}: more than one request begins or ends with ${called}: ${similar.map(printable).join(", ")}`
    return yield* new CliFailure({ exitCode: 1, message })
  })

export const show: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const format = yield* formatOf(given, "table")
    const id = given.argument ?? ""
    const look = yield* lookOf(given)
    const columns = given.flag("no-bodies") ? columnNames.filter((name) => !isBody(name)) : columnNames
    yield* withReader(given, (reader, path) =>
      Effect.gen(function* () {
        const rows = yield* rowsCalled(reader, path, id)
        if (format === "table") {
          yield* write(rows.map((row) => rowPage(columns, row, look)).join("\n---\n\n"))
        } else yield* writeRows(Stream.fromIterable(rows), rowsRendering(format, columns, look))
      }),
    )
  }),
)
