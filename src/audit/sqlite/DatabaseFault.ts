/** Why the audit's database cannot do what was asked, in the few kinds that are treated differently. */
import { SqlError } from "@effect/sql/SqlError"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/**
 * - `locked`, `full`, `read_only`, `unreachable` (cannot be opened, or its disk errs) and `corrupt` may pass, or be mended by hand;
 * - `newer`: a later release wrote the file, whose layout is not known here;
 * - `refused`: the database is well but does not take what it was given.
 */
export type FaultKind = "locked" | "full" | "read_only" | "unreachable" | "corrupt" | "newer" | "refused"

export class DatabaseFault extends Data.TaggedError("DatabaseFault")<{
  readonly kind: FaultKind
  /** In SQLite's words; never a value of a row. */
  readonly detail: string
}> {
  override get message(): string {
    return `${this.kind.replace("_", "-")}: ${this.detail}`
  }
}

const kinds: ReadonlyArray<readonly [prefix: string, kind: FaultKind]> = [
  ["SQLITE_BUSY", "locked"],
  ["SQLITE_LOCKED", "locked"],
  ["SQLITE_FULL", "full"],
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["SQLITE_READONLY", "read_only"],
  ["SQLITE_PERM", "read_only"],
  ["EACCES", "read_only"],
  ["EPERM", "read_only"],
  ["EROFS", "read_only"],
  ["SQLITE_CORRUPT", "corrupt"],
  ["SQLITE_NOTADB", "corrupt"],
  ["SQLITE_IOERR", "unreachable"],
  ["SQLITE_CANTOPEN", "unreachable"],
  ["SQLITE_PROTOCOL", "unreachable"],
  ["SQLITE_NOMEM", "unreachable"],
  ["E", "unreachable"],
]

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : ""

/** The fault behind whatever was thrown or failed; a `SqlError` is looked into. */
export const faultOf = (error: unknown): DatabaseFault => {
  if (error instanceof DatabaseFault) return error
  if (error instanceof SqlError) return faultOf(error.cause)
  const code = codeOf(error)
  const kind = kinds.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "refused"
  const detail = error instanceof Error ? error.message : String(error)
  return new DatabaseFault({
    kind,
    detail: code === "" || detail.startsWith(code) ? detail : `${code}: ${detail}`,
  })
}

/**
 * Everything that goes wrong in an effect as a `DatabaseFault`, defects too: opening a database, beginning a transaction and
 * committing one die where other statements fail.
 */
export const faulting = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, DatabaseFault, R> =>
  Effect.catchAllCause(effect, (cause) => {
    const errors = [
      ...Chunk.toReadonlyArray(Cause.failures(cause)),
      ...Chunk.toReadonlyArray(Cause.defects(cause)),
    ]
    return errors.length === 0 ? Effect.interrupt : Effect.fail(faultOf(errors[0]))
  })

/** Runs what may throw: file system calls, mostly. */
export const attempting = <A>(body: () => A): Effect.Effect<A, DatabaseFault> =>
  Effect.try({ try: body, catch: faultOf })
