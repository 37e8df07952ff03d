/** How long to wait before connecting again. */

const firstMs = 500
const longestMs = 15_000

/**
 * Doubles from half a second to 15 s, of which a part is chance, so that the pages of many people do not all come back at once.
 *
 * @param failures in a row, from 1
 * @param chance from 0 to 1
 */
export const waitAfter = (failures: number, chance: number): number => {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 20))
  return Math.round(whole * (0.75 + chance / 4))
}
