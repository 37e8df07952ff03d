/** What the figures of a soak say: whether memory grew, and whether everything that was open is closed again. */

/** Taken while the load runs. */
export interface Sample {
  /** Since the load began. */
  readonly seconds: number
  readonly rssMb: number
  readonly fds: number
}

export interface Trend {
  /** MB over the window that was judged. */
  readonly growthMb: number
  /** How far samples lie apart around the trend: from the tenth to the ninetieth percentile, in MB. */
  readonly noiseMb: number
  readonly samples: number
  readonly minutes: number
}

const sorted = (values: ReadonlyArray<number>): ReadonlyArray<number> => [...values].sort((a, b) => a - b)

/** By the nearest rank. */
const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const ordered = sorted(values)
  return ordered[Math.min(ordered.length - 1, Math.floor(share * ordered.length))] ?? 0
}

/**
 * The trend of memory over the last two thirds of a run, the first being warm-up: the median of the slopes between all pairs of samples
 * (Theil 1950, Sen 1968), which single collections and bursts do not move.
 */
export const trendOf = (all: ReadonlyArray<Sample>): Trend => {
  const end = all.at(-1)?.seconds ?? 0
  const samples = all.filter(({ seconds }) => seconds >= end / 3)
  const slopes: Array<number> = []
  for (const [at, { rssMb, seconds }] of samples.entries()) {
    for (const later of samples.slice(at + 1)) {
      if (later.seconds > seconds) slopes.push((later.rssMb - rssMb) / (later.seconds - seconds))
    }
  }
  const slope = percentile(slopes, 0.5)
  const first = samples[0]?.seconds ?? 0
  const residuals = samples.map(({ rssMb, seconds }) => rssMb - slope * (seconds - first))
  return {
    growthMb: slope * (end - first),
    noiseMb: percentile(residuals, 0.9) - percentile(residuals, 0.1),
    samples: samples.length,
    minutes: (end - first) / 60,
  }
}

/** Growth below this is not told from noise, however even the samples are. */
const toleratedMb = 8

/** Memory is flat where it grew by no more than it swings anyway. */
export const isFlat = ({ growthMb, noiseMb }: Trend): boolean => growthMb <= Math.max(toleratedMb, noiseMb)

/** Shorter windows say nothing of a trend: a heap grows for minutes until its collector has settled. */
export const judgedFromMinutes = 3
