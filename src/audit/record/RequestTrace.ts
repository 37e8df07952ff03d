/** The trace that a request belongs to, where traces are on: its own span, and one for each attempt (W3C Trace Context). */
import type { Upstream } from "../../routing/Upstream.ts"

export interface RequestTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** Of the request, 16 hexadecimal digits. */
  readonly spanId: string
  /** The caller's span; none where the trace begins here. */
  readonly parentId: string | undefined
  /** It is kept. */
  readonly isSampled: boolean
  /** What others along the way say of it, as the caller sent it. */
  readonly state: string | undefined
  readonly method: string
  /** The path that is served, without what callers choose. */
  readonly route: string
  /** An upstream is asked, at this time in epoch milliseconds. */
  readonly attempt: (upstream: Upstream, beganAt: number) => AttemptSpan
}

/** The span of one attempt. */
export interface AttemptSpan {
  readonly id: string
  readonly upstream: Upstream
  /** What the upstream is told. */
  readonly traceparent: string
  readonly tracestate: string | undefined
  /** Epoch milliseconds, before the wait for a slot. */
  readonly beganAt: number
  /** The answer's last byte came then, or it was given up. */
  endedAt: number
}
