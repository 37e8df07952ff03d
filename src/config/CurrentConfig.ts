/** The configuration in force, and its replacement while the gateway runs: a bad edit changes nothing. */
import { basename } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Env, type KeyList, type LoadedConfig, loadConfig } from "./file/ConfigFile.ts"
import { type ConfigText, ConfigUnreadable, openFile, readConfigText } from "./file/ConfigText.ts"
import { changesBetween, describeChanges, isUnchanged, keyListsOf, takesAway } from "./reload/Changes.ts"
import { ConfigInvalid, logProxies, logRejected, logWarnings, summary } from "./reload/Told.ts"
import { makeWatch } from "./reload/Watch.ts"
import type { Snapshot } from "./Snapshot.ts"
import { makeSnapshot } from "./Snapshots.ts"
import type { GatewayConfig } from "./schema/GatewayConfig.ts"

export { ConfigInvalid, ConfigUnreadable }

/** What a reload came to. */
export type ReloadOutcome = Data.TaggedEnum<{
  Reloaded: { readonly generation: number }
  /** The configuration in force is what the file says. */
  Unchanged: { readonly generation: number }
  /** The configuration in force stays; the file's is bad. */
  Rejected: { readonly error: ConfigInvalid | ConfigUnreadable }
}>

export const ReloadOutcome = Data.taggedEnum<ReloadOutcome>()

export interface ConfigStatus {
  readonly generation: number
  /** Epoch milliseconds. */
  readonly loadedAt: number
  /** The first problems of what the file says now, on one line; null while that is in force. */
  readonly lastError: string | null
  /** Epoch milliseconds of when the last error was found; it stays after the error is gone. */
  readonly lastErrorAt: number | null
}

export interface CurrentConfigService {
  readonly get: Effect.Effect<Snapshot>
  /** `get` without an effect, for the way of a request. */
  readonly snapshot: () => Snapshot
  readonly status: Effect.Effect<ConfigStatus>
  /** Reads file and environment anew, as SIGHUP does. */
  readonly reload: Effect.Effect<ReloadOutcome>
  /** The snapshot in force, then each that replaces it. */
  readonly changes: Stream.Stream<Snapshot>
}

export class CurrentConfig extends Context.Tag("sluice/CurrentConfig")<
  CurrentConfig,
  CurrentConfigService
>() {}

export interface CurrentConfigOptions {
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

/**
 * A change that takes clients or access keys away is in force so long after the file was last written: one that is written in several
 * steps may be a good configuration in between, which lets in who should not. Less than the second in which edits take effect.
 */
const holdMs = 930

/** What holds between reloads. Replaced as a whole, so that a reader without a fiber sees one state. */
interface State {
  readonly text: string
  readonly config: GatewayConfig
  readonly snapshot: Snapshot
  readonly lastError: string | null
  readonly lastErrorAt: number | null
  /** What was found bad last, to be told once. */
  readonly rejected: string | undefined
  /** What is not in force yet because more may be written, and when it will be. */
  readonly held: { readonly text: string; readonly until: number } | undefined
}

/** Loads the file, or fails; then follows it for as long as the scope is open. */
const make = (
  path: string,
  options: CurrentConfigOptions,
): Effect.Effect<
  CurrentConfigService,
  ConfigInvalid | ConfigUnreadable,
  FileSystem.FileSystem | Scope.Scope
> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const readText = Effect.provideService(readConfigText(path), FileSystem.FileSystem, fs)
    const readEnv = options.env ?? Effect.sync((): Env => process.env)
    const load = (
      text: string,
      keysInForce: ReadonlyArray<KeyList> = [],
    ): Effect.Effect<LoadedConfig, ConfigInvalid> =>
      Effect.flatMap(readEnv, (env) =>
        Either.mapLeft(
          loadConfig(text, env, { keysInForce }),
          (problems) => new ConfigInvalid({ path, problems }),
        ),
      )

