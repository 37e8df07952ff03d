/** `sluice explain`: where a request for a model would go, and why. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { renderProblem } from "../config/ConfigFile.ts"
import { makeSnapshot } from "../config/Snapshots.ts"
import { explain as explainPlan, render } from "../domain/Explain.ts"
import { CliFailure } from "./CliFailure.ts"
import { configPath, readConfig } from "./configFile.ts"

const model = Options.text("model").pipe(
  Options.withAlias("m"),
  Options.withDescription("The model a client would ask for."),
)

const prompt = Options.text("prompt").pipe(
  Options.withDescription("The conversation's leading content: under `deterministic` it decides the order."),
  Options.optional,
)

const config = Options.text("config").pipe(
  Options.withDescription("The configuration; CONFIG_PATH or config/config.yaml if left out."),
  Options.optional,
)

export const explain = Command.make("explain", { model, prompt, config }, ({ config, model, prompt }) =>
  Effect.gen(function* () {
    const path = yield* configPath(config)
    const loaded = yield* readConfig(path)
    if (Either.isLeft(loaded)) {
      return yield* new CliFailure({
        exitCode: 1,
        message: loaded.left.map((problem) => renderProblem(path, problem)).join("\n"),
      })
    }
    const snapshot = makeSnapshot(loaded.right.config, { generation: 1, loadedAt: 0 })
    const explanation = explainPlan(snapshot, { model, prompt: Option.getOrUndefined(prompt) })
    yield* Console.log(render(explanation))
    if (explanation.groups.length === 0) {
      return yield* new CliFailure({ exitCode: 1, message: "" })
    }
  }),
).pipe(
  Command.withDescription(
    "Prints the plan for a model: which upstreams match and why, their shares, the fallbacks.",
  ),
)
