/** `sluice audit list`: requests, a line each. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { briefColumns } from "../../audit/read/FoundRow.ts"
import { type Command, command } from "../Command.ts"
import { filterOf, filterOptions, readOption, wholeNumber, zoneOption } from "./Filter.ts"
import { rowsRendering } from "./Rendering.ts"
import {
  formatOf,
  formatOptions,
  lookOf,
  sourceOptions,
  sourceVariables,
  tellInherited,
  unreadableMeans,
  withReader,
  writeRows,
} from "./Store.ts"

const manual = {
  name: "audit list",
  summary: "List requests, the newest first",
  about: "Lists requests of the current month and all archives, the newest first.",
  options: {
    ...filterOptions,
    limit: { short: "n", value: "COUNT", help: "show at most so many (50)" },
    follow: { short: "f", help: "show the last ones, oldest first, then new ones as they come" },
    wide: { help: "all columns, nothing cut" },
    ...zoneOption,
    ...formatOptions,
    ...sourceOptions,
  },
  examples: [
    "sluice audit list --since 2h --status 5xx",
    "sluice audit list --model gpt-4o --follow",
    "sluice audit list --json | jq .latency_ms",
  ],
  environment: sourceVariables,
  failure: unreadableMeans,
} as const

/** The widths of a table are those of so many rows, wherever they come from. */
const rowsAtOnce = 512

export const list: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const filter = yield* filterOf(given)
    const format = yield* formatOf(given, "table")
    const limit = (yield* readOption("--limit", given.text("limit"), wholeNumber)) ?? 50
    const rendering = rowsRendering(format, briefColumns, yield* lookOf(given, given.flag("wide")))
    yield* withReader(given, (reader) =>
      given.flag("follow")
        ? writeRows(reader.follow(filter, limit), rendering)
        : Effect.flatMap(
            writeRows(Stream.rechunk(reader.list(filter, limit), rowsAtOnce), rendering),
            (count) =>
              Effect.zipRight(
                count === 0 ? Console.error("no request matches") : Effect.void,
                format === "table" ? tellInherited(reader) : Effect.void,
              ),
          ),
    )
  }),
)
