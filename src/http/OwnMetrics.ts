/** What this process knows of itself, as its metrics read: the same that `/health` tells. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentConfig } from "../config/CurrentConfig.ts"
import type { ProcessHealth, UpstreamHealth } from "../processes/ProcessHealth.ts"
import { Questions } from "../processes/Questions.ts"
import { gptApi } from "../telemetry/metrics/GptApiInstruments.ts"
import { read } from "../telemetry/metrics/Instruments.ts"
import { Metrics } from "../telemetry/metrics/Metrics.ts"
import { type NumberRead, type Readings, readingsOf } from "../telemetry/metrics/Readings.ts"
import { pathLabel } from "../telemetry/metrics/RequestLabels.ts"
import { runtimeReadings } from "../telemetry/metrics/RuntimeReadings.ts"
import { version } from "../version.ts"
import { metricsQuestion, packed } from "./MetricsPage.ts"

/** Rows of the audit. */
interface AuditCounts {
  readonly queued: number
  readonly spilled: number
  readonly lost: number
  readonly kept: number
}

/** What any process knows, a primary that serves nothing too. */
export interface Known {
  readonly audit: AuditCounts
  /** It writes to the database, rather than hand its rows to who does. */
  readonly keepsAudit: boolean
  readonly config: {
    readonly generation: number
    readonly loadedAt: number
    readonly reloads: number
    readonly refused: number
    readonly hash: string
  }
  readonly node: string
  /** Requests of each endpoint under way. */
  readonly active: ReadonlyMap<string, number>
  /** Spans that were never exported; none of a process that makes none. */
  readonly tracesDropped: number | undefined
  /** None of a primary. */
  readonly health: ProcessHealth | undefined
}

const breakerStates = { closed: 0, half_open: 1, open: 2 } as const

const ofUpstream = ({
  in_flight,
  models,
  name,
  openings_total,
  state,
  waiting,
}: UpstreamHealth): ReadonlyArray<NumberRead> => [
  [read.clientActive, [name], in_flight],
  [read.clientWaiting, [name], waiting],
  [read.breaker, [name], breakerStates[state]],
  [read.openings, [name], openings_total],
  [read.setAside, [name], models.filter(({ state }) => state !== "closed").length],
]

const ofHealth = ({
  connections,
  log,
  requests,
  strangers,
  upstreams,
}: ProcessHealth): ReadonlyArray<NumberRead> => [
  ...upstreams.flatMap(ofUpstream),
  [read.buffered, [], requests.buffered_bytes],
  [read.connections, [], connections.open],
  [read.refusedConnections, [], connections.refused],
  [read.displacedConnections, [], connections.displaced],
  [read.turnedAway, [], strangers.turned_away],
  [read.dropped, ["log"], log.dropped],
]

const ownReadings = ({ active, audit, config, health, keepsAudit, node, tracesDropped }: Known): Readings =>
  readingsOf([
    ...[...active].flatMap(
      ([endpoint, count]): ReadonlyArray<NumberRead> => [
        [read.active, [endpoint], count],
        [gptApi.active, [pathLabel(endpoint), "", ""], count],
      ],
    ),
    ...(health === undefined ? [] : ofHealth(health)),
    ...(keepsAudit ? [[read.rows, ["kept"], audit.kept] as const] : []),
    [read.rows, ["lost"], audit.lost],
    [read.auditLost, [], audit.lost],
    [read.auditQueue, [], audit.queued],
    [read.auditSpilled, [], audit.spilled],
    [read.reloads, ["replaced"], config.reloads],
    [read.reloads, ["rejected"], config.refused],
    [read.generation, [], config.generation],
    [read.loadedAt, [], config.loadedAt / 1000],
    [read.config, [config.hash], 1],
    [read.build, [version, node], 1],
    [read.processes, [], 1],
    ...(tracesDropped === undefined ? [] : [[read.dropped, ["traces"], tracesDropped] as const]),
  ])

/** Where a process learns what it knows. */
export interface Sources extends Pick<Known, "keepsAudit" | "node"> {
  readonly audit: Effect.Effect<AuditCounts>
  readonly health: Effect.Effect<ProcessHealth | undefined>
  readonly tracesDropped?: () => number
}

/** What this process reads. */
const readingsFrom = ({ audit, health, keepsAudit, node, tracesDropped }: Sources) =>
  Effect.gen(function* () {
    const runtime = yield* runtimeReadings(yield* Clock.currentTimeMillis)
    const { active, readings } = yield* Metrics
    const { snapshot, status } = yield* CurrentConfig
    const known = Effect.map(Effect.all({ audit, config: status, health }), ({ audit, config, health }) =>
      ownReadings({
        active: active(),
        audit,
        keepsAudit,
        config: { ...config, hash: snapshot().hash },
        node,
        tracesDropped: tracesDropped?.(),
        health,
      }),
    )
    return {
      readings: Effect.map(
        Effect.all([readings, runtime, known]),
        ([recorded, ofRuntime, own]): Readings => ({ ...recorded, ...ofRuntime, ...own }),
      ),
    }
  })

/** Has this process answer what its metrics read; gives what that is. */
export const answerMetrics = (sources: Sources) =>
  Effect.gen(function* () {
    const { readings } = yield* readingsFrom(sources)
    const { answer } = yield* Questions
    yield* answer(metricsQuestion, () => Effect.flatMap(readings, packed))
    return { readings }
  })
