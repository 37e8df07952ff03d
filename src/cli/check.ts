/** `sluice check`: whether a configuration is good, and everything that is wrong with it. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { renderProblem } from "../config/ConfigFile.ts"
import { CliFailure } from "./CliFailure.ts"
import { type Command, command } from "./Command.ts"
import { configPath, configVariable, readConfig } from "./configFile.ts"

const manual = {
  name: "check",
  summary: "Check a configuration",
  about: "Checks a configuration and prints every problem with file, line and column.",
  argument: {
    name: "[FILE]",
    help: "the configuration; else CONFIG_PATH, else config/config.yaml",
    optional: true,
  },
  options: {},
  examples: ["sluice check config/config.yaml"],
  environment: [configVariable, ["$…", "the variables that the configuration names"]],
  failure: "problems found",
} as const

export const check: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const path = yield* configPath(given.argument)
    const loaded = yield* readConfig(path)
    const problems = Either.match(loaded, { onLeft: (all) => all, onRight: ({ warnings }) => warnings })
    for (const problem of problems) yield* Console.log(renderProblem(path, problem))
    if (Either.isLeft(loaded)) {
      const errors = problems.filter(({ severity }) => severity === "error").length
      return yield* new CliFailure({
        exitCode: 1,
        message: `${path}: ${errors} ${errors === 1 ? "problem" : "problems"}`,
      })
    }
    const clients = loaded.right.config.openai_clients.length
    return yield* Console.log(`${path}: good; ${clients} ${clients === 1 ? "client" : "clients"}`)
  }),
)
