/** The name of one run of the gateway, as the keys of its records and its spill files bear it. */
import { randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Later runs have greater names, and no two the same. */
export const newRun: Effect.Effect<string> = Effect.map(
  Clock.currentTimeMillis,
  (now) => `${now.toString(16).padStart(12, "0")}${randomBytes(6).toString("hex")}`,
)
