/**
 * What upstreams were found to refuse of what this gateway adds, for each of their models. Of one process, and of one configuration: an entry that is
 * loaded anew is asked anew.
 */
import { nothingOmitted, type Omissions } from "../operations/Additions.ts"
import type { Target, Upstream } from "../routing/Upstream.ts"

/** The most models of an upstream; clients name them. The one that was learned first is forgotten for another. */
const mostModels = 256

/** Mutable on purpose: a memory. */
export class Learned {
  readonly #byUpstream = new WeakMap<Upstream, Map<string, Omissions>>()

  /** What a target is known to refuse. */
  of({ upstream, upstreamModel }: Target): Omissions {
    return this.#byUpstream.get(upstream)?.get(upstreamModel) ?? nothingOmitted
  }

  remember({ upstream, upstreamModel }: Target, omissions: Omissions): void {
    const models = this.#byUpstream.get(upstream) ?? new Map<string, Omissions>()
    this.#byUpstream.set(upstream, models)
    models.delete(upstreamModel)
    models.set(upstreamModel, omissions)
    for (const oldest of models.keys()) {
      if (models.size <= mostModels) break
      models.delete(oldest)
    }
  }
}
