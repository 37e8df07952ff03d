/** `sluice explain`: where a request for a model would go, and why; with `--running`, what a running gateway takes the upstreams for. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { toldToOperator } from "../config/file/ConfigFile.ts"
import { makeSnapshot } from "../config/Snapshots.ts"
import type { GatewayConfig } from "../config/schema/GatewayConfig.ts"
import { allOperations, operationCalled, type ServedOperation } from "../operations/Operations.ts"
import { printableJson } from "../terminal/Printable.ts"
import { isLoopback } from "../wire/HostName.ts"
import { nearest } from "../wire/Nearest.ts"
import { CliFailure } from "./CliFailure.ts"
import { type Command, command } from "./Command.ts"
import { configOption, configPath, configVariable, readConfig } from "./configFile.ts"
import { type Explanation, explain as explainPlan } from "./explain/Explain.ts"
import { render, renderNow, type UpstreamNow } from "./explain/ExplainText.ts"
import { usageOf } from "./Help.ts"
import { write } from "./Output.ts"

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
      help: "explain a request to this endpoint, such as responses, messages or embeddings: also print who is left out, and where each client is asked",
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
  environment: [configVariable, ["SLUICE_ADMIN_KEY", "for --running: one of the gateway's admin.keys"]],
  failure: "nobody serves the model",
} as const

/** The part of `/health?verbose` that is told. */
const Health = Schema.Struct({
  version: Schema.String,
  /** Absent where they are told to operators alone. */
  upstreams: Schema.optional(
    Schema.Array(
      Schema.Struct({
        name: Schema.String,
        state: Schema.Literal("closed", "open", "half_open"),
        reason: Schema.NullOr(Schema.String),
        probe_at: Schema.NullOr(Schema.String),
        in_flight: Schema.Number,
        waiting: Schema.Number,
      }),
    ),
  ),
})

const adminKeyVariable = "SLUICE_ADMIN_KEY"

/** Whether the address is of this machine: no other is sent a key that nobody meant for it. */
const isHere = (address: string): boolean => {
  const url = urlOf(address)
  return URL.canParse(url) && isLoopback(new URL(url).hostname)
}

/** With the key of the environment, else, on this machine, with that of the configuration. */
const withAdminKey = (address: string, keys: GatewayConfig["admin"]["keys"]) => {
  const [configured] = isHere(address) ? keys : []
  const key = process.env[adminKeyVariable] ?? (configured === undefined ? "" : Redacted.value(configured))
  return key === "" ? <A>(request: A): A => request : HttpClientRequest.bearerToken(key)
}

/** How long a gateway may take to tell. */
const healthTimeout = "5 seconds"

