/** The whole gateway as one layer: the only file that wires across folders. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Audit } from "./audit/Audit.ts"
import * as AuditLayer from "./audit/AuditLayer.ts"
import * as CurrentConfig from "./config/CurrentConfig.ts"
import type { Environment } from "./config/Environment.ts"
import * as Gateway from "./Gateway.ts"
import * as Models from "./http/Models.ts"
import * as NodeServer from "./http/NodeServer.ts"
import * as Server from "./http/Server.ts"
import * as OpenRequests from "./OpenRequests.ts"
import * as AccessLog from "./telemetry/AccessLog.ts"
import * as Attempts from "./upstream/Attempts.ts"
import * as Breakers from "./upstream/Breakers.ts"
import * as Slots from "./upstream/Slots.ts"
import * as Upstreams from "./upstream/Upstreams.ts"

/** The audit in its database, kept as the configuration in force says; `entry` is the program of its threads. */
export const auditLayer = (environment: Environment, entry: URL) =>
  Layer.unwrapEffect(
    Effect.map(CurrentConfig.CurrentConfig, ({ snapshot }) =>
      AuditLayer.layer({ url: environment.auditUrl, policy: () => snapshot().audit }, entry),
    ),
  )

/**
 * Built from the bottom up and torn down from the top: first the routes let go, then the server drains, and only then what the
 * requests under way still needed is closed, the audit last.
 */
export const layer = <E, R>(environment: Environment, audit: Layer.Layer<Audit, E, R>) =>
  Server.layer.pipe(
    Layer.provideMerge(NodeServer.layer(environment)),
    Layer.provideMerge(Models.layer),
    Layer.provideMerge(Gateway.layer),
    Layer.provideMerge(Attempts.layer),
    Layer.provideMerge(
      Layer.mergeAll(Upstreams.layer, Breakers.layer, Slots.layer, OpenRequests.layer, AccessLog.layer),
    ),
    Layer.provideMerge(audit),
    Layer.provideMerge(CurrentConfig.layer(environment.configPath)),
  )
