/** `sluice audit`: what the gateway was asked, who answered, and what it cost; of the live database and all archives. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AuditFilter, outcomes, parseStatus, parseTime } from "../audit/AuditFilter.ts"
import { combine, emptyTally, groupings, ranked, statsOf } from "../audit/AuditStats.ts"
import { parseAuditUrl } from "../audit/AuditUrl.ts"
import {
  type AuditUnreadable,
  allColumns,
  briefColumns,
  openReader,
  type Reader,
  type Row,
} from "../audit/Reader.ts"
import { auditUrl, problemsOf } from "../config/Environment.ts"
import { type Format, type Rendering, rowPage, rowsRendering, statsPage } from "./audit/Rendering.ts"
import { CliFailure } from "./CliFailure.ts"
import { type OutputClosed, write } from "./Output.ts"

const optionalText = (name: string, description: string) =>
  Options.text(name).pipe(Options.withDescription(description), Options.optional)

const filterOptions = {
  since: optionalText("since", "From then on: 2026-11-22, 2026-11-22T17:35 (UTC), or an age: 30m, 2h, 7d."),
  until: optionalText("until", "Before then; written like --since."),
  model: optionalText("model", "The model asked for."),
  upstream: optionalText("upstream", "The upstream asked last."),
  status: optionalText("status", "The status answered: 429, or 5xx for a whole class."),
  outcome: Options.choice("outcome", outcomes).pipe(
    Options.withDescription("How the request ended."),
    Options.optional,
  ),
  ip: optionalText("ip", "The caller's address."),
  key: optionalText("key", "The fingerprint of the caller's key."),
}

const storeOption = optionalText("db", "The audit's database; AUDIT_URL or ./logs/record.db if left out.")

const formatOptions = {
  json: Options.boolean("json").pipe(Options.withDescription("One JSON object a line.")),
  csv: Options.boolean("csv").pipe(Options.withDescription("CSV with a heading (RFC 4180).")),
}

const misuse = (message: string) => new CliFailure({ exitCode: 2, message })

/** A value that is wrong, named by its option. */
const named = <A>(option: string, value: Either.Either<A, string>): Effect.Effect<A, CliFailure> =>
  Either.match(value, { onLeft: (wrong) => misuse(`${option} ${wrong}`), onRight: Effect.succeed })

/** Reads an option's text, where it was given. */
const given = <A>(
  option: string,
  text: Option.Option<string>,
  read: (text: string) => Either.Either<A, string>,
): Effect.Effect<A | undefined, CliFailure> =>
  Option.match(text, { onNone: () => Effect.succeed(undefined), onSome: (some) => named(option, read(some)) })

type FilterOptions = Command.Command.ParseConfig<typeof filterOptions>

const filterOf = (options: FilterOptions): Effect.Effect<AuditFilter, CliFailure> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const time = (text: string) => parseTime(text, now)
    return {
      since: yield* given("--since", options.since, time),
      until: yield* given("--until", options.until, time),
      model: Option.getOrUndefined(options.model),
      upstream: Option.getOrUndefined(options.upstream),
      status: yield* given("--status", options.status, parseStatus),
      outcome: Option.getOrUndefined(options.outcome),
      clientIp: Option.getOrUndefined(options.ip),
      keyFingerprint: Option.getOrUndefined(options.key),
    }
  })

const formatOf = (
  { csv, json }: { readonly csv: boolean; readonly json: boolean },
  otherwise: Format,
): Effect.Effect<Format, CliFailure> =>
  csv && json
    ? misuse("--json and --csv: choose one of them")
    : Effect.succeed(json ? "json" : csv ? "csv" : otherwise)

const storePath = (db: Option.Option<string>): Effect.Effect<string, CliFailure> =>
  Option.match(db, {
    onNone: () =>
      Effect.flatMap(
        Effect.mapError(auditUrl, (error) => misuse(problemsOf(error).join("\n"))),
        (url) => Effect.mapError(parseAuditUrl(url), misuse),
      ),
    onSome: (url) =>
      Effect.mapError(parseAuditUrl(url), (wrong) => misuse(wrong.replace("AUDIT_URL", "--db"))),
  })

type Failures = AuditUnreadable | OutputClosed | CliFailure