/** `localhost:8000` is an address, too. */
const urlOf = (address: string): string =>
  (/^https?:\/\//i.test(address) ? address : `http://${address}`).replace(/\/(?:v1\/?)?$/, "")

const toldToOperators = (address: string): CliFailure =>
  new CliFailure({
    exitCode: 1,
    message: `--running ${address}: it tells this to its operator alone. Set ${adminKeyVariable} to one of its admin.keys.`,
  })

const upstreamsAt = (
  address: string,
  { admin }: GatewayConfig,
): Effect.Effect<ReadonlyArray<UpstreamNow>, CliFailure> =>
  HttpClientRequest.get(`${urlOf(address)}/health?verbose`).pipe(
    withAdminKey(address, admin.keys),
    HttpClient.execute,
    Effect.filterOrFail(
      ({ status }) => status !== 401,
      () => toldToOperators(address),
    ),
    Effect.flatMap(HttpClientResponse.schemaBodyJson(Health)),
    Effect.timeout(healthTimeout),
    Effect.flatMap(({ upstreams }) =>
      upstreams === undefined ? Effect.fail(toldToOperators(address)) : Effect.succeed(upstreams),
    ),
    Effect.map((upstreams) =>
      upstreams.map(({ in_flight, probe_at, ...rest }) => ({
        ...rest,
        probeAt: probe_at,
        inFlight: in_flight,
      })),
    ),
    Effect.mapError((failure) =>
      failure instanceof CliFailure
        ? failure
        : new CliFailure({
            exitCode: 1,
            message: `--running ${address}: no Sluice answers there. Say the address of one, such as http://localhost:8000.`,
          }),
    ),
    Effect.provide(FetchHttpClient.layer),
  )

/** The operation that somebody names as the audit does, by its dialect, or by its path. */
const operationNamed = (name: string | undefined): Effect.Effect<ServedOperation | undefined, CliFailure> => {
  if (name === undefined) return Effect.succeed(undefined)
  const asked = name.toLowerCase()
  const path = `/${asked.replace(/^\/*(?:v1\/)?/, "")}`
  const found =
    operationCalled(asked) ??
    allOperations.find(({ dialect }) => dialect === asked) ??
    allOperations.find(({ paths }) => paths.some((one) => one === path || one === `/${path}`))
  if (found !== undefined) return Effect.succeed(found)
  const names = allOperations.map((operation) => operation.name)
  const meant = nearest(asked, names)
  return Effect.fail(
    new CliFailure({
      exitCode: 2,
      message: `sluice: there is no endpoint ${JSON.stringify(name)}; ${
        meant === undefined ? `it is one of ${names.join(", ")}` : `did you mean ${meant}?`
      }`,
    }),
  )
}

/** The plan with the names that the configuration and /health use. */
const forMachines = (
  { abridged, dialect, endpoint, groups, model, passedBy, prompt, retry, served, strategy }: Explanation,
  now: ReadonlyArray<UpstreamNow> | undefined,
) => ({
  model,
  endpoint: endpoint ?? "chat.completions",
  dialect: dialect ?? null,
  left_out: passedBy.map(({ dialects, upstream }) => ({ client: upstream, dialects })),
  strategy,
  prompt,
  retry: { rounds: retry.rounds, base_delay_ms: retry.baseDelayMs, max_delay_ms: retry.maxDelayMs },
  groups: groups.map(({ fallback, label, targets }) => ({
    label,
    fallback: fallback ?? null,
    targets: targets.map(({ share, timeouts, upstream, upstreamModel, weight, ...target }) => ({
      client: upstream,
      share: share ?? null,
      priority: weight,
      why: target.why,
      sends: upstreamModel,
      url: target.url,
      key: target.key,
      fallback: target.fallback ?? null,
      timeouts,
    })),
  })),
  abridged,
  served: served.map(({ match, upstream }) => ({ client: upstream, match })),
  ...(now === undefined ? {} : { now }),
})

export const explain: Command = command(manual, (given) =>
  Effect.gen(function* () {
    const model = given.argument ?? given.text("model")
    if (model === undefined) {
      const message = `sluice: MODEL is missing: ${manual.argument.help}\n\n${usageOf(manual)}`
      return yield* new CliFailure({ exitCode: 2, message })
    }
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
    const operation = yield* operationNamed(given.text("endpoint"))
    const explanation = explainPlan(snapshot, { model, operation, prompt: given.text("prompt") })
    const running = given.text("running")
    if (given.flag("json")) {
      const now = running === undefined ? undefined : yield* upstreamsAt(running, config)
      yield* write(`${printableJson(JSON.stringify(forMachines(explanation, now)))}\n`)
    } else yield* write(`${render(explanation)}\n`)
    if (explanation.groups.length === 0) {
      return yield* new CliFailure({ exitCode: 1, message: "" })
    }
    if (running !== undefined && !given.flag("json")) {
      const now = yield* upstreamsAt(running, config)
      yield* write(`\n${renderNow(explanation, running, now)}\n`)
    }
  }).pipe(Effect.catchTag("OutputClosed", () => Effect.void)),
)
