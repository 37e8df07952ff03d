/**
 * What became of the attempts of the last hour, minute by minute, in a bounded room for each upstream: counts, and how many took how long, in steps of a
 * fifth. Mutable on purpose: it is counted on the way of every request.
 */
import { answeringOf, resultOf } from "../audit/record/AttemptResult.ts"
import { attemptMs, firstContentMs } from "../audit/record/AttemptTimes.ts"
import type { AuditRecord } from "../audit/record/AuditRecord.ts"

const minuteMs = 60_000
const minutes = 60

/** Steps of an octave of milliseconds, and steps in all: up to some hours. */
const stepsInOctave = 4
const steps = 96

const stepOf = (ms: number): number =>
  Math.min(steps - 1, Math.max(0, Math.floor(Math.log2(ms + 1) * stepsInOctave)))

/** One more took so long. */
const count = (steps: Uint32Array, ms: number): void => {
  const step = stepOf(ms)
  steps[step] = (steps[step] ?? 0) + 1
}

/** Whether it says something of the upstream: a caller's mistake does not, nor that another was faster. */
const hasFailed = ({ outcome }: AuditRecord, result: string): boolean =>
  result !== "ok" && result !== "cancelled" && (result !== "4xx" || outcome !== "rejected")

/** What is in the middle of a step. */
const millisOf = (step: number): number => Math.round(2 ** ((step + 0.5) / stepsInOctave) - 1)

/** Sums over some minutes: plain data, which several processes add up. */
export interface AttemptSums {
  readonly attempts: number
  readonly errors: number
  /** How many by step. */
  readonly latencies: ReadonlyArray<number>
  readonly ttfts: ReadonlyArray<number>
}

export interface LastFailure {
  /** Epoch milliseconds. */
  readonly at: number
  readonly status: number | undefined
  readonly cause: string | undefined
}

/** What one process counted of an upstream. */
export interface AttemptsOf {
  readonly last5m: AttemptSums
  readonly last1h: AttemptSums
  readonly lastFailure: LastFailure | undefined
}

/** By the names of upstreams. A map: a name may be one that every object has. */
export type AttemptsByName = ReadonlyMap<string, AttemptsOf>

interface Minute {
  /** Which one since the epoch. */
  number: number
  attempts: number
  errors: number
  readonly latencies: Uint32Array
  readonly ttfts: Uint32Array
}

class Counted {
  readonly #ring: Array<Minute | undefined> = Array.from({ length: minutes }, () => undefined)
  lastFailure: LastFailure | undefined

  minute(number: number): Minute {
    const kept = this.#ring[number % minutes]
    if (kept?.number === number) return kept
    const fresh = kept ?? {
      number,
      attempts: 0,
      errors: 0,
      latencies: new Uint32Array(steps),
      ttfts: new Uint32Array(steps),
    }
    fresh.number = number
    fresh.attempts = fresh.errors = 0
    fresh.latencies.fill(0)
    fresh.ttfts.fill(0)
    this.#ring[number % minutes] = fresh
    return fresh
  }

  sums(first: number): AttemptSums {
    const latencies = new Array<number>(steps).fill(0)
    const ttfts = new Array<number>(steps).fill(0)
    let attempts = 0
    let errors = 0
    for (const minute of this.#ring) {
      if (minute === undefined || minute.number < first) continue
      attempts += minute.attempts
      errors += minute.errors
      for (let step = 0; step < steps; step += 1) {
        latencies[step] = (latencies[step] ?? 0) + (minute.latencies[step] ?? 0)
        ttfts[step] = (ttfts[step] ?? 0) + (minute.ttfts[step] ?? 0)
      }
    }
    return { attempts, errors, latencies, ttfts }
  }
}

export class AttemptCounts {
  readonly #now: () => number
  readonly #byUpstream = new Map<string, Counted>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** A request is over, with all its attempts. */
  note(record: AuditRecord): void {
    const now = this.#now()
    const answering = answeringOf(record)
    for (const attempt of record.attempts) {
      const isAnswering = attempt === answering
      const counted = this.#of(attempt.upstream)
      const minute = counted.minute(Math.floor(now / minuteMs))
      minute.attempts += 1
      count(minute.latencies, attemptMs(record, attempt, isAnswering))
      const firstMs = firstContentMs(record, attempt, isAnswering)
      if (firstMs !== undefined) count(minute.ttfts, firstMs)
      if (!hasFailed(record, resultOf(record, attempt, isAnswering))) continue
      minute.errors += 1
      const { said, status, cause = isAnswering ? record.error : said } = attempt
      counted.lastFailure = { at: now, status, cause }
    }
  }

  /** Of these upstreams; what was counted of others is forgotten. */
  of(names: ReadonlySet<string>): AttemptsByName {
    for (const name of this.#byUpstream.keys()) if (!names.has(name)) this.#byUpstream.delete(name)
    const number = Math.floor(this.#now() / minuteMs)
    return new Map(
      [...this.#byUpstream].map(([name, counted]): readonly [string, AttemptsOf] => [
        name,
        {
          last5m: counted.sums(number - 4),
          last1h: counted.sums(number - 59),
          lastFailure: counted.lastFailure,
        },
      ]),
    )
  }

  #of(name: string): Counted {
    const kept = this.#byUpstream.get(name)
    if (kept !== undefined) return kept
    const counted = new Counted()
    this.#byUpstream.set(name, counted)
    return counted
  }
}

const added = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): ReadonlyArray<number> =>
  Array.from({ length: steps }, (_, step) => (a[step] ?? 0) + (b[step] ?? 0))

export const noAttempts: AttemptSums = { attempts: 0, errors: 0, latencies: [], ttfts: [] }

/** The sums of both. */
export const together = (a: AttemptSums, b: AttemptSums): AttemptSums => ({
  attempts: a.attempts + b.attempts,
  errors: a.errors + b.errors,
  latencies: added(a.latencies, b.latencies),
  ttfts: added(a.ttfts, b.ttfts),
})

/** The step within which such a share of all lie, as milliseconds; null of none. */
export const quantileOf = (counts: ReadonlyArray<number>, share: number): number | null => {
  const rank = Math.ceil(share * counts.reduce((sum, count) => sum + count, 0))
  if (rank === 0) return null
  let passed = 0
  for (const [step, count] of counts.entries()) {
    passed += count
    if (passed >= rank) return millisOf(step)
  }
  return null
}
