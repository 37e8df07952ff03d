/** The plan as JSON: for programs, and for the operators' page. */
import type { Explanation } from "./Explain.ts"
import type { UpstreamNow } from "./ExplainText.ts"

/** The plan with the names that the configuration and /health use. */
export const planTold = (
  { abridged, dialect, endpoint, groups, model, passedBy, prompt, retry, served, strategy }: Explanation,
  now: ReadonlyArray<UpstreamNow> | undefined,
) => ({
  model,
  endpoint: endpoint ?? "chat.completions",
  dialect: dialect ?? null,
  left_out: passedBy.map(({ dialects, upstream }) => ({ client: upstream, dialects })),
  strategy,
  prompt,
  retry: { rounds: retry.rounds, base_delay_ms: retry.baseDelayMs, max_delay_ms: retry.maxDelayMs },
  groups: groups.map(({ fallback, label, targets }) => ({
    label,
    fallback: fallback ?? null,
    targets: targets.map(({ share, timeouts, upstream, upstreamModel, weight, ...target }) => ({
      client: upstream,
      share: share ?? null,
      priority: weight,
      why: target.why,
      sends: upstreamModel,
      dialect: target.dialect ?? null,
      url: target.url,
      key: target.key,
      fallback: target.fallback ?? null,
      timeouts,
    })),
  })),
  abridged,
  served: served.map(({ match, upstream }) => ({ client: upstream, match })),
  ...(now === undefined ? {} : { now }),
})
