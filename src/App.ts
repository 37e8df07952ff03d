/** The whole gateway as one layer: the only file that wires across folders. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as OpenRequests from "./access/OpenRequests.ts"
import * as Strangers from "./access/Strangers.ts"
import * as ActiveWatch from "./admin/ActiveWatch.ts"
import * as AdminApp from "./admin/AdminApp.ts"
import { CallersPort, Leaving } from "./admin/AdminQuestion.ts"
import * as AttemptWatch from "./admin/AttemptWatch.ts"
import * as Dashboard from "./admin/Dashboard.ts"
import * as LiveRequests from "./admin/LiveRequests.ts"
import * as Aside from "./aside/Aside.ts"
import { Audit, AuditIntake } from "./audit/Audit.ts"
import * as AuditLayer from "./audit/AuditLayer.ts"
import { parseAuditUrl } from "./audit/AuditUrl.ts"
import { defaultLimits, relayedLimits } from "./audit/queue/AuditQueue.ts"
import * as AuditReading from "./audit/read/AuditReading.ts"
import { CurrentConfig } from "./config/CurrentConfig.ts"
import type { Environment } from "./config/Environment.ts"
import * as FollowedFile from "./config/reload/FollowedFile.ts"
import * as ActiveRequests from "./gateway/ActiveRequests.ts"
import * as Gateway from "./gateway/Gateway.ts"
import * as Models from "./gateway/Models.ts"
import * as AdminServer from "./http/AdminServer.ts"
import * as Connections from "./http/Connections.ts"
import { metricsQuestion } from "./http/MetricsPage.ts"
import * as NodeServer from "./http/NodeServer.ts"
import { ownHealth } from "./http/OwnHealth.ts"
import { answerMetrics } from "./http/OwnMetrics.ts"
import * as Server from "./http/Server.ts"
import * as Fleet from "./processes/Fleet.ts"
import { Inheritance } from "./processes/Inheritance.ts"
import { healthQuestion } from "./processes/ProcessHealth.ts"
import * as Questions from "./processes/Questions.ts"
import * as WorkerProcess from "./processes/WorkerProcess.ts"
import * as Spool from "./spool/Spool.ts"
import * as AccessLog from "./telemetry/AccessLog.ts"
import * as FinishedRequests from "./telemetry/FinishedRequests.ts"
import * as Metrics from "./telemetry/metrics/Metrics.ts"
import { exportMetrics, genAiReadings } from "./telemetry/otlp/MetricExport.ts"
import * as Traces from "./telemetry/otlp/Traces.ts"
import * as Attempts from "./upstream/Attempts.ts"
import * as Breakers from "./upstream/Breakers.ts"
import * as Upstreams from "./upstream/calls/Upstreams.ts"
import * as Dialects from "./upstream/Dialects.ts"
import * as ModelLists from "./upstream/lists/ModelLists.ts"
import * as Slots from "./upstream/Slots.ts"

/** The policy of the configuration in force. */
const auditPolicy = Effect.map(
  CurrentConfig,
  ({ snapshot }) =>
    () =>
      snapshot().audit,
)

/** The audit in its database, kept as the configuration in force says; `entry` is the program of its threads. */
export const auditLayer = (environment: Environment, entry: URL, limits = defaultLimits) =>
  Layer.unwrapEffect(
    Effect.map(auditPolicy, (policy) =>
      AuditLayer.layer({ url: environment.auditUrl, policy, limits }, entry),
    ),
  )

/** The audit of a worker, which hands records to its primary. */
const handedAuditLayer = (environment: Environment) =>
  Layer.unwrapEffect(
    Effect.map(auditPolicy, (policy) => WorkerProcess.auditLayer(environment.auditUrl, policy)),
  )

/** The breakers of the upstreams in force: a reload forgets those that are gone. */
const breakersLayer = Layer.provideMerge(
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { keepOnly } = yield* Breakers.Breakers
      const { changes } = yield* CurrentConfig
      yield* Effect.forkScoped(
        Stream.runForEach(changes, ({ routes }) => Effect.sync(() => keepOnly(routes.byName))),
      )
    }),
  ),
  Breakers.layer,
)

/** Has a process that serves answer how it is. */
const healthLayer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const { status: audit } = yield* Audit
    const health = yield* ownHealth
    const { answer } = yield* Questions.Questions
    yield* answer(healthQuestion, () => Effect.all({ startedAt: Effect.succeed(startedAt), audit, health }))
  }),
)

/** What is bundled beside this program. */
export interface Bundles {
  /** The program of the thread that reads heavy bodies. */
  readonly aside: URL
  /** The program of the thread that reads the audit. */
  readonly read: URL
  /** The folder of the dashboard's files. */
  readonly dashboard: URL
}

/** What operators ask, and what this process counts and answers for that. */
const adminLayer = (environment: Environment, bundles: Bundles) =>
  AdminApp.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(LiveRequests.layer, ActiveWatch.layer, AttemptWatch.layer)),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.effect(
          Leaving,
          Effect.map(NodeServer.NodeServer, ({ isLeaving }) => isLeaving),
        ),
        Layer.effect(
          CallersPort,
          Effect.map(NodeServer.NodeServer, ({ port }) => port),
        ),
        Dashboard.layer(bundles.dashboard),
        AuditReading.layer(
          Either.getOrElse(parseAuditUrl(environment.auditUrl), () => environment.auditUrl),
          bundles.read,
        ),
      ),
    ),
  )

