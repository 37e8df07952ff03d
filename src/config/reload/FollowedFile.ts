/** The configuration of a file, which is followed while the gateway runs: edits, renames, replaced links and directories, and SIGHUP. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { CurrentConfig, type CurrentConfigService } from "../CurrentConfig.ts"
import type { Env } from "../file/ConfigFile.ts"
import type { ConfigInvalid } from "../file/ConfigInvalid.ts"
import { type ConfigUnreadable, readConfigText } from "../file/ConfigText.ts"
import { beginWith, type Reloading } from "./Reloading.ts"
import { makeWatch } from "./Watch.ts"

export interface FollowedFileOptions {
  /** The environment `${VAR}` refers to, read again on `reload` and SIGHUP. Default: the process's. */
  readonly env?: Effect.Effect<Env>
}

/** How often the file is read where no event tells of a change. */
const pollInterval: Duration.DurationInput = "5 seconds"

/** How often while it cannot be read: it was deleted, and perhaps its directory with it, so nothing may tell when it is back. */
const missingInterval: Duration.DurationInput = "500 millis"

/** A change counts as complete after this long without another … */
const quietMs = 100

/** … or after this long all the same. */
const longestUnrestMs = 500

/** Waits until the file has not been touched for a moment: editors and `cp` write in several steps. */
const settled = (wakes: Queue.Dequeue<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let unrest = 0; unrest < longestUnrestMs; unrest += quietMs) {
      yield* Effect.sleep(quietMs)
      if ((yield* Queue.takeAll(wakes)).length === 0) return
    }
  })

/** How long until the file is read again, should nothing tell of a change before. */
const pauseOf = (reloading: Reloading): Effect.Effect<Duration.DurationInput> => {
  const { heldUntil, isUnreadable } = reloading
  return heldUntil === undefined
    ? Effect.succeed(isUnreadable ? missingInterval : pollInterval)
    : Effect.map(Clock.currentTimeMillis, (now) => Math.max(0, heldUntil - now))
}

/** Checks the file whenever it may have changed, for as long as the scope is open. */
const followEdits = (
  path: string,
  reloading: Reloading,
  check: Effect.Effect<unknown>,
): Effect.Effect<void, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const wakes = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
    const watch = yield* makeWatch(path, Queue.offer(wakes, undefined))
    yield* Effect.gen(function* () {
      const woken = yield* Effect.timeoutOption(Queue.take(wakes), yield* pauseOf(reloading))
      if (woken._tag === "Some") yield* settled(wakes)
      yield* watch.renew
      yield* check
    }).pipe(
      Effect.catchAllCause((cause) => Effect.logError("following the configuration file failed once", cause)),
      Effect.forever,
      Effect.forkScoped,
    )
    yield* watch.renew
  })

/** Runs `action` at each SIGHUP, for as long as the scope is open. */
const onHangup = (action: Effect.Effect<unknown>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const hangups = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const listener = () => {
          hangups.unsafeOffer(undefined)
        }
        process.on("SIGHUP", listener)
        return listener
      }),
      (listener) => Effect.sync(() => process.off("SIGHUP", listener)),
    )
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(hangups), action)))
  })

/** Loads the file, or fails; then follows it for as long as the scope is open. */
const follow = (
  path: string,
  { env = Effect.sync((): Env => process.env) }: FollowedFileOptions,
): Effect.Effect<
  CurrentConfigService,
  ConfigInvalid | ConfigUnreadable,
  FileSystem.FileSystem | Scope.Scope
> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = Effect.provideService(readConfigText(path), FileSystem.FileSystem, fs)
    const reloading = yield* beginWith({ path, text, env })
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const reload = oneAtATime(reloading.follow(true))
    yield* followEdits(path, reloading, oneAtATime(reloading.follow(false)))
    // Whoever sends the signal looks into the log for what came of it.
    yield* onHangup(
      Effect.tap(reload, (outcome) =>
        outcome._tag === "Unchanged"
          ? Effect.logInfo(`configuration read again: nothing changed (${outcome.generation})`)
          : Effect.void,
      ),
    )
    return {
      snapshot: () => reloading.snapshot,
      status: Effect.sync(() => reloading.status),
      told: Effect.sync(() => reloading.told),
      reload,
      changes: reloading.changes,
    }
  })

/**
 * The configuration of the file at `path`. Fails if it cannot be used at the start; afterwards follows edits, atomic renames, replaced
 * links and directories, SIGHUP, and where no events arrive, a poll.
 */
export const layer = (
  path: string,
  options: FollowedFileOptions = {},
): Layer.Layer<CurrentConfig, ConfigInvalid | ConfigUnreadable, FileSystem.FileSystem> =>
  Layer.scoped(CurrentConfig, follow(path, options))
