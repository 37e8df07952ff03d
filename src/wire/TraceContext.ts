/** What a caller says of the trace that its request belongs to, and what an upstream is told (W3C Trace Context). */

export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

/** Later versions may have more behind the flags; 00 has not, and ff is none. */
const written = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/

const isZero = (id: string): boolean => !/[^0]/.test(id)

/** The caller's span; nothing where the header is none that can be gone on from. */
export const parentIn = (traceparent: string | undefined): TraceParent | undefined => {
  const found = traceparent === undefined ? null : written.exec(traceparent.trim())
  if (found === null) return undefined
  const [, version, traceId = "", spanId = "", flags = "", more] = found
  if ((version === "00" && more !== undefined) || isZero(traceId) || isZero(spanId)) return undefined
  return { traceId, spanId, isSampled: Number.parseInt(flags, 16) % 2 === 1 }
}

export const traceparentOf = ({ isSampled, spanId, traceId }: TraceParent): string =>
  `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`

/** Longer ones need not be handed on (§3.3.1.5). */
const longestState = 512

/** What others say of a trace, to be handed on as it came; it means nothing without a trace. */
export const stateIn = (tracestate: string | undefined): string | undefined =>
  tracestate === undefined || tracestate === "" || tracestate.length > longestState ? undefined : tracestate
