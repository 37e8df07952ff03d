/** How fast a streamed answer was written, once it had begun. */

/**
 * Milliseconds for each output token behind the first; `undefined` where the answer was not streamed, or reported no tokens or but one.
 *
 * @param latencyMs until the last byte was out
 * @param ttftMs until the first content was here
 */
export const perTokenMs = (
  latencyMs: number,
  ttftMs: number | undefined,
  outputTokens: number | undefined,
): number | undefined =>
  ttftMs === undefined || outputTokens === undefined || outputTokens < 2
    ? undefined
    : Math.max(0, latencyMs - ttftMs) / (outputTokens - 1)
