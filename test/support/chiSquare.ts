/** Pearson's chi-square test, for claims about probabilities. */

/**
 * The probability that a chi-square variable with `freedom` degrees exceeds `statistic`; exact for even degrees, a little too large
 * for odd ones (erfc √x ≤ e⁻ˣ / √(πx)), so that a bound on it rejects less often than it says.
 */
export const chiSquareTail = (statistic: number, freedom: number): number => {
  const x = statistic / 2
  if (x === 0) return 1
  const odd = freedom % 2 === 1
  let term = odd ? Math.exp(-x) * Math.sqrt(x / Math.PI) * 2 : Math.exp(-x)
  let sum = odd ? Math.min(1, Math.exp(-x) / Math.sqrt(Math.PI * x)) : 0
  for (let k = odd ? 1.5 : 1; k <= freedom / 2; k++) {
    sum += term
    term *= x / k
  }
  return Math.min(1, sum)
}

/** Below it the approximation by chi-square is poor: such cells are put together. */
const leastExpected = 5

/**
 * How probable counts at least as far off are where `probabilities` are true: below 1e-9 they are not. (Some hundred such bounds in
 * a run then fail less than once in a million runs; with fixed seeds, never or always.)
 */
export const goodnessOfFit = (
  counts: ReadonlyArray<number>,
  probabilities: ReadonlyArray<number>,
): number => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const cells = counts
    .map((count, index) => ({ count, expected: (probabilities[index] ?? 0) * total }))
    .sort((a, b) => a.expected - b.expected)
  if (cells.some(({ count, expected }) => expected === 0 && count > 0)) return 0
  const pooled: Array<{ count: number; expected: number }> = []
  for (const { count, expected } of cells) {
    const last = pooled.at(-1)
    if (last !== undefined && last.expected < leastExpected) {
      last.count += count
      last.expected += expected
    } else pooled.push({ count, expected })
  }
  const statistic = pooled.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0)
  return pooled.length < 2 ? 1 : chiSquareTail(statistic, pooled.length - 1)
}

/** See `goodnessOfFit`. */
export const implausible = 1e-9
