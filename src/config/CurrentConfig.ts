/** The configuration in force, as those who obey it see it. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { ConfigInvalid } from "./file/ConfigInvalid.ts"
import type { ConfigUnreadable } from "./file/ConfigText.ts"
import type { Problem } from "./file/Problem.ts"
import type { Snapshot } from "./Snapshot.ts"

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
  /** How often another configuration came into force, and how often what the file said did not. */
  readonly reloads: number
  readonly refused: number
}

/** What its operator may know of the configuration in force and of its file. */
export interface ConfigTold {
  readonly path: string
  /** The file in force, as it was written: not to be shown as it is. */
  readonly text: string
  /** What is wrong with what the file says now; empty while that is in force, or where it cannot be read. */
  readonly problems: ReadonlyArray<Problem>
}

export interface CurrentConfigService {
  /** What is in force now; no effect, since every request asks. */
  readonly snapshot: () => Snapshot
  readonly status: Effect.Effect<ConfigStatus>
  readonly told: Effect.Effect<ConfigTold>
  /** Reads file and environment anew, as SIGHUP does. */
  readonly reload: Effect.Effect<ReloadOutcome>
  /** The snapshot in force, then each that replaces it. */
  readonly changes: Stream.Stream<Snapshot>
}

export class CurrentConfig extends Context.Tag("sluice/CurrentConfig")<
  CurrentConfig,
  CurrentConfigService
>() {}
