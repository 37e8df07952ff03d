/** How what the file says replaces the configuration in force, or does not: a bad edit changes nothing. */
import { basename } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type ConfigStatus, type ConfigTold, ReloadOutcome } from "../CurrentConfig.ts"
import { type Env, type KeyList, type LoadedConfig, loadConfig } from "../file/ConfigFile.ts"
import { ConfigInvalid, summary } from "../file/ConfigInvalid.ts"
import { type ConfigText, type ConfigUnreadable, openFile } from "../file/ConfigText.ts"
import type { Problem } from "../file/Problem.ts"
import type { Snapshot } from "../Snapshot.ts"
import { makeSnapshot } from "../Snapshots.ts"
import type { GatewayConfig } from "../schema/GatewayConfig.ts"
import { changesBetween, describeChanges, isUnchanged, keyListsOf, takesAway } from "./Changes.ts"
import { logProxies, logRejected, logWarnings } from "./ReloadLog.ts"

/**
 * A change that takes clients or access keys away is in force so long after the file was last written: one that is written in several
 * steps may be a good configuration in between, which lets in who should not. Less than the second in which edits take effect.
 */
const holdMs = 930

/** Stands for the content of a file that cannot be read. */
const unreadableKey = "\u0000unreadable"

/** Where a configuration comes from. */
export interface ConfigSource {
  readonly path: string
  readonly text: Effect.Effect<ConfigText, ConfigUnreadable>
  /** The environment `${VAR}` refers to. */
  readonly env: Effect.Effect<Env>
}

/** What holds between reloads. Replaced as a whole, so that a reader without a fiber sees one state. */
interface State {
  readonly text: string
  readonly config: GatewayConfig
  readonly snapshot: Snapshot
  readonly lastError: string | null
  readonly lastErrorAt: number | null
  /** Of the last error, where it was in what the file says. */
  readonly problems: ReadonlyArray<Problem>
  /** What was found bad last, to be told once. */
  readonly rejected: string | undefined
  /** What is not in force yet because more may be written, and when it will be. */
  readonly held: { readonly text: string; readonly until: number } | undefined
}

const load = (
  { env, path }: ConfigSource,
  text: string,
  keysInForce: ReadonlyArray<KeyList> = [],
): Effect.Effect<LoadedConfig, ConfigInvalid> =>
  Effect.flatMap(env, (variables) =>
    Either.mapLeft(
      loadConfig(text, variables, { keysInForce }),
      (problems) => new ConfigInvalid({ path, problems }),
    ),
  )

const snapshotOf = (
  { env }: ConfigSource,
  config: GatewayConfig,
  generation: number,
): Effect.Effect<Snapshot> =>
  Effect.map(Effect.all({ loadedAt: Clock.currentTimeMillis, env }), (now) =>
    makeSnapshot(config, { generation, ...now }),
  )

/** The configuration in force, and what becomes of it. Its members that read the file run one at a time. */
export class Reloading {
  readonly #source: ConfigSource
  readonly #replaced: PubSub.PubSub<Snapshot>
  #state: State
  #refused = 0

  constructor(source: ConfigSource, replaced: PubSub.PubSub<Snapshot>, first: State) {
    this.#source = source
    this.#replaced = replaced
    this.#state = first
  }

  get snapshot(): Snapshot {
    return this.#state.snapshot
  }

  get status(): ConfigStatus {
    const { lastError, lastErrorAt, snapshot } = this.#state
    const { generation, loadedAt } = snapshot
    return {
      generation,
      loadedAt,
      lastError,
      lastErrorAt,
      reloads: generation - 1,
      refused: this.#refused,
    }
  }

