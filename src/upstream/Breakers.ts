/** The breakers of all upstreams, and of models at them: each attempt's beginning and end passes here, and changes are told in the log. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Target, Upstream } from "../routing/Upstream.ts"
import { admits, type Breaker, type BreakerPolicy, begun, closed, ended } from "./policy/Breaker.ts"
import { type ModelBreaker, type ModelBreakers, none, setAside, withBreaker } from "./policy/ModelBreakers.ts"
import type { Signs } from "./policy/Signs.ts"

export interface BreakerStatus {
  readonly breaker: Breaker
  /** How often it opened since the process began. */
  readonly openings: number
  /** Since when it is not closed, in epoch milliseconds. */
  readonly since: number | undefined
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
  readonly since: number | undefined
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
    case "failing":
    case "rate_limited":
    case "model_missing":
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

/** Logs in the middle of a socket's event. */
type Log = (entry: Effect.Effect<void>) => void

/** Mutable on purpose: what is known of all upstreams. */
class KeptBreakers {
  readonly #now: () => number
  readonly #log: Log
  readonly #all = new Map<string, Kept>()

  constructor(now: () => number, log: Log) {
    this.#now = now
    this.#log = log
  }

  status(upstream: Upstream): BreakerStatus {
    const { breaker, models, openings, since } = this.#keptOf(upstream)
    return { breaker, openings, since, models: setAside(models, this.#now()) }
  }

  begin(targets: ReadonlyArray<Target>, caller: string | undefined): number {
    const now = this.#now()
    const admitted = targets.findIndex((target) => this.#isAdmitted(target, now, caller))
    const target = targets[admitted]
    if (target === undefined) return 0
    const kept = this.#keptOf(target.upstream)
    const ofModel = modelIn(kept, target.upstreamModel)
    this.#keep(kept, begun(kept.breaker, now), target.upstreamModel, begun(ofModel, now), now)
    return admitted
  }

  end(
    { upstream, upstreamModel }: Target,
    signs: Signs,
    beganAt: number,
    policy: BreakerPolicy,
    caller: string | undefined,
  ): void {
    const kept = this.#keptOf(upstream)
    const now = this.#now()
    const before = modelIn(kept, upstreamModel)
    const breaker = ended(
      kept.breaker,
      signs.upstream,
      caller === undefined ? { beganAt, now } : { beganAt, now, caller },
      policy,
    )
    const ofModel = ended(before, signs.model, { beganAt, now }, policy)
    this.#keep(kept, breaker, upstreamModel, ofModel, now)
    this.#tellUpstream(upstream.name, kept.breaker, breaker)
    this.#tellModel(upstream.name, upstreamModel, before, ofModel)
  }

  keepOnly(names: Pick<ReadonlySet<string>, "has">): void {
    for (const name of this.#all.keys()) if (!names.has(name)) this.#all.delete(name)
  }

  #keptOf(upstream: Upstream): Kept {
    const one = this.#all.get(upstream.name)
    return one !== undefined && isSame(one.upstream, upstream)
      ? one
      : { upstream, breaker: closed, openings: 0, since: undefined, models: none }
  }

  #isAdmitted({ upstream, upstreamModel }: Target, now: number, caller: string | undefined): boolean {
    const kept = this.#keptOf(upstream)
    return admits(kept.breaker, now, caller) && admits(modelIn(kept, upstreamModel), now)
  }

  /** Notes the model's breaker beside the upstream's, where either changed. */
  #keep(kept: Kept, breaker: Breaker, model: string, ofModel: Breaker, now: number): void {
    const isModelSame = ofModel === modelIn(kept, model)
    if (breaker === kept.breaker && isModelSame) return
    const hasOpened = kept.breaker._tag === "Closed" && breaker._tag === "Open"
    this.#all.set(kept.upstream.name, {
      upstream: kept.upstream,
      breaker,
      openings: kept.openings + (hasOpened ? 1 : 0),
      since: breaker._tag === "Closed" ? undefined : hasOpened ? now : kept.since,
      models: isModelSame ? kept.models : withBreaker(kept.models, model, ofModel, now),
    })
  }

  #tellUpstream(upstream: string, before: Breaker, after: Breaker): void {
    if (before._tag === "Closed" && after._tag === "Open") this.#log(logOpened(upstream, after))
    else if (before._tag !== "Closed" && after._tag === "Closed") {
      this.#log(Effect.logInfo("upstream well again", { upstream }))
    }
  }

  #tellModel(upstream: string, model: string, before: Breaker, after: Breaker): void {
    if (before._tag === "Closed" && after._tag === "Open") this.#log(logModelOpened(upstream, model, after))
    else if (before._tag !== "Closed" && after._tag === "Closed") {
      this.#log(Effect.logInfo("model well again", { upstream, model }))
    }
  }
}

const modelIn = ({ models }: Kept, model: string): Breaker => models.get(model) ?? closed

export const layer: Layer.Layer<Breakers> = Layer.scoped(
  Breakers,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const fork = yield* FiberSet.makeRuntime<never>()
    const kept = new KeptBreakers(() => clock.unsafeCurrentTimeMillis(), fork)
    return Breakers.of({
      begin: (targets, caller) => kept.begin(targets, caller),
      end: (target, signs, beganAt, policy, caller) => kept.end(target, signs, beganAt, policy, caller),
      status: (upstream) => kept.status(upstream),
      keepOnly: (names) => kept.keepOnly(names),
    })
  }),
)
