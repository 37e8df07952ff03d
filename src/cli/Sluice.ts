/** The command line: `sluice serve`, `check`, `explain` and `audit`, what they print and how they end. */
import { stripVTControlCharacters } from "node:util"
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { version } from "../version.ts"
import { auditCommand } from "./audit.ts"
import { CliFailure } from "./CliFailure.ts"
import { check } from "./check.ts"
import { explain } from "./explain.ts"
import { serve } from "./serve.ts"

const sluice = Command.make("sluice").pipe(
  Command.withDescription(
    "A self-hosted LLM gateway: one OpenAI-compatible endpoint in front of many model providers.",
  ),
  Command.withSubcommands([serve, check, explain, auditCommand]),
)

/** Colour is for terminals, and for people who have not said no (https://no-color.org). */
export const colourful = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""

/** Takes the colours out of what `@effect/cli` prints, where nobody wants to see them. */
const plainConsole = Effect.map(Effect.console, (console): Console.Console => {
  const strip = (colour: boolean, args: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
    colour ? args : args.map((arg) => (typeof arg === "string" ? stripVTControlCharacters(arg) : arg))
  return {
    ...console,
    log: (...args) => console.log(...strip(colourful(process.stdout), args)),
    error: (...args) => console.error(...strip(colourful(process.stderr), args)),
  }
})

/** Runs the command line that `argv` spells, `argv[0]` and `argv[1]` being the runtime and the script. */
export const run = (argv: ReadonlyArray<string>) =>
  Effect.flatMap(plainConsole, (console) =>
    Command.run(sluice, { name: "sluice", version, executable: "sluice" })(
      argv.length > 2 ? argv : [...argv, "--help"],
    ).pipe(
      Effect.tapErrorTag("CliFailure", ({ message }) =>
        message === "" ? Effect.void : Console.error(message),
      ),
      // @effect/cli has printed these already.
      Effect.catchIf(ValidationError.isValidationError, () => Effect.fail(misused)),
      Effect.tapDefect((defect) => Console.error(`sluice: ${Cause.pretty(defect)}`)),
      Effect.provide(CliConfig.layer({ showBuiltIns: false, isCaseSensitive: true })),
      Effect.withConsole(console),
    ),
  )

const misused = new CliFailure({ exitCode: 2, message: "" })

/** How a process ends: 0 for success and for having been told to stop, else what the failure says, and 1 for a defect. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return failure instanceof CliFailure ? failure.exitCode : 1
}
