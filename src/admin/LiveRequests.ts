/**
 * Requests of all processes as they finish. While somebody watches, one fiber asks all processes again and again for what finished since; each watcher
 * has a line of events that is bounded, and one that does not take them is let go of.
 */
import { randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { byColumn, valuesOf } from "../audit/sqlite/Rows.ts"
import { Fleet } from "../processes/Fleet.ts"
import type { FleetQuestion } from "../processes/FleetQuestion.ts"
import { Questions } from "../processes/Questions.ts"
import { FinishedRequests } from "../telemetry/FinishedRequests.ts"
import type { RequestRow } from "./api/RequestRow.ts"
import { FinishedRows, type FinishedSince } from "./FinishedRows.ts"
import { rowTold } from "./RowTold.ts"

/** Who watches. */
export interface Watcher {
  /** All processes are watched from now on. */
  readonly ready: () => void
  readonly finished: (rows: ReadonlyArray<RequestRow>) => void
  /** So many cannot be told. */
  readonly missed: (many: number) => void
  /** Some time has passed. */
  readonly tick: (now: number) => void
}

export class LiveRequests extends Context.Tag("sluice/LiveRequests")<
  LiveRequests,
  {
    readonly watch: (watcher: Watcher) => Effect.Effect<void, never, Scope.Scope>
    /** Whether one more may watch. */
    readonly hasRoom: () => boolean
  }
>() {}

const finishedQuestion: FleetQuestion<FinishedSince> = {
  name: "finished",
  isAnswer: (said): said is FinishedSince => Predicate.hasProperty(said, "rows"),
}

/** How long a pause is between two questions. */
const everyMs = 200

/** Each watcher of a process costs it something for every request. */
export const mostWatchers = 256

const sinceIn = (about: unknown, process: string): number | undefined => {
  const since = Predicate.hasProperty(about, process) ? about[process] : undefined
  return typeof since === "number" ? since : undefined
}

/** Has this process answer what finished in it. */
const answering = Effect.gen(function* () {
  const clock = yield* Effect.clock
  const process = randomBytes(8).toString("hex")
  const rows = new FinishedRows(process, () => clock.unsafeCurrentTimeMillis())
  yield* (yield* FinishedRequests).hear((record) => rows.put(() => rowTold(byColumn(valuesOf(record, "")))))
  yield* (yield* Questions).answer(finishedQuestion, (about) =>
    Effect.sync(() => rows.since(sinceIn(about, process))),
  )
})

/** The watchers of this process, and what was told of each process last. Mutable on purpose. */
class Watching {
  readonly #fleet: Fleet["Type"]
  readonly #watchers = new Set<Watcher>()
  readonly #fresh = new Set<Watcher>()
  #last: Record<string, number> = {}
  #isAsking = false

  constructor(fleet: Fleet["Type"]) {
    this.#fleet = fleet
  }

  /** Whether somebody has to begin asking. */
  add(watcher: Watcher): boolean {
    this.#fresh.add(watcher)
    const begins = !this.#isAsking
    this.#isAsking = true
    return begins
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher)
    this.#fresh.delete(watcher)
  }

  get size(): number {
    return this.#watchers.size + this.#fresh.size
  }

  /** Asks until nobody watches. */
  readonly ask: Effect.Effect<void> = Effect.gen(this, function* () {
    this.#last = {}
    while (this.size > 0) {
      const fresh = [...this.#fresh]
      const said = yield* this.#fleet.ask(finishedQuestion, { ...this.#last })
      this.#tell(said)
      for (const watcher of fresh) {
        if (!this.#fresh.delete(watcher)) continue
        this.#watchers.add(watcher)
        watcher.ready()
      }
      const now = yield* Clock.currentTimeMillis
      for (const watcher of this.#watchers) watcher.tick(now)
      yield* Effect.sleep(everyMs)
    }
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        this.#isAsking = false
      }),
    ),
  )

  #tell(said: ReadonlyArray<FinishedSince>): void {
    const rows = said.flatMap(({ rows }) => rows)
    const missed = said.reduce((sum, one) => sum + one.missed, 0)
    for (const { last, process } of said) this.#last[process] = last
    for (const watcher of this.#watchers) {
      if (rows.length > 0) watcher.finished(rows)
      if (missed > 0) watcher.missed(missed)
    }
  }
}

export const layer = Layer.scoped(
  LiveRequests,
  Effect.gen(function* () {
    yield* answering
    const scope = yield* Effect.scope
    const watching = new Watching(yield* Fleet)
    return LiveRequests.of({
      hasRoom: () => watching.size < mostWatchers,
      watch: (watcher) =>
        Effect.acquireRelease(
          Effect.suspend(() =>
            watching.add(watcher) ? Effect.asVoid(Effect.forkIn(watching.ask, scope)) : Effect.void,
          ),
          () => Effect.sync(() => watching.remove(watcher)),
        ),
    })
  }),
)
