/** Which configuration a command means, and reading it as the server would. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import { type LoadedConfig, loadConfig, type Problem, textOfBytes } from "../config/ConfigFile.ts"
import * as environment from "../config/Environment.ts"
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

/** Reads and checks the file; fails only where it cannot be read at all. */
export const readConfig = (
  path: string,
): Effect.Effect<Either.Either<LoadedConfig, ReadonlyArray<Problem>>, CliFailure, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const bytes = yield* Effect.mapError(
      files.readFile(path),
      (error) =>
        new CliFailure({
          exitCode: 1,
          message:
            error._tag === "SystemError" && error.reason === "NotFound"
              ? `${path}: there is no such file; name the configuration, or set CONFIG_PATH`
              : `${path}: cannot be read: ${error.message}`,
        }),
    )
    const text = textOfBytes(bytes)
    if (text === undefined) {
      return yield* new CliFailure({ exitCode: 1, message: `${path}: is not UTF-8 text; save it as UTF-8` })
    }
    return loadConfig(text, process.env)
  })
