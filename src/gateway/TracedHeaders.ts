/** The headers of a request as its upstream is to have them where traces are on: they name the attempt's own span in place of the caller's. */
import type { AttemptSpan } from "../audit/record/RequestTrace.ts"
import type { ReceivedHeaders } from "../wire/Headers.ts"

/** Without a span, the caller's own trace goes through as it came. */
export const tracedHeaders = (headers: ReceivedHeaders, span: AttemptSpan | undefined): ReceivedHeaders =>
  span === undefined ? headers : { ...headers, traceparent: span.traceparent, tracestate: span.tracestate }
