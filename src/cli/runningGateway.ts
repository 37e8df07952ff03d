/** What a running gateway says of its upstreams: its `/health?verbose`, asked with the operator's key. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { GatewayConfig } from "../config/schema/GatewayConfig.ts"
import type { UpstreamNow } from "../explain/ExplainText.ts"
import { isLoopback } from "../wire/HostName.ts"
import { parsedUrl } from "../wire/ParsedUrl.ts"
import { CliFailure } from "./CliFailure.ts"

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
        dialects: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
        lacks: Schema.optionalWith(
          Schema.Array(
            Schema.Struct({ dialect: Schema.String, answered: Schema.Number, until: Schema.String }),
          ),
          { default: () => [] },
        ),
      }),
    ),
  ),
})

export const adminKeyVariable = "SLUICE_ADMIN_KEY"

/** Whether the address is of this machine: no other is sent a key that nobody meant for it. */
const isHere = (address: string): boolean => {
  const url = parsedUrl(urlOf(address))
  return url !== undefined && isLoopback(url.hostname)
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
export const urlOf = (address: string): string =>
  (/^https?:\/\//i.test(address) ? address : `http://${address}`).replace(/\/(?:v1\/?)?$/, "")

const toldToOperators = (address: string): CliFailure =>
  new CliFailure({
    exitCode: 1,
    message: `--running ${address}: it tells this to its operator alone. Set ${adminKeyVariable} to one of its admin.keys; where it has none, list one there.`,
  })

/** The upstreams of the gateway at an address, as it takes them for. */
export const upstreamsAt = (
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
