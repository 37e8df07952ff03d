/** `sluice audit stats`: how many requests, errors and tokens, and how fast, by group. */
import * as Effect from "effect/Effect"
import { groupings } from "../../audit/read/AuditStats.ts"
import { CliFailure } from "../CliFailure.ts"
import { type Command, command } from "../Command.ts"
import { write } from "../Output.ts"
import { filterOf, filterOptions, oneOf, readOption, zoneOption } from "./Filter.ts"
import { statsPage } from "./StatsPage.ts"
import {
  formatOf,
  formatOptions,
  lookOf,
  sourceOptions,
  sourceVariables,
  tellInherited,
  unreadableMeans,
  withReader,
} from "./Store.ts"

const manual = {
  name: "audit stats",
  summary: "Count requests, errors and tokens, with latencies",
  about: "Counts requests, errors and tokens by group, with latency and time to first token.",
  options: {
    by: { value: "GROUP", help: `${groupings.join(", ")} (model)` },
    wide: { help: "names whole, however long they are" },
    ...filterOptions,
    ...zoneOption,
    ...formatOptions,
    ...sourceOptions,
  },
  examples: ["sluice audit stats --since 1d", "sluice audit stats --by key --since 7d"],
  environment: sourceVariables,
  failure: unreadableMeans,
} as const

/** A running gateway counts for some seconds. */
const cutShort = new CliFailure({
  exitCode: 1,
  message:
    "the gateway stopped counting after some seconds, or at 1,000 groups; these are not all requests. Ask for a shorter time, or read the file with --db",
})

export const stats: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const by = (yield* readOption("--by", given.text("by"), oneOf(groupings))) ?? "model"
    const filter = yield* filterOf(given)
    const format = yield* formatOf(given, "table")
    const look = yield* lookOf(given, given.flag("wide"))
    yield* withReader(given, (reader) =>
      Effect.gen(function* () {
        const { all, groups, isComplete } = yield* reader.report(filter, by, Number.POSITIVE_INFINITY)
        yield* write(statsPage(format, by, groups, all, look))
        if (format === "table") yield* tellInherited(reader)
        if (!isComplete) return yield* cutShort
      }),
    )
  }),
)
