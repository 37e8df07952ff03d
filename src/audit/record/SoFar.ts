/** What is known so far of a request under way, for whoever looks at it. */
import type { Upstream } from "../../routing/Upstream.ts"

/** An upstream that is asked at the moment. */
export interface AskedUpstream {
  readonly upstream: Upstream
  /** Epoch milliseconds, before the wait for a slot. */
  readonly beganAt: number
  /** It needs no slot, or has one. */
  readonly hasSlot: boolean
  /** It is asked beside another that is slow. */
  readonly isHedge: boolean
}

export interface SoFar {
  readonly model: string | undefined
  readonly stream: boolean | undefined
  readonly keyFingerprint: string | undefined
  readonly conversation: string | undefined
  /** Of a stream that has begun. */
  readonly ttftMs: number | undefined
  /** One, or two where one is asked beside another. */
  readonly asked: ReadonlyArray<AskedUpstream>
  /** What it is answered with is known. */
  readonly isAnswered: boolean
  /** It is answered with what many upstreams say, none of which it asks itself. */
  readonly isGathered: boolean
}
