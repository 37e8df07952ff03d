/** The whole gateway as one layer: the only file that wires across folders. */
import * as Layer from "effect/Layer"
import type { Audit } from "./audit/Audit.ts"
import * as CurrentConfig from "./config/CurrentConfig.ts"
import type { Environment } from "./config/Environment.ts"
import * as Gateway from "./Gateway.ts"
import * as Models from "./http/Models.ts"
import * as NodeServer from "./http/NodeServer.ts"
import * as Server from "./http/Server.ts"
import * as Attempts from "./upstream/Attempts.ts"
import * as Upstreams from "./upstream/Upstreams.ts"

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
    Layer.provideMerge(Upstreams.layer),
    Layer.provideMerge(CurrentConfig.layer(environment.configPath)),
    Layer.provideMerge(audit),
  )
