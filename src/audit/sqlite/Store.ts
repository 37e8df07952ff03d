/**
 * Keeps rows whatever happens to the database: they go into it, else into the spill, and from there into it once it takes rows
 * again. Belongs to one thread.
 *
 * While something is wrong rows go to the spill at once, so that a lock is not waited for batch by batch; draining finds out when
 * it is over.
 */
import { mkdirSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import { newRun } from "../AuditRun.ts"
import type { AuditFiles } from "../AuditUrl.ts"
import type { AuditWriter, WriteReport } from "../AuditWriter.ts"
import { type QueuedRecord, rowOfQueued } from "../queue/QueuedRecord.ts"
import { connect, query } from "./Database.ts"
import { attempting, type DatabaseFault, faulting } from "./DatabaseFault.ts"
import { type LiveDatabase, openLive } from "./LiveDatabase.ts"
import type { RowValues } from "./Rows.ts"
import { makeSpill } from "./Spill.ts"

/**
 * Locks the audit for this process, until the scope ends or the process does, however it does: SQLite's lock on an empty file.
 * Of two gateways on one database both write, and one drains leftovers and moves months.
 */
const lock = (files: AuditFiles): Effect.Effect<void, DatabaseFault, Scope.Scope> =>
  attempting(() => mkdirSync(files.directory, { recursive: true, mode: 0o700 })).pipe(
    Effect.zipRight(connect(files.lock, 0)),
    Effect.flatMap((sql) => faulting(query(sql, "BEGIN EXCLUSIVE"))),
    Effect.asVoid,
  )

/** The row of a record; without its bodies, should they be what cannot be told. */
const rowOrNone = (record: QueuedRecord): RowValues | undefined =>
  Option.getOrUndefined(
    Option.orElse(Option.liftThrowable(rowOfQueued)(record), () =>
      Option.liftThrowable(rowOfQueued)({ ...record, request: undefined, response: undefined }),
    ),
  )

export interface Store extends Pick<AuditWriter, "drain"> {
  /** As the writer's, of what is in the batch. */
  readonly write: (records: ReadonlyArray<QueuedRecord>) => Effect.Effect<WriteReport>
}

export const makeStore = (files: AuditFiles): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.gen(function* () {
    const spill = makeSpill(files, yield* newRun)
    const turn = yield* Effect.makeSemaphore(1)
    let live: LiveDatabase | undefined
    let fault: DatabaseFault | undefined
    let owner: { readonly scope: Scope.CloseableScope } | undefined
    /** Another gateway has the lock. */
    let shared = false
    let reportedVanished = 0

    const closeLive = Effect.suspend(() => {
      const closing = live?.close ?? Effect.void
      live = undefined
      return closing
    })

    const open = Effect.tap(openLive(files), (database) =>
      Effect.sync(() => {
        live = database
      }),
    )

    const opened = Effect.suspend(() => (live === undefined ? open : Effect.succeed(live)))

    /** Writes to the file that is at the path, before and afterwards: what went into one that was moved away goes in again. */
    const writeOnce = (rows: ReadonlyArray<RowValues>): Effect.Effect<void, DatabaseFault> =>
      Effect.gen(function* () {
        if (live !== undefined && !live.isInPlace()) yield* closeLive
        const database = yield* opened
        yield* database.write(rows)
        if (!database.isInPlace()) {
          yield* closeLive
          yield* (yield* opened).write(rows)
        }
      }).pipe(Effect.tapError(() => closeLive))

    /**
     * Writes what can be written. A refusal may be due to what another process did to the tables, so it is tried again on a new
     * connection, and then row by row; rows that are still refused are lost. Answers with their number.
     */
    const writeRows = (rows: ReadonlyArray<RowValues>): Effect.Effect<number, DatabaseFault> =>
      writeOnce(rows).pipe(
        Effect.as(0),
        Effect.catchIf(
          (error) => error.kind === "refused",
          () =>
            writeOnce(rows).pipe(
              Effect.as(0),
              Effect.catchIf(
                (error) => error.kind === "refused",
                () => writeSingly(rows),
              ),
            ),
        ),
      )

    const writeSingly = (rows: ReadonlyArray<RowValues>): Effect.Effect<number, DatabaseFault> =>
      Effect.gen(function* () {
        let refused: DatabaseFault | undefined
        let count = 0
        for (const row of rows) {
          yield* Effect.catchIf(
            writeOnce([row]),
            (error) => error.kind === "refused",
            (error) => {
              refused = error
              count++
              return Effect.void
            },
          )
        }
        // Nothing at all gets in: it is the database then, and not the rows.
        if (refused !== undefined && count === rows.length) return yield* refused
        return count
      })

    const report = (refused: boolean, lost: number): WriteReport => {
      const vanished = spill.vanished() - reportedVanished
      reportedVanished += vanished
      return {
        refused,
        spilled: spill.waiting(),
        // Where another gateway drains, it may be the one that took them.
        lost: lost + (owner === undefined ? 0 : vanished),
        fault: fault?.message,
        locked: fault?.kind === "locked",
        owner: owner !== undefined,
        shared,
        oldestMonth: live?.oldestMonth(),
      }
    }

    const noteFault = (next: DatabaseFault | undefined) =>
      Effect.sync(() => {
        fault = next
      })

    const noting = <A>(effect: Effect.Effect<A, DatabaseFault>): Effect.Effect<A, DatabaseFault> =>
      Effect.tapBoth(effect, {
        onFailure: (error) => noteFault(error),
        onSuccess: () => noteFault(undefined),
      })

    const spillRows = (rows: ReadonlyArray<RowValues>, lost: number): Effect.Effect<WriteReport> =>
      Effect.match(spill.append(rows), {
        onSuccess: () => report(false, lost),
        onFailure: () => report(true, 0),
      })

    const write: Store["write"] = (records) =>
      Effect.suspend(() => {
        const rows = records.map(rowOrNone).filter(Predicate.isNotUndefined)
        const unspeakable = records.length - rows.length
        const directly = Effect.map(noting(writeRows(rows)), (lost) => report(false, lost + unspeakable))
        const elsewhere = spillRows(rows, unspeakable)
        if (fault === undefined) return Effect.catchAll(directly, () => elsewhere)
        // The spill's disk is the database's: where it takes nothing either, the database is asked after all.
        return Effect.filterOrElse(
          elsewhere,
          ({ refused }) => !refused,
          (nowhere) => Effect.orElseSucceed(directly, () => nowhere),
        )
      }).pipe(turn.withPermits(1))

    const becomeOwner = Effect.gen(function* () {
      if (owner !== undefined) return
      const scope = yield* Scope.make()
      const locked = yield* Effect.either(Scope.extend(lock(files), scope))
      shared = Either.isLeft(locked) && locked.left.kind === "locked"
      if (Either.isLeft(locked)) return yield* Scope.close(scope, Exit.void)
      owner = { scope }
    })

    const leftovers = Effect.gen(function* () {
      yield* becomeOwner
      if (owner !== undefined) yield* spill.adopt
      return yield* spill.peek
    })

    const drain = Effect.gen(function* () {
      const next = (yield* spill.peek) ?? (yield* leftovers)
      // Nothing to write: whether the database is well again is seen by opening it.
      if (next === undefined)
        return yield* Effect.as(noting(Effect.zipRight(closeLive, opened)), report(false, 0))
      const lost = next.rows.length === 0 ? 0 : yield* noting(writeRows(next.rows))
      yield* spill.advance
      return report(false, lost)
    }).pipe(
      Effect.catchAll((error) =>
        Effect.sync(() => {
          fault = error
          return report(false, 0)
        }),
      ),
      turn.withPermits(1),
    )

    yield* Effect.addFinalizer(() =>
      Effect.all([
        closeLive,
        spill.close,
        Effect.suspend(() => (owner ? Scope.close(owner.scope, Exit.void) : Effect.void)),
      ]),
    )
    return { write, drain }
  })
