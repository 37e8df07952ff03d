/** Which configuration a command means, and reading it as the server would. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as environment from "../config/Environment.ts"
import { type LoadedConfig, loadConfig, type Problem, type ReadOptions } from "../config/file/ConfigFile.ts"
import { readConfigText } from "../config/file/ConfigText.ts"
import { CliFailure } from "./CliFailure.ts"
import type { Named } from "./Command.ts"

export const configOption = {
  value: "FILE",
  help: "the configuration; else CONFIG_PATH, else config/config.yaml",
} as const

export const configVariable: Named = ["CONFIG_PATH", "the configuration (config/config.yaml)"]

/** What the command line names, else the environment, else the default. */
export const configPath = (named: string | undefined): Effect.Effect<string> =>
  named === undefined ? Effect.orDie(environment.configPath) : Effect.succeed(named)

/** A file that was read, and what was found in it. */
export interface ReadConfig {
  readonly text: string
  /** Every user of the machine may read it. */
  readonly isOpen: boolean
  readonly loaded: Either.Either<LoadedConfig, ReadonlyArray<Problem>>
}

/** Reads and checks the file; fails only where it cannot be read at all. */
export const readConfig = (
  path: string,
  reading: ReadOptions = {},
): Effect.Effect<ReadConfig, CliFailure, FileSystem.FileSystem> =>
  readConfigText(path).pipe(
    Effect.map(({ isOpen, text }) => ({ text, isOpen, loaded: loadConfig(text, process.env, reading) })),
    Effect.catchTag(
      "ConfigUnreadable",
      ({ isMissing, message }) =>
        new CliFailure({
          exitCode: 1,
          message: isMissing ? `${message}; name yours on the command line, or by CONFIG_PATH` : message,
        }),
    ),
  )