    const { isOpen, text: firstText } = yield* readText
    const first = yield* load(firstText)
    yield* logWarnings(path, first)
    if (isOpen && first.holdsKeys) yield* Effect.logWarning(openFile(path))
    const state = MutableRef.make<State>({
      text: firstText,
      config: first.config,
      snapshot: makeSnapshot(first.config, {
        generation: 1,
        loadedAt: yield* Clock.currentTimeMillis,
        env: yield* readEnv,
      }),
      lastError: null,
      lastErrorAt: null,
      rejected: undefined,
      held: undefined,
    })
    yield* logProxies(MutableRef.get(state).snapshot)
    const replaced = yield* Effect.acquireRelease(PubSub.unbounded<Snapshot>(), PubSub.shutdown)

    /** `anew`: somebody asked, and is told again what is wrong. */
    const reject = (error: ConfigInvalid | ConfigUnreadable, content: string, anew: boolean) =>
      Effect.gen(function* () {
        const { rejected } = MutableRef.get(state)
        if (rejected === content) {
          if (anew) yield* logRejected(error)
        } else {
          const lastErrorAt = yield* Clock.currentTimeMillis
          MutableRef.update(state, (before) => ({
            ...before,
            lastError: summary(error),
            lastErrorAt,
            rejected: content,
            held: undefined,
          }))
          yield* logRejected(error)
        }
        return ReloadOutcome.Rejected({ error })
      })

    const release = (): void => {
      MutableRef.update(state, (before) =>
        before.held === undefined ? before : { ...before, held: undefined },
      )
    }

    /** The file says again what is in force: whatever was wrong with it is over. */
    const keep = Effect.gen(function* () {
      const { rejected, snapshot } = MutableRef.get(state)
      release()
      if (rejected !== undefined) {
        MutableRef.update(state, (before) => ({ ...before, lastError: null, rejected: undefined }))
        yield* Effect.logInfo(
          `${basename(path)} is good again; the configuration in force is the one it says (${snapshot.generation})`,
        )
      }
      return ReloadOutcome.Unchanged({ generation: snapshot.generation })
    })

    /** Whether what was read is not to be in force yet; remembers until when. */
    const hold = ({ text, writtenAt }: ConfigText, { config }: LoadedConfig) =>
      Effect.gen(function* () {
        const { config: before, held } = MutableRef.get(state)
        if (!takesAway(before, config)) return false
        const now = yield* Clock.currentTimeMillis
        // A file's time may be by another clock; its writer's is not believed where it lies ahead.
        const until = held?.text === text ? held.until : Math.min(writtenAt ?? now, now) + holdMs
        if (now >= until) return false
        MutableRef.update(state, (it) => ({ ...it, held: { text, until } }))
        return true
      })

    const replace = (text: string, loaded: LoadedConfig) =>
      Effect.gen(function* () {
        const before = MutableRef.get(state)
        const changes = changesBetween(before.config, loaded.config)
        if (text === before.text && isUnchanged(changes)) return yield* keep
        const generation = before.snapshot.generation + 1
        const snapshot = makeSnapshot(loaded.config, {
          generation,
          loadedAt: yield* Clock.currentTimeMillis,
          env: yield* readEnv,
        })
        const next = {
          ...before,
          text,
          config: loaded.config,
          snapshot,
          lastError: null,
          rejected: undefined,
          held: undefined,
        }
        // Together, so that what is in force and what was told agree.
        yield* Effect.uninterruptible(
          Effect.zipRight(
            Effect.sync(() => MutableRef.set(state, next)),
            PubSub.publish(replaced, snapshot),
          ),
        )
        yield* logProxies(snapshot)
        yield* Effect.logInfo(`configuration reloaded (${generation}): ${describeChanges(changes)}`)
        yield* logWarnings(path, loaded)
        return ReloadOutcome.Reloaded({ generation })
      })

    const unreadableKey = "\u0000unreadable"

