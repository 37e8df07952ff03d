/**
 * How properties are tried. As a rule with the same seed each time: a rare counterexample would otherwise stop a change that has nothing to do with it.
 * `FC_SEED` names another, or is `random`. With `FUZZ_SECONDS`, each property is tried for that long (scripts/fuzz.js).
 */
import type fc from "fast-check"

const seconds = Number(process.env["FUZZ_SECONDS"] ?? 0)

const said = process.env["FC_SEED"] ?? "1"

/** How often a property is tried: that many times, or as often as fits into `FUZZ_SECONDS`. */
export const runs = (numRuns: number): number => (seconds > 0 ? Number.MAX_SAFE_INTEGER : numRuns)

/** What holds for every property, unless it says otherwise. */
export const howTried: fc.GlobalParameters = {
  // Without a seed, each property draws its own, which stands in the report of a failure.
  ...(said === "random" ? {} : { seed: Number(said) }),
  ...(seconds > 0 ? { numRuns: runs(100), interruptAfterTimeLimit: seconds * 1_000 } : {}),
}
