/** The breakers of all upstreams: each attempt's beginning and end passes here, and its changes are told in the log. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import { admits, type Breaker, begun, closed, ended, type Sign } from "../domain/Breaker.ts"
import type { BreakerPolicy } from "../domain/Snapshot.ts"
import type { Target, Upstream } from "../domain/Upstream.ts"

export interface BreakerStatus {
  readonly breaker: Breaker
  /** How often it opened since the process began. */
  readonly openings: number
}

export class Breakers extends Context.Tag("sluice/Breakers")<
  Breakers,
  {
    /**
     * The place in `targets`, which are not empty, of the one to ask next: the first whose breaker admits it, else the first. Its attempt
     * has begun with that, so of requests side by side one alone is the probe.
     */
    readonly begin: (targets: ReadonlyArray<Target>) => number
    /** The end of an attempt that began then (epoch milliseconds), or the beginning of its stream. */
    readonly end: (upstream: Upstream, sign: Sign, beganAt: number, policy: BreakerPolicy) => void
    readonly status: (upstream: Upstream) => BreakerStatus
  }
>() {}

/** A breaker, and what it stands for: an entry with another URL or key under the same name begins anew. */
interface Kept extends BreakerStatus {
  readonly upstream: Upstream
}

const unknownStatus: BreakerStatus = { breaker: closed, openings: 0 }

const keyOf = ({ apiKey }: Upstream) => (apiKey === undefined ? undefined : Redacted.value(apiKey))

const isSame = (a: Upstream, b: Upstream): boolean =>
  a === b || (a.baseUrl === b.baseUrl && keyOf(a) === keyOf(b))

/** At `error` where somebody has to do something, at `warn` where waiting may mend it. */
const logOpened = (upstream: string, { reason, waitMs }: Extract<Breaker, { readonly _tag: "Open" }>) =>
  reason === "credentials_rejected"
    ? Effect.logError(
        "the upstream refuses the api_key of this configuration; it is asked last from now on",
        {
          upstream,
          probe_in_ms: waitMs,
        },
      )
    : Effect.logWarning("upstream set aside: asked after all others", {
        upstream,
        reason,
        probe_in_ms: waitMs,
      })

export const layer: Layer.Layer<Breakers> = Layer.effect(
  Breakers,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    // What an attempt's end says is known in the middle of a socket's event.
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const kept = new Map<string, Kept>()

    const status = (upstream: Upstream): BreakerStatus => {
      const one = kept.get(upstream.name)
      return one !== undefined && isSame(one.upstream, upstream) ? one : unknownStatus
    }
    const keep = (upstream: Upstream, { breaker, openings }: BreakerStatus) =>
      kept.set(upstream.name, { breaker, openings, upstream })

    return Breakers.of({
      status,
      begin: (targets) => {
        const now = clock.unsafeCurrentTimeMillis()
        const admitted = targets.findIndex(({ upstream }) => admits(status(upstream).breaker, now))
        const target = targets[admitted]
        if (target === undefined) return 0
        const before = status(target.upstream)
        const breaker = begun(before.breaker, now)
        if (breaker !== before.breaker) keep(target.upstream, { ...before, breaker })
        return admitted
      },
      end: (upstream, sign, beganAt, policy) => {
        const before = status(upstream)
        const now = clock.unsafeCurrentTimeMillis()
        const breaker = ended(before.breaker, sign, { beganAt, now }, policy)
        if (breaker === before.breaker) return
        const wasOpen = before.breaker._tag !== "Closed"
        const opened = !wasOpen && breaker._tag === "Open"
        keep(upstream, { breaker, openings: before.openings + (opened ? 1 : 0) })
        if (opened) runFork(logOpened(upstream.name, breaker))
        else if (wasOpen && breaker._tag === "Closed") {
          runFork(Effect.logInfo("upstream well again", { upstream: upstream.name }))
        }
      },
    })
  }),
)
