/** A request that is over, under GPT_API's names: recorded where the configuration asks for them. */
import { fallbacksIn } from "../../audit/record/AttemptResult.ts"
import type { Book } from "./Book.ts"
import { gptApi } from "./GptApiInstruments.ts"
import { countsTokens, none, pathLabel, statusLabel } from "./RequestLabels.ts"
import type { ClosedRequest } from "./RequestMetrics.ts"

const errorType = (status: number): string =>
  status === 401 || status === 403
    ? "auth"
    : status === 429
      ? "rate_limit"
      : status >= 500
        ? "server_error"
        : "client_error"

/** The tokens of an answer under GPT_API's words for them. */
const tokensOf = ({ inputTokens, outputTokens }: ClosedRequest["record"]["usage"]) =>
  (
    [
      ["prompt", inputTokens],
      ["completion", outputTokens],
    ] as const
  ).filter((one): one is readonly ["prompt" | "completion", number] => one[1] !== undefined)

export const recordGptApi = (book: Book, { model: named, record, seen }: ClosedRequest): void => {
  const { latencyMs, outcome, status, ttftMs, upstream = "unknown", usage } = record
  const model = named === none ? "-" : named
  const endpoint = pathLabel(record.endpoint)
  book.counter(gptApi.requests, endpoint, statusLabel(status), model, upstream).add(1)
  book.histogram(gptApi.latency, model, upstream).record(latencyMs / 1000, seen)
  if (ttftMs !== undefined) book.histogram(gptApi.ttft, model, upstream).record(ttftMs / 1000, seen)
  if (status >= 400) book.counter(gptApi.errors, errorType(status), model, upstream).add(1)
  const tokens = tokensOf(usage)
  for (const [type, count] of tokens) {
    book.counter(gptApi.tokens, model, type).add(count)
    book.histogram(gptApi.tokenDistribution, model, upstream, type).record(count, seen)
  }
  if (tokens.length === 0 && outcome === "ok" && status < 300 && countsTokens(record.endpoint)) {
    book.counter(gptApi.tokensMissing, endpoint, model, upstream).add(1)
  }
  if (usage.outputTokens !== undefined && latencyMs > 0) {
    book.gauge(gptApi.tps, model, upstream).set((usage.outputTokens * 1000) / latencyMs)
  }
  const failovers = fallbacksIn(record)
  if (failovers > 0) book.counter(gptApi.failover, model).add(failovers)
}
