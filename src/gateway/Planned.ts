/** Whom a request asks, in their order; and why there is nobody to ask. */
import type { PCGRandom } from "effect/Utils"
import type { Snapshot } from "../config/Snapshot.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { ResponseNotFound } from "../errors/RequestErrors.ts"
import type { RequestFacts } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { makerOf } from "../operations/responses/ResponseId.ts"
import { sessionOf } from "../operations/Session.ts"
import { takesOf } from "../routing/Dialect.ts"
import { drawsFrom } from "../routing/Draws.ts"
import { onlyTarget, type PlanRequest, plan } from "../routing/Plan.ts"
import type { Target, Upstream } from "../routing/Upstream.ts"
import type { Upstreams } from "../upstream/calls/Upstreams.ts"
import type { KnownDialects } from "../upstream/Dialects.ts"
import type { ClientCall } from "./Exchange.ts"
import type { ReadRequest } from "./LongBodies.ts"
import { unplanned } from "./Unplanned.ts"

/** What a plan is made with, beside the configuration. */
export interface PlanTools {
  readonly dialects: KnownDialects
  readonly inFlight: Upstreams["Type"]["inFlight"]
  readonly random: PCGRandom
}

/** What is asked, and by whom. */
interface Asked {
  readonly operation: ServedOperation
  readonly call: ClientCall
}

/** The plan among those that take it. */
const planAmong = (
  { inFlight, random }: PlanTools,
  snapshot: Snapshot,
  { headers }: ClientCall,
  { affinity, facts }: ReadRequest,
  takes: PlanRequest["takes"],
): ReadonlyArray<Target> =>
  plan(
    snapshot,
    { model: facts.model, affinity: () => sessionOf(headers) ?? affinity(), takes },
    { draws: drawsFrom(random.number()), load: inFlight },
  )

/** The targets that speak the dialect as far as is known; where that leaves none, those of which it was only learned that they do not. */
export const planFor = (
  tools: PlanTools,
  snapshot: Snapshot,
  { call, operation }: Asked,
  request: ReadRequest,
): ReadonlyArray<Target> => {
  const { continues, model } = request.facts
  if (continues !== undefined) {
    const maker = makerOf(continues.id, snapshot.routes.upstreams)
    return maker === undefined ? [] : [onlyTarget(maker, model)]
  }
  const { dialect } = operation
  if (dialect === undefined) return planAmong(tools, snapshot, call, request, takesOf(dialect))
  const { dialects } = tools
  const speaks = (upstream: Upstream): boolean => dialects.spokenBy(upstream).includes(dialect)
  const targets = planAmong(tools, snapshot, call, request, speaks)
  return targets.length > 0 ? targets : planAmong(tools, snapshot, call, request, takesOf(dialect))
}

/** The error of a request with an empty plan. */
export const whyNobody = (
  { dialects }: PlanTools,
  { routes }: Snapshot,
  operation: ServedOperation,
  { continues, model }: RequestFacts,
): GatewayError =>
  continues === undefined ? unplanned(routes, operation, model, dialects) : new ResponseNotFound(continues)
