/** A command as data: what it takes, what its help says, and what it does. */
import type { NodeContext } from "@effect/platform-node/NodeContext"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { CliFailure } from "./CliFailure.ts"
import { type GivenOf, type Options, parse, type Takes } from "./Parse.ts"

/** A name with what is said of it. */
export type Named = readonly [name: string, help: string]

/** What the help of a command says. */
export interface Manual extends Takes<Options> {
  /** The words that call it: `audit list`. */
  readonly name: string
  /** A few words, for the list of commands. */
  readonly summary: string
  /** Whole sentences. */
  readonly about: string
  /** The variables of the environment that matter to it. */
  readonly environment: ReadonlyArray<Named>
  readonly examples: ReadonlyArray<string>
  /** What exit code 1 means. */
  readonly failure: string
}

export type Run = Effect.Effect<void, CliFailure, NodeContext>

export interface Command extends Manual {
  /** What there is to do for these arguments; left says what is wrong with them. */
  readonly read: (args: ReadonlyArray<string>) => Either.Either<Run | "help", string>
}

/** A command with what it does. */
export const command = <const O extends Options>(
  manual: Omit<Manual, "options"> & Takes<O>,
  run: (given: GivenOf<O>) => Run,
): Command => ({
  ...manual,
  read: (args) => Either.map(parse(manual, args), (given) => (given === "help" ? given : run(given))),
})