  /** What its operator may know. */
  get told(): ConfigTold {
    const { lastError, problems, text } = this.#state
    return { path: this.#source.path, text, problems: lastError === null ? [] : problems }
  }

  /** The snapshot in force, then each that replaces it. */
  get changes(): Stream.Stream<Snapshot> {
    return Stream.unwrapScoped(
      Effect.map(PubSub.subscribe(this.#replaced), (later) =>
        Stream.sync(() => this.snapshot).pipe(
          Stream.concat(Stream.fromQueue(later)),
          // One that was published between subscribing and reading comes twice.
          Stream.changesWith((before, after) => before.generation === after.generation),
        ),
      ),
    )
  }

  /** The file could not be read when it was looked at last. */
  get isUnreadable(): boolean {
    return this.#state.rejected?.startsWith(unreadableKey) === true
  }

  /** When what is not in force yet will be, in epoch milliseconds. */
  get heldUntil(): number | undefined {
    return this.#state.held?.until
  }

  /** Reads the file, and does what it says; `anew`: somebody asked, so even a text that is known is decoded, because the environment may have changed. */
  follow(anew: boolean): Effect.Effect<ReloadOutcome> {
    return Effect.gen(this, function* () {
      const read = yield* Effect.either(this.#source.text)
      if (Either.isLeft(read))
        return yield* this.#reject(read.left, `${unreadableKey} ${read.left.reason}`, anew)
      const { text } = read.right
      const { config, rejected, text: textInForce } = this.#state
      if (!anew && text === textInForce && text !== rejected) return yield* this.#keep()
      const loaded = yield* Effect.either(load(this.#source, text, keyListsOf(config)))
      if (Either.isLeft(loaded)) return yield* this.#reject(loaded.left, text, anew)
      // Whoever asks for a reload has finished writing.
      if (!anew && (yield* this.#hold(read.right, loaded.right)))
        return ReloadOutcome.Unchanged({ generation: this.snapshot.generation })
      return yield* this.#replace(text, loaded.right)
    })
  }

  /** The file is bad. It is told once, and again to who asks. */
  #reject(
    error: ConfigInvalid | ConfigUnreadable,
    content: string,
    anew: boolean,
  ): Effect.Effect<ReloadOutcome> {
    return Effect.gen(this, function* () {
      const isKnown = this.#state.rejected === content
      if (anew || !isKnown) this.#refused += 1
      if (!isKnown) {
        const lastErrorAt = yield* Clock.currentTimeMillis
        const lastError = summary(error)
        const problems = error._tag === "ConfigInvalid" ? error.problems : []
        this.#state = { ...this.#state, lastError, lastErrorAt, problems, rejected: content, held: undefined }
      }
      if (anew || !isKnown) yield* logRejected(error)
      return ReloadOutcome.Rejected({ error })
    })
  }

  /** The file says again what is in force: whatever was wrong with it is over. */
  #keep(): Effect.Effect<ReloadOutcome> {
    return Effect.gen(this, function* () {
      const { rejected, snapshot } = this.#state
      this.#state = { ...this.#state, held: undefined }
      if (rejected !== undefined) {
        this.#state = { ...this.#state, lastError: null, rejected: undefined }
        yield* Effect.logInfo(
          `${basename(this.#source.path)} is good again; the configuration in force is the one it says (${snapshot.generation})`,
        )
      }
      return ReloadOutcome.Unchanged({ generation: snapshot.generation })
    })
  }

  /** Whether what was read is not to be in force yet; remembers until when. */
  #hold({ text, writtenAt }: ConfigText, { config }: LoadedConfig): Effect.Effect<boolean> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const { config: before, held } = this.#state
      if (!takesAway(before, config)) return false
      // A file's time may be by another clock; its writer's is not believed where it lies ahead.
      const until = held?.text === text ? held.until : Math.min(writtenAt ?? now, now) + holdMs
      if (now >= until) return false
      this.#state = { ...this.#state, held: { text, until } }
      return true
    })
  }

  #replace(text: string, loaded: LoadedConfig): Effect.Effect<ReloadOutcome> {
    return Effect.gen(this, function* () {
      const before = this.#state
      const { config } = loaded
      const changes = changesBetween(before.config, config)
      if (text === before.text && isUnchanged(changes)) return yield* this.#keep()
      const generation = before.snapshot.generation + 1
      const snapshot = yield* snapshotOf(this.#source, config, generation)
      const over = { lastError: null, rejected: undefined, held: undefined }
      yield* this.#enforce({ ...before, ...over, text, config, snapshot })
      yield* logProxies(snapshot)
      yield* Effect.logInfo(`configuration reloaded (${generation}): ${describeChanges(changes)}`)
      yield* logWarnings(this.#source.path, loaded)
      return ReloadOutcome.Reloaded({ generation })
    })
  }

  /** Together, so that what is in force and what was told agree. */
  #enforce(next: State): Effect.Effect<void> {
    const put = Effect.sync(() => {
      this.#state = next
    })
    return Effect.uninterruptible(Effect.zipRight(put, PubSub.publish(this.#replaced, next.snapshot)))
  }
}

/** Loads the configuration for the first time, or fails. */
export const beginWith = (
  source: ConfigSource,
): Effect.Effect<Reloading, ConfigInvalid | ConfigUnreadable, Scope.Scope> =>
  Effect.gen(function* () {
    const { isOpen, text } = yield* source.text
    const loaded = yield* load(source, text)
    const { config } = loaded
    yield* logWarnings(source.path, loaded)
    if (isOpen && loaded.holdsKeys) yield* Effect.logWarning(`${source.path}: ${openFile}`)
    const snapshot = yield* snapshotOf(source, config, 1)
    yield* logProxies(snapshot)
    const replaced = yield* Effect.acquireRelease(PubSub.unbounded<Snapshot>(), PubSub.shutdown)
    const clean = { lastError: null, lastErrorAt: null, problems: [], rejected: undefined, held: undefined }
    return new Reloading(source, replaced, { ...clean, text, config, snapshot })
  })
