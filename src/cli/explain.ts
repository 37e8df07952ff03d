/** `sluice explain`: where a request for a model would go, and why; with `--running`, what a running gateway takes the upstreams for. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { renderProblem } from "../config/ConfigFile.ts"
import { makeSnapshot } from "../config/Snapshots.ts"
import { explain as explainPlan, render, renderNow, type UpstreamNow } from "../domain/Explain.ts"
import { CliFailure } from "./CliFailure.ts"
import { type Command, command } from "./Command.ts"
import { configOption, configPath, configVariable, readConfig } from "./configFile.ts"
import { usageOf } from "./Help.ts"

const manual = {
  name: "explain",
  summary: "Show where requests for a model go, and why",
  about:
    "Prints the plan of a request for a model: which upstreams match and why, their shares, and what follows where they fail.",
  argument: { name: "MODEL", help: "the model a caller would ask for", optional: true },
  options: {
    model: { short: "m", value: "MODEL", help: "the same" },
    prompt: {
      short: "p",
      value: "TEXT",
      help: "what the conversation begins with: under `deterministic` it decides the order",
    },
    config: configOption,
    running: {
      value: "ADDRESS",
      help: "of a running gateway, localhost:8000: also print which upstreams it has set aside",
    },
  },
  examples: ["sluice explain gpt-4o", "sluice explain gpt-4o --running localhost:8000"],
  environment: [configVariable],
  failure: "nobody serves the model",
} as const

/** The part of `/health?verbose` that is told. */
const Health = Schema.Struct({
  upstreams: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      state: Schema.Literal("closed", "open", "half_open"),
      reason: Schema.NullOr(Schema.String),
      probe_at: Schema.NullOr(Schema.String),
      in_flight: Schema.Number,
      waiting: Schema.Number,
    }),
  ),
})

/** How long a gateway may take to tell. */
const healthTimeout = "5 seconds"

const upstreamsAt = (address: string): Effect.Effect<ReadonlyArray<UpstreamNow>, CliFailure> =>
  HttpClient.get(`${address.replace(/\/(?:v1\/?)?$/, "")}/health?verbose`).pipe(
    Effect.flatMap(HttpClientResponse.schemaBodyJson(Health)),
    Effect.timeout(healthTimeout),
    Effect.map(({ upstreams }) =>
      upstreams.map(({ in_flight, probe_at, ...rest }) => ({
        ...rest,
        probeAt: probe_at,
        inFlight: in_flight,
      })),
    ),
    Effect.mapError(
      () =>
        new CliFailure({
          exitCode: 1,
          message: `--running ${address}: no Sluice answers there. Say the address of one, such as http://localhost:8000.`,
        }),
    ),
    Effect.provide(FetchHttpClient.layer),
  )

export const explain: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const model = given.argument ?? given.text("model")
    if (model === undefined) {
      const message = `sluice: MODEL is missing: ${manual.argument.help}\n\n${usageOf(manual)}`
      return yield* new CliFailure({ exitCode: 2, message })
    }
    const path = yield* configPath(given.text("config"))
    const loaded = yield* readConfig(path)
    if (Either.isLeft(loaded)) {
      return yield* new CliFailure({
        exitCode: 1,
        message: loaded.left.map((problem) => renderProblem(path, problem)).join("\n"),
      })
    }
    const snapshot = makeSnapshot(loaded.right.config, { generation: 1, loadedAt: 0 })
    const explanation = explainPlan(snapshot, { model, prompt: given.text("prompt") })
    yield* Console.log(render(explanation))
    if (explanation.groups.length === 0) {
      return yield* new CliFailure({ exitCode: 1, message: "" })
    }
    const running = given.text("running")
    if (running !== undefined) {
      const now = yield* upstreamsAt(running)
      yield* Console.log(`\n${renderNow(explanation, running, now)}`)
    }
  }),
)