    /** `anew`: decode even a text that is known, because the environment may have changed. */
    const follow = (anew: boolean): Effect.Effect<ReloadOutcome> =>
      Effect.gen(function* () {
        const read = yield* Effect.either(readText)
        if (Either.isLeft(read)) return yield* reject(read.left, `${unreadableKey} ${read.left.reason}`, anew)
        const { text } = read.right
        const { config, text: textInForce, rejected } = MutableRef.get(state)
        if (!anew && text === textInForce && text !== rejected) return yield* keep
        const loaded = yield* Effect.either(load(text, keyListsOf(config)))
        if (Either.isLeft(loaded)) return yield* reject(loaded.left, text, anew)
        // Whoever asks for a reload has finished writing.
        if (!anew && (yield* hold(read.right, loaded.right))) {
          return ReloadOutcome.Unchanged({ generation: MutableRef.get(state).snapshot.generation })
        }
        return yield* replace(text, loaded.right)
      })

    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const reload = oneAtATime(follow(true))
    const check = oneAtATime(follow(false))

    const wakes = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
    const watch = yield* makeWatch(path, Queue.offer(wakes, undefined))

    /** Waits until the file has not been touched for a moment: editors and `cp` write in several steps. */
    const settle = Effect.gen(function* () {
      for (let unrest = 0; unrest < longestUnrestMs; unrest += quietMs) {
        yield* Effect.sleep(quietMs)
        if ((yield* Queue.takeAll(wakes)).length === 0) return
      }
    })

    yield* Effect.gen(function* () {
      const { held, rejected } = MutableRef.get(state)
      const pause =
        held !== undefined
          ? Math.max(0, held.until - (yield* Clock.currentTimeMillis))
          : rejected?.startsWith(unreadableKey) === true
            ? missingInterval
            : pollInterval
      const woken = yield* Effect.timeoutOption(Queue.take(wakes), pause)
      if (woken._tag === "Some") yield* settle
      yield* watch.renew
      yield* check
    }).pipe(
      Effect.catchAllCause((cause) => Effect.logError("following the configuration file failed once", cause)),
      Effect.forever,
      Effect.forkScoped,
    )
    yield* watch.renew
    // Whoever sends the signal looks into the log for what came of it.
    yield* onHangup(
      Effect.tap(reload, (outcome) =>
        outcome._tag === "Unchanged"
          ? Effect.logInfo(`configuration read again: nothing changed (${outcome.generation})`)
          : Effect.void,
      ),
    )

    return {
      get: Effect.sync(() => MutableRef.get(state).snapshot),
      snapshot: () => MutableRef.get(state).snapshot,
      status: Effect.sync(() => {
        const { snapshot, lastError, lastErrorAt } = MutableRef.get(state)
        return { generation: snapshot.generation, loadedAt: snapshot.loadedAt, lastError, lastErrorAt }
      }),
      reload,
      changes: Stream.unwrapScoped(
        Effect.map(PubSub.subscribe(replaced), (later) =>
          Stream.sync(() => MutableRef.get(state).snapshot).pipe(
            Stream.concat(Stream.fromQueue(later)),
            // One that was published between subscribing and reading comes twice.
            Stream.changesWith((before, after) => before.generation === after.generation),
          ),
        ),
      ),
    }
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

/**
 * The configuration of the file at `path`. Fails if it cannot be used at the start; afterwards follows edits, atomic renames, replaced
 * links and directories, SIGHUP, and where no events arrive, a poll.
 */
export const layer = (
  path: string,
  options: CurrentConfigOptions = {},
): Layer.Layer<CurrentConfig, ConfigInvalid | ConfigUnreadable, FileSystem.FileSystem> =>
  Layer.scoped(CurrentConfig, make(path, options))

/** A configuration that never changes. */
export const layerFixed = (snapshot: Snapshot): Layer.Layer<CurrentConfig> =>
  Layer.succeed(CurrentConfig, {
    get: Effect.succeed(snapshot),
    snapshot: () => snapshot,
    status: Effect.succeed({
      generation: snapshot.generation,
      loadedAt: snapshot.loadedAt,
      lastError: null,
      lastErrorAt: null,
    }),
    reload: Effect.succeed(ReloadOutcome.Unchanged({ generation: snapshot.generation })),
    changes: Stream.make(snapshot),
  })
