/** A curve over time out of groups by hour or day: a point for each, also where nothing happened, and the period before laid over it. */
import type { UsageOf, UsagePeriod } from "../../src/admin/api/UsageReport.ts"

export interface Curve {
  /** Epoch seconds. */
  readonly at: ReadonlyArray<number>
  readonly now: ReadonlyArray<number>
  readonly before: ReadonlyArray<number>
}

/** More points than a screen shows. */
const mostPoints = 2_000

const stepMs = { hour: 3_600_000, day: 86_400_000 } as const

/** When a group began: `2026-11-22T17` or `2026-11-22`. */
const beginOf = (group: string): number =>
  Date.parse(group.length > 10 ? `${group}:00:00Z` : `${group}T00:00:00Z`)

const valuesBy = (
  groups: ReadonlyArray<UsageOf>,
  value: (usage: UsageOf) => number,
): ReadonlyMap<number, number> =>
  new Map(
    groups.flatMap((usage) => (usage.group === null ? [] : [[beginOf(usage.group), value(usage)] as const])),
  )

/** The first whole step of a period. */
const firstOf = (since: string, ms: number): number => Math.floor(Date.parse(since) / ms) * ms

/** @param value what is drawn of each */
export const curveOf = (
  step: "hour" | "day",
  now: Pick<UsagePeriod, "groups" | "since" | "until">,
  before: Pick<UsagePeriod, "groups" | "since">,
  value: (usage: UsageOf) => number,
): Curve => {
  const ms = stepMs[step]
  const first = firstOf(now.since, ms)
  const steps = Math.min(mostPoints, Math.max(1, Math.ceil((Date.parse(now.until) - first) / ms)))
  const shift = first - firstOf(before.since, ms)
  const nowBy = valuesBy(now.groups, value)
  const beforeBy = valuesBy(before.groups, value)
  const at = Array.from({ length: steps }, (_, index) => first + index * ms)
  return {
    at: at.map((instant) => instant / 1000),
    now: at.map((instant) => nowBy.get(instant) ?? 0),
    before: at.map((instant) => beforeBy.get(instant - shift) ?? 0),
  }
}
