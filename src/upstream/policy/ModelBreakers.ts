/**
 * The breakers of single models at one upstream, as a map that never grows beyond a bound: under `keyword` a client decides how many models there
 * are, and how long their names.
 */
import { type Breaker, closed } from "./Breaker.ts"

export interface ModelBreaker {
  readonly model: string
  readonly breaker: Breaker
}

/** Breakers that are not as new, by the model's name at the upstream; the latest changed last. */
export type ModelBreakers = ReadonlyMap<string, Breaker>

export const none: ModelBreakers = new Map()

/** More than a provider has models that fail at a time. */
export const mostModels = 100

/** Longer names are of no model; they are never set aside by themselves. */
const longestName = 256

/** How long after its wait a breaker is remembered that nobody asked again, in milliseconds. */
const forgottenAfterMs = 600_000

const isOver = (breaker: Breaker, now: number): boolean =>
  breaker._tag !== "Closed" && breaker.until + forgottenAfterMs < now

/** The breakers with that of a model replaced: what is as new is forgotten, and of too many first what nobody asks for, then the oldest. */
export const withBreaker = (
  breakers: ModelBreakers,
  model: string,
  breaker: Breaker,
  now: number,
): ModelBreakers => {
  if (model.length > longestName) return breakers
  const kept = new Map(breakers)
  kept.delete(model)
  if (breaker !== closed) kept.set(model, breaker)
  if (kept.size <= mostModels) return kept
  for (const [name, one] of kept) if (isOver(one, now)) kept.delete(name)
  const oldest = kept.keys().next()
  if (kept.size > mostModels && oldest.done !== true) kept.delete(oldest.value)
  return kept
}

/** Those that are set aside, or were a short while ago and are yet to be probed. */
export const setAside = (breakers: ModelBreakers, now: number): ReadonlyArray<ModelBreaker> =>
  [...breakers]
    .filter(([, breaker]) => breaker._tag !== "Closed" && !isOver(breaker, now))
    .map(([model, breaker]) => ({ model, breaker }))
