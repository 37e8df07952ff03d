/** GPT_API's names, for dashboards that were made for it: its labels and buckets, and counts that are right. Its windows are left to PromQL. */
import { counter, gauge, histogram, type Instrument } from "./Instrument.ts"
import type { Points } from "./Readings.ts"

const doubling = (first: number, buckets: number): ReadonlyArray<number> =>
  Array.from({ length: buckets }, (_, at) => first * 2 ** at)

/** Seconds. */
const times = doubling(0.01, 20)

const labels = ["endpoint", "model", "backend"]

export const gptApi = {
  requests: counter(
    "gpt_api_requests_total",
    ["endpoint", "status", "model", "backend"],
    "Requests that are over, by path, status, model and client.",
  ),
  active: gauge(
    "gpt_api_active_requests",
    labels,
    "Requests under way; model and backend are told when they are over.",
  ),
  successRate: gauge(
    "gpt_api_success_rate",
    labels,
    "Part of the requests since the start that were answered with a status below 400.",
  ),
  ttft: histogram(
    "gpt_api_ttft_seconds",
    ["model", "backend"],
    times,
    "Time until a streamed answer began to say something.",
  ),
  latency: histogram(
    "gpt_api_latency_seconds",
    ["model", "backend"],
    times,
    "Time until the answer was out.",
  ),
  tps: gauge(
    "gpt_api_tps",
    ["model", "backend"],
    "Output tokens a second of the last answer that reported them; of several processes, the fastest.",
    "max",
  ),
  tokens: counter("gpt_api_tokens_total", ["model", "type"], "Tokens that answers reported."),
  tokenDistribution: histogram(
    "gpt_api_token_distribution",
    ["model", "backend", "type"],
    doubling(256, 13),
    "Tokens of one request.",
  ),
  tokensMissing: counter(
    "gpt_api_tokens_missing_total",
    labels,
    "Good answers in which no tokens were reported.",
  ),
  failover: counter("gpt_api_failover_total", ["model"], "Times that a request went on to another client."),
  errors: counter(
    "gpt_api_errors_total",
    ["error_type", "model", "backend"],
    "Requests answered with an error: auth, rate_limit, client_error or server_error.",
  ),
} as const

/** Of the requests by endpoint, model and client, the part that went well: read off what was counted of them, whatever processes counted it. */
export const successRates = (requests: Points): Points => {
  const counts = new Map<string, { readonly labels: ReadonlyArray<string>; good: number; all: number }>()
  for (const { labels: values, value } of requests.numbers) {
    const [endpoint = "", status = "", model = "", client = ""] = values
    const key = JSON.stringify([endpoint, model, client])
    const count = counts.get(key) ?? { labels: [endpoint, model, client], good: 0, all: 0 }
    counts.set(key, count)
    count.all += value
    if (status < "4") count.good += value
  }
  return {
    numbers: [...counts.values()].map(({ all, good, labels: values }) => ({
      labels: values,
      value: good / all,
    })),
    histograms: [],
  }
}

export const gptApiInstruments: ReadonlyArray<Instrument> = Object.values(gptApi)
