/** What the figures of an attack say, against what the gateway promises. */

/** By the nearest rank; 0 of nothing. */
export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const ordered = [...values].sort((a, b) => a - b)
  return ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)] ?? 0
}

export interface Latency {
  readonly requests: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export const latencyOf = (milliseconds: ReadonlyArray<number>): Latency => ({
  requests: milliseconds.length,
  p50: percentile(milliseconds, 0.5),
  p99: percentile(milliseconds, 0.99),
  max: percentile(milliseconds, 1),
})

/** What one attack came to. */
export interface Outcome {
  readonly quiet: Latency
  readonly attack: Latency
  /** What ordinary callers complain of. */
  readonly failures: ReadonlyArray<string>
  readonly peakMb: number
  /** Rows that should be there, and are not, or are twice. */
  readonly lostRows: ReadonlyArray<string>
  readonly doubledRows: ReadonlyArray<string>
  /** Where a key was seen that nobody may see. */
  readonly secrets: ReadonlyArray<string>
  /** What the gateway said that it should not have to. */
  readonly unexpected: ReadonlyArray<string>
  readonly exitCode: number | null
}

export interface Goals {
  readonly addedP99Ms: number
  readonly peakMb: number
}

const first = (all: ReadonlyArray<string>): string => all.slice(0, 3).join(" | ").slice(0, 1_000)
const unless = (holds: boolean, miss: string): ReadonlyArray<string> => (holds ? [] : [miss])

/** The goals that were missed, in words. */
export const missesOf = (outcome: Outcome, goals: Goals): ReadonlyArray<string> => {
  const { attack, quiet } = outcome
  const added = attack.p99 - quiet.p99
  return [
    ...unless(attack.requests > 0 && quiet.requests > 0, "ordinary callers were not answered in both phases"),
    ...unless(
      outcome.failures.length === 0,
      `${outcome.failures.length} ordinary requests failed: ${first(outcome.failures)}`,
    ),
    ...unless(
      added <= goals.addedP99Ms,
      `ordinary callers wait ${added.toFixed(0)} ms longer at p99 (${quiet.p99.toFixed(0)} ms when it is quiet); ${goals.addedP99Ms} ms are allowed`,
    ),
    ...unless(
      outcome.peakMb <= goals.peakMb,
      `the process took ${outcome.peakMb.toFixed(0)} MB; ${goals.peakMb} MB are allowed`,
    ),
    ...unless(
      outcome.lostRows.length === 0,
      `${outcome.lostRows.length} rows are lost: ${first(outcome.lostRows)}`,
    ),
    ...unless(
      outcome.doubledRows.length === 0,
      `${outcome.doubledRows.length} rows are there twice: ${first(outcome.doubledRows)}`,
    ),
    ...unless(outcome.secrets.length === 0, `secrets were seen: ${first(outcome.secrets)}`),
    ...unless(outcome.unexpected.length === 0, `it said: ${first(outcome.unexpected)}`),
    ...unless(outcome.exitCode === 0, `it ended with code ${outcome.exitCode}`),
  ]
}
