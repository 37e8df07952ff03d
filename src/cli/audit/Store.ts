/** The audit that a command reads, the formats it answers in, and how its rows are written out. */
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { parseAuditUrl } from "../../audit/AuditUrl.ts"
import type { AuditUnreadable } from "../../audit/read/AuditUnreadable.ts"
import type { Row } from "../../audit/read/FoundRow.ts"
import { openReader } from "../../audit/read/Reader.ts"
import { auditUrl, problemsOf } from "../../config/Environment.ts"
import { CliFailure } from "../CliFailure.ts"
import type { Named } from "../Command.ts"
import { Output, type OutputClosed, write } from "../Output.ts"
import type { GivenOf } from "../Parse.ts"
import { adminKeyVariable } from "../runningGateway.ts"
import type { AuditReader, Rows, Unanswered } from "./AuditReader.ts"
import type { zoneOption } from "./Filter.ts"
import { misuse } from "./Filter.ts"
import { gatewayAsked } from "./GatewayAsked.ts"
import { gatewayReader } from "./GatewayReader.ts"
import type { Appearance, Format, Rendering } from "./Rendering.ts"

export const storeOption = {
  db: { value: "FILE", help: "the audit's database, or an archive; else AUDIT_URL, else logs/record.db" },
} as const

/** What may be read: a file, or what a running gateway tells of its own. */
export const sourceOptions = {
  ...storeOption,
  gateway: {
    value: "ADDRESS",
    help: "ask a running gateway, http://localhost:9000",
  },
  "key-env": {
    value: "NAME",
    help: `for --gateway: the variable that holds one of its admin.keys (${adminKeyVariable})`,
  },
} as const

export const formatOptions = {
  json: { help: "one JSON object a line" },
  csv: { help: "CSV with a heading (RFC 4180)" },
} as const

export const auditVariables: ReadonlyArray<Named> = [
  ["AUDIT_URL", "the audit's database (sqlite:./logs/record.db); also RECD_PATH"],
]

export const sourceVariables: ReadonlyArray<Named> = [
  ...auditVariables,
  [adminKeyVariable, "for --gateway: one of the gateway's admin.keys"],
]

/** How tables look for whoever asks. */
export const lookOf = ({ flag }: GivenOf<typeof zoneOption>, wide = false): Effect.Effect<Appearance> =>
  Effect.map(Output, (output) => ({ ...output, zone: flag("utc") ? "utc" : "local", wide }))

/** What exit code 1 means. */
export const unreadableMeans = "the audit, or a part of it, cannot be read"

export const formatOf = (
  { flag }: GivenOf<typeof formatOptions>,
  otherwise: Format,
): Effect.Effect<Format, CliFailure> =>
  flag("csv") && flag("json")
    ? misuse("--json and --csv: choose one of them")
    : Effect.succeed(flag("json") ? "json" : flag("csv") ? "csv" : otherwise)

/** The database's path: that of `--db`, else of the environment. */
export const storePath = (db: string | undefined): Effect.Effect<string, CliFailure> =>
  db === undefined
    ? Effect.flatMap(
        Effect.mapError(auditUrl, (error) => misuse(problemsOf(error).join("\n"))),
        (url) => Effect.mapError(parseAuditUrl(url), misuse),
      )
    : Effect.mapError(parseAuditUrl(db), (wrong) => misuse(wrong.replace("AUDIT_URL", "--db")))

export type Failures = Unanswered | OutputClosed

/** An answer without some of the archives is not whole, which the exit code says too. */
const toldWhole = (reader: AuditReader): Effect.Effect<void, CliFailure> => {
  const lines = reader.leftOut().map(({ message }) => `${message}; its rows are left out`)
  return lines.length === 0
    ? Effect.void
    : Effect.fail(new CliFailure({ exitCode: 1, message: lines.join("\n") }))
}

/** The reader that is asked for, and what it reads. */
const readerAsked = ({
  text,
}: GivenOf<typeof sourceOptions>): Effect.Effect<readonly [AuditReader, string], Unanswered, Scope.Scope> =>
  Effect.gen(function* () {
    const gateway = yield* gatewayAsked(text("gateway"), text("key-env"))
    if (gateway === undefined) {
      const path = yield* storePath(text("db"))
      return [yield* openReader(path), path] as const
    }
    if (text("db") !== undefined) return yield* misuse("--db and --gateway: choose one of them")
    return [gatewayReader(gateway), gateway.address] as const
  })

/** Runs a command on the store. A reader who has seen enough (`| head`) is no failure. */
export const withReader = (
  given: GivenOf<typeof sourceOptions>,
  use: (reader: AuditReader, path: string) => Effect.Effect<void, Failures, Scope.Scope>,
): Effect.Effect<void, CliFailure> =>
  Effect.gen(function* () {
    const [reader, path] = yield* readerAsked(given)
    yield* Effect.tapErrorTag(use(reader, path), "CliFailure", () =>
      Effect.catchAll(toldWhole(reader), ({ message }) => Console.error(message)),
    )
    yield* toldWhole(reader)
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      AuditUnreadable: ({ message }) => new CliFailure({ exitCode: 1, message }),
      OutputClosed: () => Effect.void,
    }),
  )

/** Writes rows as they come, a chunk at once. Answers with how many there were. */
export const writeRows = (
  rows: Rows,
  { heading, rows: render }: Rendering<Row>,
): Effect.Effect<number, Failures> =>
  Effect.gen(function* () {
    let widths: ReadonlyArray<number> | undefined
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

/** Says, beside the answer, that GPT_API's rows are not in it. */
export const tellInherited = (reader: AuditReader): Effect.Effect<void, AuditUnreadable> =>
  Effect.flatMap(reader.inherited, (rows) =>
    rows === 0
      ? Effect.void
      : Console.error(
          `${rows.toLocaleString("en-US")} older ${rows === 1 ? "row" : "rows"} of GPT_API are not shown here; they are in the view \`records\` (docs/audit.md)`,
        ),
  )
