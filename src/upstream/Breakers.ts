/** The breakers of all upstreams, and of models at them: each attempt's beginning and end passes here, and changes are told in the log. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import type { Target, Upstream } from "../routing/Upstream.ts"
import { admits, type Breaker, type BreakerPolicy, begun, closed, ended } from "./policy/Breaker.ts"
import { type ModelBreaker, type ModelBreakers, none, setAside, withBreaker } from "./policy/ModelBreakers.ts"
import type { Signs } from "./policy/Signs.ts"

export interface BreakerStatus {
  readonly breaker: Breaker
  /** How often it opened since the process began. */
  readonly openings: number
  /** The models set aside there by themselves. */
  readonly models: ReadonlyArray<ModelBreaker>
}

export class Breakers extends Context.Tag("sluice/Breakers")<
  Breakers,
  {
    /**
     * The place in `targets`, which are not empty, of the one to ask next: the first that its breakers admit, else the first. Its attempt
     * has begun with that, so of requests side by side one alone is the probe.
     */
    readonly begin: (targets: ReadonlyArray<Target>, caller?: string) => number
    /** The end of an attempt that began then (epoch milliseconds), or the beginning of its stream. */
    readonly end: (
      target: Target,
      signs: Signs,
      beganAt: number,
      policy: BreakerPolicy,
      caller?: string,
    ) => void
    readonly status: (upstream: Upstream) => BreakerStatus
    /** Forgets the upstreams of other names. */
    readonly keepOnly: (names: Pick<ReadonlySet<string>, "has">) => void
  }
>() {}

/** Breakers, and what they stand for: an entry with another URL or key under the same name begins anew. */
interface Kept {
  readonly upstream: Upstream
  readonly breaker: Breaker
  readonly openings: number
  readonly models: ModelBreakers
}

const keyOf = ({ apiKey }: Upstream) => (apiKey === undefined ? undefined : Redacted.value(apiKey))

const isSame = (a: Upstream, b: Upstream): boolean =>
  a === b || (a.baseUrl === b.baseUrl && keyOf(a) === keyOf(b))

type Opened = Extract<Breaker, { readonly _tag: "Open" }>

/** At `error` where somebody has to do something, at `warn` where waiting may mend it. */
const logOpened = (upstream: string, { reason, waitMs }: Opened) => {
  switch (reason) {
    case "credentials_rejected":
      return Effect.logError(
        "the upstream refuses the api_key of this configuration; it is asked last from now on",
        { upstream, probe_in_ms: waitMs },
      )
    case "out_of_credit":
      return Effect.logError(
        "the account of the api_key has no credit or quota left at the upstream; it is asked last from now on",
        { upstream, probe_in_ms: waitMs },
      )
    default:
      return Effect.logWarning("upstream set aside: asked after all others", {
        upstream,
        reason,
        probe_in_ms: waitMs,
      })
  }
}

const logModelOpened = (upstream: string, model: string, { reason, waitMs }: Opened) =>
  Effect.logWarning("model set aside at this upstream: asked there after all others", {
    upstream,
    model,
    reason,
    probe_in_ms: waitMs,
  })

export const layer: Layer.Layer<Breakers> = Layer.effect(
  Breakers,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    // What an attempt's end says is known in the middle of a socket's event.
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const all = new Map<string, Kept>()

    const keptOf = (upstream: Upstream): Kept => {
      const one = all.get(upstream.name)
      return one !== undefined && isSame(one.upstream, upstream)
        ? one
        : { upstream, breaker: closed, openings: 0, models: none }
    }

    const isAdmitted = (
      { upstream, upstreamModel }: Target,
      now: number,
      caller: string | undefined,
    ): boolean => {
      const { breaker, models } = keptOf(upstream)
      return admits(breaker, now, caller) && admits(models.get(upstreamModel) ?? closed, now)
    }

    /** Notes the model's breaker beside the upstream's, where either changed. */
    const keep = (kept: Kept, breaker: Breaker, model: string, ofModel: Breaker, now: number): void => {
      const before = kept.models.get(model) ?? closed
      if (breaker === kept.breaker && ofModel === before) return
      const hasOpened = kept.breaker._tag === "Closed" && breaker._tag === "Open"
      all.set(kept.upstream.name, {
        upstream: kept.upstream,
        breaker,
        openings: kept.openings + (hasOpened ? 1 : 0),
        models: ofModel === before ? kept.models : withBreaker(kept.models, model, ofModel, now),
      })
    }

    return Breakers.of({
      status: (upstream) => {
        const { breaker, models, openings } = keptOf(upstream)
        return { breaker, openings, models: setAside(models, clock.unsafeCurrentTimeMillis()) }
      },
      begin: (targets, caller) => {
        const now = clock.unsafeCurrentTimeMillis()
        const admitted = targets.findIndex((target) => isAdmitted(target, now, caller))
        const target = targets[admitted]
        if (target === undefined) return 0
        const kept = keptOf(target.upstream)
        const ofModel = kept.models.get(target.upstreamModel) ?? closed
        keep(kept, begun(kept.breaker, now), target.upstreamModel, begun(ofModel, now), now)
        return admitted
      },
      end: ({ upstream, upstreamModel }, signs, beganAt, policy, caller) => {
        const kept = keptOf(upstream)
        const now = clock.unsafeCurrentTimeMillis()
        const before = kept.models.get(upstreamModel) ?? closed
        const breaker = ended(
          kept.breaker,
          signs.upstream,
          caller === undefined ? { beganAt, now } : { beganAt, now, caller },
          policy,
        )
        const ofModel = ended(before, signs.model, { beganAt, now }, policy)
        keep(kept, breaker, upstreamModel, ofModel, now)
        if (kept.breaker._tag === "Closed" && breaker._tag === "Open") {
          runFork(logOpened(upstream.name, breaker))
        } else if (kept.breaker._tag !== "Closed" && breaker._tag === "Closed") {
          runFork(Effect.logInfo("upstream well again", { upstream: upstream.name }))
        }
        if (before._tag === "Closed" && ofModel._tag === "Open") {
          runFork(logModelOpened(upstream.name, upstreamModel, ofModel))
        } else if (before._tag !== "Closed" && ofModel._tag === "Closed") {
          runFork(Effect.logInfo("model well again", { upstream: upstream.name, model: upstreamModel }))
        }
      },
      keepOnly: (names) => {
        for (const name of all.keys()) if (!names.has(name)) all.delete(name)
      },
    })
  }),
)
