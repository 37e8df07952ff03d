/** `sluice check`: whether a configuration is good, and everything that is wrong with it. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { renderProblem } from "../config/ConfigFile.ts"
import { CliFailure } from "./CliFailure.ts"
import { configPath, readConfig } from "./configFile.ts"

const file = Args.text({ name: "file" }).pipe(
  Args.withDescription("The configuration to check; CONFIG_PATH or config/config.yaml if left out."),
  Args.optional,
)

export const check = Command.make("check", { file }, ({ file }) =>
  Effect.gen(function* () {
    const path = yield* configPath(file)
    // @effect/cli takes an unknown option for the argument.
    if (path.startsWith("-")) {
      return yield* new CliFailure({ exitCode: 2, message: `sluice check: there is no option ${path}` })
    }
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
).pipe(Command.withDescription("Checks a configuration and prints every problem with file, line and column."))
