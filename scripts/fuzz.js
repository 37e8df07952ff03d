/**
 * Tries every property for `FUZZ_SECONDS`, from a seed that is new each time unless `FC_SEED` names it. Files or folders may be given, as vitest takes
 * them; otherwise it is every file of tests with a property in it.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { randomInt } from "node:crypto"
import process from "node:process"

const withProperties = () =>
  execFileSync("git", ["grep", "-l", 'from "fast-check"', "--", "test/*.test.ts"], { encoding: "utf8" })
    .trim()
    .split("\n")

const { FC_SEED = String(randomInt(2 ** 31)), FUZZ_SECONDS = "5" } = process.env
const given = process.argv.slice(2)

console.log(`FC_SEED=${FC_SEED}, ${FUZZ_SECONDS} s for each property`)
const { status } = spawnSync(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", ...(given.length > 0 ? given : withProperties())],
  { stdio: "inherit", env: { ...process.env, FC_SEED, FUZZ_SECONDS } },
)
console.log(
  `To try the same again: FC_SEED=${FC_SEED} npm run fuzz${given.map((word) => ` ${word}`).join("")}`,
)
process.exitCode = status ?? 1
