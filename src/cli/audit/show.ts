/** `sluice audit show`: all that is kept of one request. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { allColumns } from "../../audit/Reader.ts"
import { CliFailure } from "../CliFailure.ts"
import { type Command, command } from "../Command.ts"
import { write } from "../Output.ts"
import { rowPage, rowsRendering } from "./Rendering.ts"
import { auditVariables, formatOf, formatOptions, storeOption, withReader, writeRows } from "./Store.ts"

const manual = {
  name: "audit show",
  summary: "Show all that is kept of one request",
  about: "Shows all that is kept of a request, its headers and bodies too.",
  argument: { name: "ID", help: "the request's id: its x-request-id, and what `list` shows" },
  options: { ...formatOptions, ...storeOption },
  examples: ["sluice audit show 01a21eb3-3bde-7be1-a6f9-454680722e66"],
  environment: auditVariables,
  failure: "no such request, or the audit cannot be read",
} as const

export const show: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const format = yield* formatOf(given, "table")
    const id = given.argument ?? ""
    yield* withReader(given, (reader, path) =>
      Effect.gen(function* () {
        const rows = yield* reader.show(id)
        if (rows.length === 0) {
          return yield* new CliFailure({
            exitCode: 1,
            message: `${path}: there is no request ${JSON.stringify(id)}`,
          })
        }
        if (format === "table") yield* write(rows.map((row) => rowPage(allColumns, row)).join("\n---\n\n"))
        else yield* writeRows(Stream.fromIterable(rows), rowsRendering(format, allColumns))
      }),
    )
  }),
)
