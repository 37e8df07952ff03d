/**
 * How long the fuzzing goes: a few samples of a fixed seed, so that CI sees the same each time; with `FUZZ_SECONDS` as many as fit into that time for
 * each test, from a seed that is new each time and stands in the report of a failure, or is `FUZZ_SEED`.
 */
import type fc from "fast-check"

const seconds = Number(process.env["FUZZ_SECONDS"] ?? 0)

const seedOf = (said: string | undefined): number =>
  said === undefined ? (seconds > 0 ? Date.now() % 2 ** 31 : 1) : Number(said)

const seed = seedOf(process.env["FUZZ_SEED"])

/** @param numRuns without `FUZZ_SECONDS` */
export const runs = (numRuns: number): fc.Parameters<unknown> =>
  seconds > 0
    ? {
        seed,
        numRuns: Number.MAX_SAFE_INTEGER,
        interruptAfterTimeLimit: seconds * 1_000,
        // Finding another cause while a failure is made smaller would only confuse.
        endOnFailure: false,
      }
    : { seed, numRuns }

/** For the test around it: what a failure takes to be made smaller comes on top. */
export const timeoutMs = seconds * 1_000 + 120_000
