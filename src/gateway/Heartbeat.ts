/** How long a stream may be silent before its client is told, by a comment, that the answer is still coming. */

/** Silence after which a heartbeat is sent. */
export const silenceMs = 15_000

/** How often it is looked for; a heartbeat comes so much later at most. */
export const lookMs = 1_000
