/** `sluice explain`: where a request for a model would go, and why; with `--running`, what a running gateway takes the upstreams for. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { renderProblem } from "../config/ConfigFile.ts"
import { makeSnapshot } from "../config/Snapshots.ts"
import { explain as explainPlan, render, renderNow, type UpstreamNow } from "../domain/Explain.ts"
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

const running = Options.text("running").pipe(
  Options.withDescription(
    "The address of a running gateway, such as http://localhost:8000: also prints which upstreams it has set aside, and why.",
  ),
  Options.optional,
)

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

export const explain = Command.make(
  "explain",
  { model, prompt, config, running },
  ({ config, model, prompt, running }) =>
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
      if (Option.isSome(running)) {
        const now = yield* upstreamsAt(running.value)
        yield* Console.log(`\n${renderNow(explanation, running.value, now)}`)
      }
    }),
).pipe(
  Command.withDescription(
    "Prints the plan for a model: which upstreams match and why, their shares, the fallbacks.",
  ),
)
