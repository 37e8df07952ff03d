/** `sluice explain`: where a request for a model would go, and why; with `--running`, what a running gateway takes the upstreams for. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { toldToOperator } from "../config/file/ConfigFile.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { makeSnapshot } from "../config/Snapshots.ts"
import { endpointNamed, endpointNames } from "../explain/AskedEndpoint.ts"
import { explain as explainPlan } from "../explain/Explain.ts"
import { passedInWords } from "../explain/ExplainPassed.ts"
import { render, renderNow } from "../explain/ExplainText.ts"
import { planTold } from "../explain/PlanTold.ts"
import { printableJson } from "../terminal/Printable.ts"
import { nearest } from "../wire/Nearest.ts"
import { CliFailure } from "./CliFailure.ts"
import { type Command, command } from "./Command.ts"
import { configOption, configPath, configVariable, readConfig } from "./configFile.ts"
import { usageOf } from "./Help.ts"
import { write } from "./Output.ts"
import { adminKeyVariable, upstreamsAt } from "./runningGateway.ts"

const manual = {
  name: "explain",
  summary: "Show where requests for a model go, and why",
  about:
    "Prints the plan of a request for a model: which upstreams match and why, their shares, and what follows when they fail.",
  argument: { name: "MODEL", help: "the model a caller would ask for", optional: true },
  options: {
    model: { short: "m", value: "MODEL", help: "the same" },
    endpoint: {
      short: "e",
      value: "NAME",
      help: "explain a request to this endpoint, such as responses, messages, embeddings or a path: also print where each client is asked, and in which dialect; a path that is handed on needs no MODEL",
    },
    prompt: {
      short: "p",
      value: "TEXT",
      help: "what the conversation begins with: under `deterministic` it decides the order",
    },
    json: { help: "the plan as one JSON object" },
    config: configOption,
    running: {
      value: "ADDRESS",
      help: "the address of a running gateway, such as localhost:8000: also print which upstreams it has set aside",
    },
  },
  examples: [
    "sluice explain gpt-4o",
    "sluice explain gpt-4o --endpoint responses",
    "sluice explain gpt-4o --running localhost:8000",
  ],
  environment: [configVariable, [adminKeyVariable, "for --running: one of the gateway's admin.keys"]],
  failure: "nobody serves the model",
} as const

const misused = (message: string) => new CliFailure({ exitCode: 2, message: `sluice: ${message}` })

/** The endpoint that was asked for, if one was: an operation with a plan, or a path that is handed on. */
const endpointIn = (name: string | undefined, rules: Snapshot["passthrough"]) => {
  if (name === undefined)
    return Effect.succeed({ kind: "operation", operation: undefined, model: undefined } as const)
  const found = endpointNamed(name, rules)
  const shown = JSON.stringify(name)
  switch (found.kind) {
    case "operation":
    case "passed":
      return Effect.succeed(found)
    case "kept":
      return Effect.fail(
        misused(
          `${found.operation.name} is asked by the id of a response, and goes to the client that made it, whatever the model`,
        ),
      )
    case "unclear":
      return Effect.fail(misused(`${shown} could be read as another path, and is refused`))
    case "unknown": {
      const meant = nearest(name.toLowerCase(), endpointNames)
      const instead =
        meant === undefined
          ? `it is one of ${endpointNames.join(", ")}, or a path of a rule of passthrough`
          : `did you mean ${meant}?`
      return Effect.fail(misused(`there is no endpoint ${shown}; ${instead}`))
    }
  }
}

export const explain: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const path = yield* configPath(given.text("config"))
    const { loaded } = yield* readConfig(path)
    if (Either.isLeft(loaded)) {
      return yield* new CliFailure({
        exitCode: 1,
        message: loaded.left.map((problem) => toldToOperator(path, problem)).join("\n"),
      })
    }
    const { config } = loaded.right
    const snapshot = makeSnapshot(config, { generation: 1, loadedAt: 0, env: process.env })
    const endpoint = yield* endpointIn(given.text("endpoint"), snapshot.passthrough)
    if (endpoint.kind === "passed") {
      const { forMachines, inWords } = passedInWords(given.text("endpoint") ?? "", endpoint)
      return yield* write(
        given.flag("json") ? `${printableJson(JSON.stringify(forMachines))}\n` : `${inWords}\n`,
      )
    }
    const model = given.argument ?? given.text("model") ?? endpoint.model
    if (model === undefined) {
      const message = `sluice: MODEL is missing: ${manual.argument.help}\n\n${usageOf(manual)}`
      return yield* new CliFailure({ exitCode: 2, message })
    }
    const { operation } = endpoint
    const explanation = explainPlan(snapshot, { model, operation, prompt: given.text("prompt") })
    const running = given.text("running")
    if (given.flag("json")) {
      const now = running === undefined ? undefined : yield* upstreamsAt(running, config)
      yield* write(`${printableJson(JSON.stringify(planTold(explanation, now)))}\n`)
    } else yield* write(`${render(explanation)}\n`)
    const isServed = explanation.groups.length > 0
    if (running !== undefined && !given.flag("json") && (isServed || explanation.passedBy.length > 0)) {
      const now = yield* upstreamsAt(running, config)
      yield* write(`\n${renderNow(explanation, running, now)}\n`)
    }
    if (!isServed) return yield* new CliFailure({ exitCode: 1, message: "" })
  }).pipe(Effect.catchTag("OutputClosed", () => Effect.void)),
)
