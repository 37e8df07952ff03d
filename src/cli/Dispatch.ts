/** Which command is meant, what is printed where that cannot be told, and how the process ends. */
import type { NodeContext } from "@effect/platform-node/NodeContext"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { version } from "../version.ts"
import { CliFailure } from "./CliFailure.ts"
import type { Command } from "./Command.ts"
import { helpOf, helpOfAll, usageOf } from "./Help.ts"
import { type OutputClosed, write } from "./Output.ts"
import { unknown } from "./Parse.ts"

const wordsOf = ({ name }: Command): ReadonlyArray<string> => name.split(" ")

const misused = (message: string, usage: string, help: string) =>
  new CliFailure({
    exitCode: 2,
    message: `sluice: ${message}\n\n${usage}\n"${help} --help" says more.`,
  })

/** What these words call; `family` are the first ones of some commands, such as `audit`. */
type Meant =
  | { readonly command: Command; readonly args: ReadonlyArray<string> }
  | { readonly family: string; readonly args: ReadonlyArray<string> }

const meant = (commands: ReadonlyArray<Command>, args: ReadonlyArray<string>): Meant => {
  for (const command of commands) {
    const words = wordsOf(command)
    if (words.every((word, at) => word === args[at])) return { command, args: args.slice(words.length) }
  }
  const family = commands.map((command) => wordsOf(command)[0]).find((word) => word === args[0])
  return family === undefined ? { family: "", args } : { family, args: args.slice(1) }
}

const isHelp = (word: string | undefined) => word === "help" || word === "--help" || word === "-h"
const isVersion = (word: string | undefined) => word === "version" || word === "--version" || word === "-V"

type Written = Effect.Effect<void, CliFailure | OutputClosed>

/** What is printed of a family of commands, or of words that call nothing. */
const ofFamily = (commands: ReadonlyArray<Command>, family: string, args: ReadonlyArray<string>): Written => {
  const [word] = args
  if (word === undefined || isHelp(word)) return write(helpOfAll(family, commands))
  const depth = family === "" ? 0 : 1
  const known = [
    ...new Set(
      commands
        .map(wordsOf)
        .flatMap((words) => (depth === 0 || words[0] === family ? (words[depth] ?? []) : [])),
    ),
  ]
  const called = family === "" ? "sluice" : `sluice ${family}`
  const what = word.startsWith("-") ? "flag" : family === "" ? "command" : `command of ${family}`
  return misused(
    unknown(what, word, word.startsWith("-") ? [] : known),
    `Usage: ${called} <command> [options], where the command is one of ${known.join(", ")}`,
    called,
  )
}

const dispatch = (
  commands: ReadonlyArray<Command>,
  args: ReadonlyArray<string>,
): Effect.Effect<void, CliFailure | OutputClosed, NodeContext> => {
  if (isVersion(args[0])) return write(`${version}\n`)
  if (args[0] === "help")
    return dispatch(commands, [...args.slice(1).filter((word) => !isHelp(word)), "--help"])
  const called = meant(commands, args)
  if ("family" in called) return ofFamily(commands, called.family, called.args)
  const { command } = called
  if (isVersion(called.args[0]) && called.args[0] !== "version") return write(`${version}\n`)
  return Either.match(command.read(called.args), {
    onLeft: (wrong) => misused(wrong, usageOf(command), `sluice ${command.name}`),
    onRight: (run) => (run === "help" ? write(helpOf(command)) : run),
  })
}

/** Runs the one of these commands that the arguments call. */
export const runCommand = (
  commands: ReadonlyArray<Command>,
  args: ReadonlyArray<string>,
): Effect.Effect<void, CliFailure, NodeContext> =>
  dispatch(commands, args).pipe(
    // Who reads has seen enough (`| head`).
    Effect.catchTag("OutputClosed", () => Effect.void),
    Effect.tapErrorTag("CliFailure", ({ message }) =>
      message === "" ? Effect.void : Console.error(message),
    ),
    Effect.tapDefect((defect) => Console.error(`sluice: ${Cause.pretty(defect)}`)),
  )

/** How a process ends: 0 for success and for having been told to stop, else what the failure says, and 1 for a defect. */
export const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return 0
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return failure instanceof CliFailure ? failure.exitCode : 1
}
