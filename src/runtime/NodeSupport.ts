/** What is to be said of the Node that runs: whether its holes are still mended, and whether those that are known are. */

/** The first releases without a hole known to be open when this was written: those of 21 October 2026 (CVE-2026-111497 and others). */
const mended: ReadonlyMap<number, readonly [minor: number, patch: number]> = new Map([
  [22, [23, 4]],
  [24, [22, 1]],
  [26, [12, 1]],
])

/** What to run instead: the long-term release that is mended longest. */
const best = 24

/** When the last of the old ones ended; the odd ones each end when the next even one is half a year old. */
const ended: ReadonlyMap<number, string> = new Map([
  [20, "April 2026"],
  [21, "June 2024"],
  [23, "June 2025"],
  [25, "June 2026"],
])

/**
 * A sentence for the operator, or `undefined` where there is nothing to say.
 *
 * @param version as `process.versions.node` has it
 */
export const nodeAdvice = (version: string): string | undefined => {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map((part) => Number.parseInt(part, 10))
  const least = mended.get(major)
  if (least === undefined) {
    const since = ended.get(major)
    if (since === undefined && major > best) return undefined
    return `Node ${version} is out of support${since === undefined ? "" : ` since ${since}`}, and holes found since then stay open in it: use Node ${best}`
  }
  const isMended = minor > least[0] || (minor === least[0] && patch >= least[1])
  return isMended
    ? undefined
    : `Node ${version} has known security holes, which are closed in ${major}.${least.join(".")}: update it`
}
