/**
 * When a streamed answer begins towards its client: with the first event that says something. A role, an empty delta or filter results wait with
 * it, so that another upstream can be asked unseen where nothing but an error follows them.
 */
import type { SseEvent } from "../wire/Sse.ts"
import type { Meaning, StreamGrammar } from "./StreamGrammar.ts"

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
  | Extract<Meaning, { readonly kind: "error" | "over" }>

/** Beyond it an answer begins whatever it says: an upstream that sends empty deltas for minutes is alive, and held in memory. */
const mostWaiting: Waiting = { events: 256, bytes: 256 * 1024 }

const begins: Start = { kind: "begins" }

/** What the next event means, behind those that wait. */
export const startWith = (
  { meaning }: Pick<StreamGrammar, "meaning">,
  waiting: Waiting,
  event: SseEvent,
): Start => {
  const meant = meaning(event)
  if (meant.kind === "says") return begins
  if (meant.kind !== "says_nothing") return meant
  const events = waiting.events + 1
  const bytes = waiting.bytes + event.data.length
  return events > mostWaiting.events || bytes > mostWaiting.bytes
    ? begins
    : { kind: "waits", waiting: { events, bytes } }
}
