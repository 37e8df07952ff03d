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
import { LiveRows } from "./LiveRows.ts"
import type { RowValues } from "./Rows.ts"
import { makeSpill, type Spill } from "./Spill.ts"

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

/** Mutable on purpose: one thread, one turn at a time. */
class FileStore {
  readonly #files: AuditFiles
  readonly #spill: Spill
  readonly #live: LiveRows
  #fault: DatabaseFault | undefined
  #owner: Scope.CloseableScope | undefined
  /** Another gateway has the lock. */
  #isShared = false
  #reportedVanished = 0

  constructor(files: AuditFiles, spill: Spill) {
    this.#files = files
    this.#spill = spill
    this.#live = new LiveRows(files)
  }

  write(records: ReadonlyArray<QueuedRecord>): Effect.Effect<WriteReport> {
    const rows = records.map(rowOrNone).filter(Predicate.isNotUndefined)
    const unspeakable = records.length - rows.length
    const directly = Effect.map(this.#noting(this.#live.write(rows)), (lost) =>
      this.#report(false, lost + unspeakable),
    )
    const elsewhere = this.#spillRows(rows, unspeakable)
    if (this.#fault === undefined) return Effect.catchAll(directly, () => elsewhere)
    // The spill's disk is the database's: where it takes nothing either, the database is asked after all.
    return Effect.filterOrElse(
      elsewhere,
      ({ refused }) => !refused,
      (nowhere) => Effect.orElseSucceed(directly, () => nowhere),
    )
  }

  drain(): Effect.Effect<WriteReport> {
    return Effect.catchAll(this.#drainSome(), (fault) =>
      Effect.sync(() => {
        this.#fault = fault
        return this.#report(false, 0)
      }),
    )
  }

  close(): Effect.Effect<void> {
    const unlock = this.#owner === undefined ? Effect.void : Scope.close(this.#owner, Exit.void)
    return Effect.all([this.#live.close(), this.#spill.close, unlock], { discard: true })
  }

  #drainSome(): Effect.Effect<WriteReport, DatabaseFault> {
    return Effect.gen(this, function* () {
      const next = (yield* this.#spill.peek) ?? (yield* this.#leftovers())
      // Nothing to write: whether the database is well again is seen by opening it. That its disk has room again is seen by writing alone.
      if (next === undefined) {
        yield* this.#fault?.kind === "full" ? this.#live.reopen() : this.#noting(this.#live.reopen())
        return this.#report(false, 0)
      }
      const lost = next.rows.length === 0 ? 0 : yield* this.#noting(this.#live.write(next.rows))
      yield* this.#spill.advance
      return this.#report(false, lost)
    })
  }

  /** What other runs left in the spill. */
  #leftovers() {
    return Effect.gen(this, function* () {
      yield* this.#becomeOwner()
      if (this.#owner !== undefined) yield* this.#spill.adopt
      return yield* this.#spill.peek
    })
  }

  #becomeOwner(): Effect.Effect<void> {
    if (this.#owner !== undefined) return Effect.void
    return Effect.gen(this, function* () {
      const scope = yield* Scope.make()
      const locked = yield* Effect.either(Scope.extend(lock(this.#files), scope))
      this.#isShared = Either.isLeft(locked) && locked.left.kind === "locked"
      if (Either.isLeft(locked)) return yield* Scope.close(scope, Exit.void)
      this.#owner = scope
    })
  }

  #spillRows(rows: ReadonlyArray<RowValues>, lost: number): Effect.Effect<WriteReport> {
    return Effect.match(this.#spill.append(rows), {
      onSuccess: () => this.#report(false, lost),
      onFailure: () => this.#report(true, 0),
    })
  }

  #noting<A>(effect: Effect.Effect<A, DatabaseFault>): Effect.Effect<A, DatabaseFault> {
    const note = (fault: DatabaseFault | undefined) =>
      Effect.sync(() => {
        this.#fault = fault
      })
    return Effect.tapBoth(effect, { onFailure: note, onSuccess: () => note(undefined) })
  }

  #report(refused: boolean, lost: number): WriteReport {
    const vanished = this.#spill.vanished() - this.#reportedVanished
    this.#reportedVanished += vanished
    return {
      refused,
      spilled: this.#spill.waiting(),
      // Where another gateway drains, it may be the one that took them.
      lost: lost + (this.#owner === undefined ? 0 : vanished),
      fault: this.#fault?.message,
      locked: this.#fault?.kind === "locked",
      owner: this.#owner !== undefined,
      shared: this.#isShared,
      oldestMonth: this.#live.oldestMonth,
    }
  }
}

export const makeStore = (files: AuditFiles): Effect.Effect<Store, never, Scope.Scope> =>
  Effect.gen(function* () {
    const store = new FileStore(files, makeSpill(files, yield* newRun))
    const turn = (yield* Effect.makeSemaphore(1)).withPermits(1)
    yield* Effect.addFinalizer(() => store.close())
    return {
      write: (records) => turn(Effect.suspend(() => store.write(records))),
      drain: turn(Effect.suspend(() => store.drain())),
    }
  })
