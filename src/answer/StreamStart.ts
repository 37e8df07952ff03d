/**
 * When a streamed answer begins towards its client: with the first event that says something. A role, an empty delta or filter results wait with
 * it, so that another upstream can be asked unseen where nothing but an error follows them.
 */
import type { ShapedError } from "../errors/SaidError.ts"
import { answerLimits, outlineOf } from "../wire/JsonOutline.ts"
import { isDone, type SseEvent } from "../wire/Sse.ts"
import { errorOf, says } from "./Verdict.ts"

/** The events that wait. */
export interface Waiting {
  readonly events: number
  readonly bytes: number
}

export const noneWaiting: Waiting = { events: 0, bytes: 0 }

/** What an event means for a stream that has not begun. */
export type Start =
  | { readonly kind: "begins" }
  | { readonly kind: "waits"; readonly waiting: Waiting }
  | { readonly kind: "error"; readonly error: ShapedError }
  /** It is over, and nothing was said. */
  | { readonly kind: "over" }

/** Beyond it an answer begins whatever it says: an upstream that sends empty deltas for minutes is alive, and held in memory. */
const mostWaiting: Waiting = { events: 256, bytes: 256 * 1024 }

const begins: Start = { kind: "begins" }

/** What the next event means, behind those that wait. */
export const startWith = (waiting: Waiting, event: SseEvent): Start => {
  if (isDone(event)) return { kind: "over" }
  const chunk = outlineOf(event.data, answerLimits)
  const error = errorOf(event, chunk)
  if (error !== undefined) return { kind: "error", error }
  if (chunk !== undefined && says(chunk)) return begins
  const events = waiting.events + 1
  const bytes = waiting.bytes + event.data.length
  return events > mostWaiting.events || bytes > mostWaiting.bytes
    ? begins
    : { kind: "waits", waiting: { events, bytes } }
}
