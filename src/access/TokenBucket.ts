/** A rate that allows for bursts: so many at once, and so many a second in the long run. */

export interface BucketRate {
  readonly perSecond: number
  readonly burst: number
}

export interface Bucket {
  readonly tokens: number
  /** Milliseconds of whatever clock; when there were so many. */
  readonly at: number
}

/** A full one. */
export const fullBucket = ({ burst }: BucketRate, now: number): Bucket => ({ tokens: burst, at: now })

/** The bucket one token lighter; nothing where it is empty. A clock that goes back fills nothing. */
export const taken = ({ at, tokens }: Bucket, rate: BucketRate, now: number): Bucket | undefined => {
  const filled = Math.min(rate.burst, tokens + (Math.max(0, now - at) / 1_000) * rate.perSecond)
  return filled < 1 ? undefined : { tokens: filled - 1, at: now }
}
