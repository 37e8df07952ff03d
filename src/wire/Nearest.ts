/** Did you mean: the known word nearest to one that is not known. */

/**
 * How many insertions, deletions, replacements and swaps of neighbours lead from one word to the other, no part of the word edited
 * twice (optimal string alignment: https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance).
 */
export const distance = (from: string, to: string): number => {
  const width = to.length + 1
  const row = (at: number): Array<number> => Array.from({ length: width }, (_, j) => (j === 0 ? at : j))
  let beforeLast = row(0)
  let last = row(0)
  for (let i = 1; i <= from.length; i++) {
    const current = row(i)
    for (let j = 1; j < width; j++) {
      const same = from[i - 1] === to[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      }
      current[j] = best
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

/** Whether the letters of `short` stand in `long` in this order: "rnd" in "random", "url" in "base_url". */
const abbreviates = (short: string, long: string): boolean => {
  let at = 0
  for (const letter of long) if (letter === short[at]) at++
  return at === short.length
}

const plain = (word: string): string => word.toLowerCase().replaceAll("-", "_")

/** Words longer than this are not mistyped keys. */
const longestWord = 100

/** The nearest of `known` if one is near enough to have been meant: two fifths of the letters, or an abbreviation. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  if (word.length === 0 || word.length > longestWord) return undefined
  let found: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    if (candidate.length > longestWord) continue
    const far = distance(plain(word), plain(candidate))
    const near =
      far <= 0.4 * Math.max(word.length, candidate.length) ||
      (word.length >= 3 && abbreviates(plain(word), plain(candidate)))
    if (near && far < least) {
      least = far
      found = candidate
    }
  }
  return found
}
