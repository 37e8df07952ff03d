/** Whom a request asks, in their order; and why there is nobody to ask. */
import type { PCGRandom } from "effect/Utils"
import { makerOf } from "../answer/responses/ResponseId.ts"
import { sealedElsewhere } from "../answer/responses/SealedItem.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { ResponseNotFound } from "../errors/RequestErrors.ts"
import type { RequestFacts } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import { sessionOf } from "../operations/Session.ts"
import { translatedFrom } from "../operations/translation/Conversations.ts"
import { speaksAny, takesOf } from "../routing/Dialect.ts"
import { drawsFrom } from "../routing/Draws.ts"
import { makerIn } from "../routing/Mark.ts"
import { passedBy } from "../routing/Passthrough.ts"
import { onlyTarget, type PlanRequest, plan } from "../routing/Plan.ts"
import type { Target, Upstream } from "../routing/Upstream.ts"
import type { Upstreams } from "../upstream/calls/Upstreams.ts"
import { askedIn, type KnownDialects } from "../upstream/Dialects.ts"
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
const planAmongSpeakers = (
  tools: PlanTools,
  snapshot: Snapshot,
  { call, operation }: Asked,
  request: ReadRequest,
): ReadonlyArray<Target> => {
  const { dialect } = operation
  if (dialect === undefined) return planAmong(tools, snapshot, call, request, takesOf(dialect))
  const { dialects } = tools
  const isTranslated = translatedFrom(operation) !== undefined
  if (isTranslated) {
    const speaks = (upstream: Upstream): boolean => speaksAny({ dialects: dialects.spokenBy(upstream) })
    const targets = planAmong(tools, snapshot, call, request, speaks)
    if (targets.length > 0) return targets.map((target) => askedIn(dialect, target, dialects))
  }
  const takes = takesOf(dialect, isTranslated ? undefined : operation.name)
  const isSpoken = (upstream: Upstream): boolean =>
    takes({ dialects: dialects.spokenBy(upstream), paths: upstream.paths })
  const targets = planAmong(tools, snapshot, call, request, isSpoken)
  return targets.length > 0 ? targets : planAmong(tools, snapshot, call, request, takes)
}

/** The target that is asked for what tells nothing of its upstream: that of the rule by which callers make such things, else the first. */
const keeperAmong = (
  targets: ReadonlyArray<Target>,
  { passthrough }: Snapshot,
  madeAt: string | undefined,
): ReadonlyArray<Target> => {
  const rule = madeAt === undefined ? undefined : passedBy(passthrough, madeAt)?.rule
  const keeper = targets.find(({ upstream }) => upstream.name === rule?.upstream.name)
  return keeper === undefined ? targets.slice(0, 1) : [keeper]
}

/** Whom a request asks. */
export const planFor = (
  tools: PlanTools,
  snapshot: Snapshot,
  asked: Asked,
  request: ReadRequest,
): ReadonlyArray<Target> => {
  const { continues, model } = request.facts
  if (continues === undefined) return planAmongSpeakers(tools, snapshot, asked, request)
  if (continues.kind === "unmarked") {
    return keeperAmong(planAmongSpeakers(tools, snapshot, asked, request), snapshot, continues.madeAt)
  }
  const { upstreams } = snapshot.routes
  const maker =
    continues.kind === "response" ? makerOf(continues.id, upstreams) : makerIn(continues.sealed, upstreams)
  return maker === undefined ? [] : [onlyTarget(maker, model)]
}

/** The error of a request with an empty plan. */
export const whyNobody = (
  { dialects }: PlanTools,
  { routes }: Snapshot,
  operation: ServedOperation,
  { continues, model }: RequestFacts,
): GatewayError => {
  switch (continues?.kind) {
    case "response":
      return new ResponseNotFound(continues)
    case "sealed":
      return sealedElsewhere("input")
    default:
      return unplanned(routes, operation, model, dialects)
  }
}
