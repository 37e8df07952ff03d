/** The plan of a request: the targets to try, in order. What matches comes first, then the chain of fallbacks. */
import type { Draws } from "./Draws.ts"
import { matches, type RoutingTable, route } from "./Route.ts"
import { select } from "./Selection.ts"
import type { Strategy } from "./strategies/Strategies.ts"
import type { Circumstances, Load } from "./strategies/Strategy.ts"
import type { Target, Upstream } from "./Upstream.ts"

export interface PlanRequest {
  /** The model name asked for. */
  readonly model: string
  /** The conversation's leading content, for the `deterministic` strategy. */
  readonly affinity: () => string
  /** Whether an upstream takes a request like this one: what does not is passed by, not its fallback. */
  readonly takes: (upstream: Upstream) => boolean
}

/** Upstreams that stand together in a plan: those that match, or those one fallback leads to. */
export interface Group {
  /** In the order of the configuration. */
  readonly upstreams: ReadonlyArray<Upstream>
  /** What they are sent, unless their own `model` says otherwise. */
  readonly model: string
  /** `upstream`: the one a fallback names. `model`: those that match the model. */
  readonly reached: "upstream" | "model"
}

const upstreamModel = (upstream: Upstream, group: Group): string => upstream.model ?? group.model

/** The upstream as an entry of a plan, in the place `group` gives it. */
export const targetOf = (upstream: Upstream, group: Group): Target => ({
  upstream,
  upstreamModel: upstreamModel(upstream, group),
})

/** `group` without the pairs of upstream and upstream model that stand in `planned`; undefined where that leaves nothing. */
const withoutPlanned = (group: Group, planned: ReadonlyArray<Group>): Group | undefined => {
  const upstreams = group.upstreams.filter((upstream) => {
    const model = upstreamModel(upstream, group)
    return !planned.some(
      (earlier) => upstreamModel(upstream, earlier) === model && earlier.upstreams.includes(upstream),
    )
  })
  return upstreams.length === 0 ? undefined : { ...group, upstreams }
}

/** The upstreams that match `model`. */
export const matchedGroup = (routes: RoutingTable, model: string): Group => ({
  upstreams: route(routes, model),
  model,
  reached: "model",
})

/** What an upstream is sent that is asked by its name: the model asked for if it matches that, else the first of its exact values, else the model asked for all the same. */
const modelByName = (upstream: Upstream, asked: string): string => {
  const firstExact = upstream.match.type === "exact" ? upstream.match.values[0] : undefined
  return matches(upstream, asked) ? asked : (firstExact ?? asked)
}

/** An upstream as the only target of a request that nobody else can answer. */
export const onlyTarget = (upstream: Upstream, asked: string): Target =>
  targetOf(upstream, { upstreams: [upstream], model: modelByName(upstream, asked), reached: "upstream" })

/** How far a plan has come. */
export interface PlanSoFar {
  /** The model name asked for. */
  readonly asked: string
  /** All groups until now, the last one included. */
  readonly planned: ReadonlyArray<Group>
  /** The last one. */
  readonly group: Group
}

/**
 * Where the fallback of `upstream`, one of the last group, leads: to the upstream of that name, else to those that match a model
 * of that name; undefined where there is nothing that is not yet planned.
 */
export const fallbackGroup = (
  routes: RoutingTable,
  { asked, planned }: PlanSoFar,
  upstream: Upstream,
): Group | undefined => {
  const { fallback } = upstream
  if (fallback === undefined) return undefined
  const named = routes.byName.get(fallback)
  if (named === undefined) return withoutPlanned(matchedGroup(routes, fallback), planned)
  const model = modelByName(named, asked)
  return withoutPlanned({ upstreams: [named], model, reached: "upstream" }, planned)
}

/**
 * The last group in the order of the strategy. Each group draws its own numbers and, behind the first, hashes its model with the
 * conversation: an upstream that stands in two groups under two models has its place in the one independently of the other.
 */
export const orderOf = (
  strategy: Strategy,
  { planned, group }: PlanSoFar,
  { draws, load, affinity }: Circumstances,
): ReadonlyArray<Upstream> => {
  if (planned.length === 1) return select(strategy, group.upstreams, { draws, load, affinity })
  const drawn = planned.reduce((sum, { upstreams }) => sum + upstreams.length, -group.upstreams.length)
  return select(strategy, group.upstreams, {
    draws: (index) => draws(drawn + index),
    load,
    affinity: () => `${group.model}\n${affinity()}`,
  })
}

/** Whose fallbacks are followed before whose: those of upstreams that are passed by only where no other leads on. */
const byTurns = (ordered: ReadonlyArray<Upstream>, takes: PlanRequest["takes"]): ReadonlyArray<Upstream> =>
  ordered.every(takes)
    ? ordered
    : [...ordered.filter(takes), ...ordered.filter((upstream) => !takes(upstream))]

/** What the first of `ordered` whose fallback adds something adds. */
const nextGroup = (
  routes: RoutingTable,
  progress: PlanSoFar,
  ordered: ReadonlyArray<Upstream>,
): Group | undefined => {
  for (const upstream of ordered) {
    const next = fallbackGroup(routes, progress, upstream)
    if (next !== undefined) return next
  }
  return undefined
}

/**
 * The targets to try for a request, in order; empty where no upstream matches, or none of them takes it.
 *
 * The upstreams that match come first, ordered by the strategy. Then the first of them whose fallback leads to something not yet
 * planned is followed, what it leads to is ordered by the strategy in its turn, and so on from there. Each pair of upstream and
 * upstream model stands in a plan once, so the chain ends, whatever circles the fallbacks form.
 */
export const plan = (
  { routes, strategy }: { readonly routes: RoutingTable; readonly strategy: Strategy },
  { model, affinity, takes }: PlanRequest,
  { draws, load }: { readonly draws: Draws; readonly load: Load },
): ReadonlyArray<Target> => {
  const targets: Array<Target> = []
  const planned: Array<Group> = []
  let group: Group | undefined = matchedGroup(routes, model)
  while (group !== undefined) {
    planned.push(group)
    const progress: PlanSoFar = { asked: model, planned, group }
    const ordered = orderOf(strategy, progress, { draws, load, affinity })
    for (const upstream of ordered) if (takes(upstream)) targets.push(targetOf(upstream, group))
    group = nextGroup(routes, progress, byTurns(ordered, takes))
  }
  return targets
}
