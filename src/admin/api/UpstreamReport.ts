/** The clients of the configuration as the gateway takes them for, all its processes together. */
import * as Schema from "effect/Schema"
import { instant, known, maybe } from "./Described.ts"

const quantile = (description: string) => maybe(Schema.Number, `${description}, in milliseconds`)

const State = Schema.Literal("closed", "open", "half_open")

const breakerFields = {
  state: known(State, "closed: asked in its turn. open: asked after all others. half_open: being probed"),
  reason: maybe(
    Schema.String,
    "Why it is set aside: failing, rate_limited, credentials_rejected, out_of_credit, model_missing",
  ),
  probe_at: maybe(Schema.String, "When it is asked in its turn again (UTC)"),
}

/** What became of the attempts of a time. */
const Recent = Schema.Struct({
  attempts: known(Schema.Number, "How often it was asked"),
  errors: known(
    Schema.Number,
    "How often it gave no answer, or broke one off; a request that was refused for its sender's mistake is none of them",
  ),
  latency_p50: quantile("Half of the attempts were over within, with all of their answer"),
  latency_p95: quantile("19 of 20 were over within"),
  ttft_p50: quantile("Half of the streams had their first content within, since it was asked"),
  ttft_p95: quantile("19 of 20 had their first content within"),
}).annotations({ identifier: "RecentAttempts" })

export interface RecentAttempts extends Schema.Schema.Type<typeof Recent> {}

export const UpstreamTold = Schema.Struct({
  name: known(Schema.String, "Its name"),
  host: known(Schema.String, "The host it is asked at"),
  dialects: known(Schema.Array(Schema.String), "The conversation dialects it speaks, as far as is known"),
  dialects_assumed: known(Schema.Boolean, "They are assumed, not configured"),
  lacks: known(
    Schema.Array(
      Schema.Struct({
        dialect: known(Schema.String, "The dialect"),
        answered: known(Schema.Number, "The status that said so"),
        until: instant("When it is tried again"),
      }),
    ),
    "Dialects it said it lacks, although they were expected",
  ),
  match: known(
    Schema.Struct({
      type: known(Schema.String, "keyword, exact …"),
      values: known(Schema.Array(Schema.String), "The values"),
    }),
    "Which models it serves",
  ),
  priority: known(Schema.Number, "Its part of the traffic"),
  fallback: maybe(Schema.String, "What follows when it fails"),
  ...breakerFields,
  since: maybe(Schema.String, "Since when it is set aside (UTC)"),
  failures: maybe(Schema.Number, "Failures in a row, while closed"),
  openings_total: known(Schema.Number, "How often it was set aside since the start"),
  in_flight: known(Schema.Number, "Calls under way"),
  slots: maybe(Schema.Number, "How many calls it is sent at once in all processes; null: no limit"),
  waiting: known(Schema.Number, "Requests that wait for a slot"),
  models: known(
    Schema.Array(Schema.Struct({ model: known(Schema.String, "The model"), ...breakerFields })),
    "Models that are set aside by themselves",
  ),
  last_error: maybe(
    Schema.Struct({
      at: instant("When"),
      status: maybe(Schema.Number, "The status, where there was one"),
      cause: maybe(Schema.String, "What it said or did, without secrets"),
    }),
    "Its last failure",
  ),
  last_5m: known(Recent, "The last 5 minutes"),
  last_1h: known(Recent, "The last hour"),
}).annotations({ identifier: "Upstream" })

export interface UpstreamTold extends Schema.Schema.Type<typeof UpstreamTold> {}

export const UpstreamReport = Schema.Struct({
  workers: known(Schema.Number, "How many processes it is of"),
  upstreams: known(Schema.Array(UpstreamTold), "In the order of the configuration"),
}).annotations({ identifier: "UpstreamReport" })

export interface UpstreamReport extends Schema.Schema.Type<typeof UpstreamReport> {}
