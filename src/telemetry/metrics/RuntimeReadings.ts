/** What the runtime knows of this process: its memory, the time it used, and how long its event loop kept others waiting. */
import { readdir } from "node:fs/promises"
import { monitorEventLoopDelay } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ofProcess } from "./Instruments.ts"
import { type Readings, readingsOf } from "./Readings.ts"

/** How often the delay is measured: the shortest that costs nothing to speak of. */
const lagResolutionMs = 20

const nanosPerSecond = 1e9
const microsPerSecond = 1e6

/** None where the system does not list them. */
const openFiles: Effect.Effect<number | undefined> = Effect.orElseSucceed(
  Effect.tryPromise(async () => (await readdir("/proc/self/fd")).length),
  () => undefined,
)

/** Seconds, of a delay that was measured so many times: its measure counts the wait for its own timer. */
const lagOf = (nanos: number): number =>
  Number.isFinite(nanos) ? Math.max(0, nanos / nanosPerSecond - lagResolutionMs / 1000) : 0

/**
 * Reads it, whenever asked.
 *
 * @param startedAt when this process began, in epoch milliseconds
 */
export const runtimeReadings = (
  startedAt: number,
): Effect.Effect<Effect.Effect<Readings>, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const lag = monitorEventLoopDelay({ resolution: lagResolutionMs })
        lag.enable()
        return lag
      }),
      (lag) => Effect.sync(() => void lag.disable()),
    ),
    (lag) =>
      Effect.map(openFiles, (files) => {
        const { external, heapUsed, rss } = process.memoryUsage()
        const { system, user } = process.cpuUsage()
        const readings = readingsOf([
          [ofProcess.cpu, [], (system + user) / microsPerSecond],
          [ofProcess.memory, [], rss],
          [ofProcess.startedAt, [], startedAt / 1000],
          ...(files === undefined ? [] : [[ofProcess.openFiles, [], files] as const]),
          [ofProcess.heap, [], heapUsed],
          [ofProcess.external, [], external],
          [ofProcess.lag, [], lagOf(lag.mean)],
          [ofProcess.lagP99, [], lagOf(lag.percentile(99))],
          [ofProcess.lagMax, [], lagOf(lag.max)],
        ])
        lag.reset()
        return readings
      }),
  )
