/** What the log says of a configuration that was read. */
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import { type LoadedConfig, toldPublicly } from "../file/ConfigFile.ts"
import type { ConfigInvalid } from "../file/ConfigInvalid.ts"
import type { ConfigUnreadable } from "../file/ConfigText.ts"
import type { Snapshot } from "../Snapshot.ts"

/** Logs what is allowed and seldom meant. */
export const logWarnings = (path: string, { warnings }: LoadedConfig) =>
  Effect.forEach(
    warnings.filter(({ severity }) => severity === "warning"),
    (warning) => Effect.logWarning(toldPublicly(path, warning)),
    { discard: true },
  )

/** Logs which upstreams are reached through a proxy, without its credentials. */
export const logProxies = ({ routes }: Snapshot) => {
  const through = new Map<string, Array<string>>()
  for (const { name, proxy } of routes.upstreams) {
    if (proxy !== undefined) through.set(proxy.shown, [...(through.get(proxy.shown) ?? []), name])
  }
  return Effect.forEach(
    through,
    ([proxy, names]) => Effect.logInfo("calls go through a proxy", { proxy, clients: names.join(", ") }),
    { discard: true },
  )
}

/** How many problems of one file the log repeats; `sluice check` tells them all. */
const problemsInLog = 10

/** Logs why a file is not in force. */
export const logRejected = (error: ConfigInvalid | ConfigUnreadable) =>
  Effect.gen(function* () {
    const file = basename(error.path)
    if (error._tag === "ConfigUnreadable") {
      yield* Effect.logError(`${file} cannot be read; still serving the previous configuration`)
      return yield* Effect.logError(error.message)
    }
    yield* Effect.logError(`${file} has errors; still serving the previous configuration`)
    const told = error.problems.filter(({ severity }) => severity === "error")
    for (const problem of told.slice(0, problemsInLog)) {
      yield* Effect.logError(toldPublicly(error.path, problem))
    }
    if (told.length > problemsInLog) {
      yield* Effect.logError(
        `and ${told.length - problemsInLog} more: "sluice check ${error.path}" tells them all`,
      )
    }
  })