/** Runs a command on the store. A reader who has seen enough (`| head`) is no failure. */
const withReader = (
  db: Option.Option<string>,
  use: (reader: Reader, path: string) => Effect.Effect<void, Failures, Scope.Scope>,
): Effect.Effect<void, CliFailure> =>
  Effect.gen(function* () {
    const path = yield* storePath(db)
    yield* use(yield* openReader(path), path)
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      AuditUnreadable: ({ message }) => new CliFailure({ exitCode: 1, message }),
      OutputClosed: () => Effect.void,
    }),
  )

/** Writes rows as they come, a chunk at once. Answers with how many there were. */
const writeRows = (
  rows: Stream.Stream<Row, AuditUnreadable>,
  { heading, rows: render }: Rendering<Row>,
): Effect.Effect<number, Failures> =>
  Effect.gen(function* () {
    let widths: ReadonlyArray<number> = []
    let count = 0
    if (heading !== "") yield* write(heading)
    yield* Stream.runForEachChunk(rows, (chunk) => {
      if (Chunk.isEmpty(chunk)) return Effect.void
      const [next, text] = render(widths, Chunk.toReadonlyArray(chunk))
      widths = next
      count += chunk.length
      return write(text)
    })
    return count
  })

const noneFound = Console.error("no request matches")

const list = Command.make(
  "list",
  {
    ...filterOptions,
    ...formatOptions,
    limit: Options.integer("limit").pipe(
      Options.withAlias("n"),
      Options.withDescription("At most so many; 50 if left out."),
      Options.withDefault(50),
    ),
    follow: Options.boolean("follow").pipe(
      Options.withAlias("f"),
      Options.withDescription("The last ones, oldest first, and then new ones as they come, until Ctrl-C."),
    ),
    db: storeOption,
  },
  (options) =>
    Effect.gen(function* () {
      const filter = yield* filterOf(options)
      const format = yield* formatOf(options, "table")
      if (options.limit < 1) return yield* misuse(`--limit ${options.limit}: expected a whole number from 1`)
      const rendering = rowsRendering(format, briefColumns)
      yield* withReader(options.db, (reader) =>
        options.follow
          ? writeRows(reader.follow(filter, options.limit), rendering)
          : Effect.flatMap(writeRows(reader.list(filter, options.limit), rendering), (count) =>
              count === 0 ? noneFound : Effect.void,
            ),
      )
    }),
).pipe(Command.withDescription("Lists requests, the newest first."))

const show = Command.make(
  "show",
  {
    id: Args.text({ name: "id" }).pipe(
      Args.withDescription("The request's id: its x-request-id, and what `list` shows."),
    ),
    ...formatOptions,
    db: storeOption,
  },
  ({ db, id, ...options }) =>
    Effect.gen(function* () {
      const format = yield* formatOf(options, "table")
      yield* withReader(db, (reader, path) =>
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
).pipe(Command.withDescription("Shows all that is kept of a request, headers and bodies too."))

const stats = Command.make(
  "stats",
  {
    by: Options.choice("by", groupings).pipe(
      Options.withDescription("What to group by; model if left out."),
      Options.withDefault("model" as const),
    ),
    ...filterOptions,
    ...formatOptions,
    db: storeOption,
  },
  (options) =>
    Effect.gen(function* () {
      const filter = yield* filterOf(options)
      const format = yield* formatOf(options, "table")
      yield* withReader(options.db, (reader) =>
        Effect.gen(function* () {
          const tallies = yield* reader.stats(filter, options.by)
          const all = statsOf(undefined, [...tallies.values()].reduce(combine, emptyTally))
          yield* write(statsPage(format, options.by, ranked(tallies, options.by), all))
        }),
      )
    }),
).pipe(Command.withDescription("Counts requests, errors and tokens, with latency and time to first token."))

const exportRows = Command.make(
  "export",
  { ...filterOptions, ...formatOptions, db: storeOption },
  (options) =>
    Effect.gen(function* () {
      const filter = yield* filterOf(options)
      const format = yield* formatOf(options, "csv")
      yield* withReader(options.db, (reader) =>
        writeRows(reader.export(filter), rowsRendering(format, allColumns)),
      )
    }),
).pipe(
  Command.withDescription("Writes whole requests, the oldest first, as CSV or with --json as JSON lines."),
)

export const auditCommand = Command.make("audit").pipe(
  Command.withDescription("Reads the audit, the current month and all archives."),
  Command.withSubcommands([list, show, stats, exportRows]),
)
