/** How many requests, errors and tokens there were, and how fast, by group, with the period before for comparing. */
import * as Schema from "effect/Schema"
import { instant, known, maybe } from "./Described.ts"
import { usageGroups } from "./RequestQuery.ts"

const sum = (description: string) => maybe(Schema.Number, description)
const quantile = (description: string) => maybe(Schema.Number, `${description}, in milliseconds`)

export const UsageOf = Schema.Struct({
  group: maybe(
    Schema.String,
    "2026-11-22 of a day, 2026-11-22T17 of an hour, else a name; null gathers what has none",
  ),
  requests: known(Schema.Number, "All requests"),
  errors: known(Schema.Number, "Requests that clients or the gateway failed"),
  rejected: known(Schema.Number, "Requests that were refused for what they were; they count as no error"),
  prompt_tokens: sum("Tokens of prompts"),
  completion_tokens: sum("Tokens of answers"),
  cached_tokens: sum("Tokens of prompts that came out of providers' caches"),
  reasoning_tokens: sum("Tokens of answers spent on thinking"),
  latency_p50: quantile("Half were answered within"),
  latency_p95: quantile("19 of 20 were answered within"),
  ttft_p50: quantile("Half had their first content within"),
  ttft_p95: quantile("19 of 20 had their first content within"),
}).annotations({ identifier: "UsageOf" })

export interface UsageOf extends Schema.Schema.Type<typeof UsageOf> {}

const Period = Schema.Struct({
  since: instant("The first instant of it"),
  until: instant("The first instant after it"),
  groups: known(Schema.Array(UsageOf), "Days and hours in their order, else the most requested first"),
  total: known(UsageOf, "All of them; its group is null"),
  complete: known(
    Schema.Boolean,
    "false where counting was cut short after some seconds: ask for a shorter time",
  ),
}).annotations({ identifier: "UsagePeriod" })

export const UsageReport = Schema.Struct({
  by: known(Schema.Literal(...usageGroups), "What it is grouped by"),
  now: Period,
  before: known(Period, "The time of the same length just before"),
  left_out: known(Schema.Array(Schema.String), "Archives that cannot be read, and why"),
}).annotations({ identifier: "UsageReport" })

export interface UsageReport extends Schema.Schema.Type<typeof UsageReport> {}
export interface UsagePeriod extends Schema.Schema.Type<typeof Period> {}