/**
 * Has a process that serves answer what its metrics read.
 *
 * @param keepsAudit it writes to the database of the audit itself
 */
const metricsLayer = ({ otlp }: Environment, keepsAudit: boolean) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { status: audit } = yield* Audit
      const health = yield* ownHealth
      const { dropped } = yield* Traces.Traces
      const { readings } = yield* answerMetrics({
        audit,
        health,
        keepsAudit,
        node: process.versions.node,
        tracesDropped: dropped,
      })
      if (otlp.metrics === undefined) return
      const { snapshot } = yield* CurrentConfig
      const genAi = yield* genAiReadings(otlp, {
        modelNamed: (model) => snapshot().metrics.modelNamed(model),
        upstreamNamed: (name) => snapshot().routes.byName.get(name),
      })
      yield* exportMetrics(
        otlp,
        Effect.zipWith(readings, genAi.readings, (own, more) => ({ ...own, ...more })),
      )
    }),
  )

/** Has the primary of several processes do so, which keeps the audit for them. */
const primaryMetricsLayer = ({ otlp }: Environment) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { status: audit } = yield* AuditIntake
      const health = Effect.succeed(undefined)
      const { node } = process.versions
      const { readings } = yield* answerMetrics({ audit, health, keepsAudit: true, node })
      yield* exportMetrics(otlp, readings)
    }),
  )

/**
 * Built from the bottom up and torn down from the top: first the routes let go, then the server drains, and only then what the
 * requests under way still needed is closed, the audit last.
 */
const serving = <FE, FR, AE, AR>(
  environment: Environment,
  bundles: Bundles,
  fleet: Layer.Layer<Fleet.Fleet, FE, FR>,
  audit: Layer.Layer<Audit, AE, AR>,
  keepsAudit: boolean,
  onDrain: (underWay: number) => Effect.Effect<void>,
  config = FollowedFile.layer(environment.configPath),
) =>
  Server.layer(onDrain).pipe(
    Layer.provideMerge(AdminServer.layer),
    Layer.provideMerge(adminLayer(environment, bundles)),
    Layer.provideMerge(NodeServer.layer(environment)),
    Layer.provideMerge(Models.layer),
    Layer.provideMerge(ModelLists.layer),
    Layer.provideMerge(Gateway.layer),
    Layer.provideMerge(fleet),
    Layer.provideMerge(Layer.merge(healthLayer, metricsLayer(environment, keepsAudit))),
    Layer.provideMerge(Attempts.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        Aside.layer(bundles.aside),
        Upstreams.layer,
        breakersLayer,
        Dialects.layer,
        Slots.layer,
        Connections.layer,
        OpenRequests.layer,
        Strangers.layer,
        AccessLog.layer,
        ActiveRequests.layer,
        Layer.provideMerge(Traces.layer(environment.otlp), FinishedRequests.layer),
        Spool.layer(),
        Questions.layer,
        Metrics.layer,
      ),
    ),
    Layer.provideMerge(audit),
    Layer.provideMerge(config),
  )

/** Says what the end waits for. */
export const draining = ({ shutdownGrace }: Environment, underWay: number) =>
  Effect.logInfo(
    underWay === 0
      ? "draining: no request is under way"
      : `draining: ${underWay} request${underWay === 1 ? " is" : "s are"} under way, at most ${Duration.toSeconds(shutdownGrace)} s; a second signal ends at once`,
  )

/** A gateway of one process. */
export const layer = <E, R>(environment: Environment, audit: Layer.Layer<Audit, E, R>, bundles: Bundles) =>
  serving(environment, bundles, Fleet.layerAlone, audit, true, (underWay) => draining(environment, underWay))

/** One of several processes. What concerns all of them, the configuration and the end, its primary tells; its own lines say which one it is. */
export const workerLayer = (environment: Environment, bundles: Bundles) =>
  serving(
    environment,
    bundles,
    WorkerProcess.fleetLayer,
    handedAuditLayer(environment),
    false,
    () => Effect.void,
    Layer.locally(FollowedFile.layer(environment.configPath), FiberRef.currentMinimumLogLevel, LogLevel.None),
  ).pipe(
    Layer.locallyWith(FiberRef.currentLogAnnotations, HashMap.set<string, unknown>("worker", process.pid)),
  )

/** What the primary of several processes needs: the audit, kept as the configuration in force says. */
export const primaryLayer = (environment: Environment, entry: URL) =>
  primaryMetricsLayer(environment).pipe(
    Layer.provideMerge(
      Layer.mergeAll(auditLayer(environment, entry, relayedLimits), Questions.layer, Metrics.layer),
    ),
    Layer.provideMerge(FollowedFile.layer(environment.configPath)),
  )

/** What is counted for as long as any process serves. */
export const lasting = () => [new Inheritance(metricsQuestion)]
