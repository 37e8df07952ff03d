/** The times that usage is shown of. Days are those of UTC, as the audit counts them. */

export interface Period {
  readonly name: string
  readonly words: string
  /** As the API takes them. */
  readonly since: string
  readonly until: string
  /** What the curve has a point for. */
  readonly step: "hour" | "day"
}

const dayMs = 86_400_000

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** The periods one can choose, at this time in epoch milliseconds. */
export const periodsAt = (now: number): ReadonlyArray<Period> => [
  { name: "today", words: "today", since: dayOf(now), until: "", step: "hour" },
  { name: "24h", words: "24 hours", since: "24h", until: "", step: "hour" },
  { name: "yesterday", words: "yesterday", since: dayOf(now - dayMs), until: dayOf(now), step: "hour" },
  { name: "7d", words: "7 days", since: "7d", until: "", step: "day" },
  { name: "30d", words: "30 days", since: "30d", until: "", step: "day" },
  { name: "90d", words: "90 days", since: "90d", until: "", step: "day" },
]
