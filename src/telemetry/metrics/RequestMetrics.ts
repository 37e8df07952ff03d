/** What is recorded of a request that is over, all of it off its record. Series are found by the objects of the request's way, not by texts made for each. */
import { answeringOf, fallbacksIn, resultOf } from "../../audit/record/AttemptResult.ts"
import type { AuditRecord } from "../../audit/record/AuditRecord.ts"
import { perTokenMs } from "../../audit/record/TokenPace.ts"
import type { Book, CounterSeries, HistogramSeries } from "./Book.ts"
import { recorded } from "./Instruments.ts"
import type { Sighting } from "./Readings.ts"
import { countsTokens, none, statusLabel } from "./RequestLabels.ts"

/** What a key leads to, made at the first time. */
const found = <K, V>(map: Map<K, V>, key: K, make: (key: K) => V): V => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make(key)
  map.set(key, made)
  return made
}

/** A request that is over, with what its record does not say. */
export interface ClosedRequest {
  readonly record: AuditRecord
  /** Its model, as labels have it. */
  readonly model: string
  /** Its trace, if it is known to belong to one that is kept. */
  readonly seen: Sighting | undefined
}

/** The series of the requests of one endpoint for one model that one client answered. */
class Way {
  readonly #book: Book
  readonly #labels: readonly [endpoint: string, model: string, client: string]
  readonly duration: HistogramSeries
  readonly #ended = new Map<string, Map<number, CounterSeries>>()
  readonly #tokens = new Map<string, CounterSeries>()
  #firstEvent: HistogramSeries | undefined
  #perToken: HistogramSeries | undefined

  constructor(book: Book, endpoint: string, model: string, client: string) {
    this.#book = book
    this.#labels = [endpoint, model, client]
    this.duration = book.histogram(recorded.duration, endpoint, model, client)
  }

  get firstEvent(): HistogramSeries {
    this.#firstEvent ??= this.#book.histogram(recorded.firstEvent, ...this.#labels)
    return this.#firstEvent
  }

  get perToken(): HistogramSeries {
    this.#perToken ??= this.#book.histogram(recorded.perToken, ...this.#labels)
    return this.#perToken
  }

  ended(outcome: string, status: number): CounterSeries {
    const byStatus = found(this.#ended, outcome, () => new Map<number, CounterSeries>())
    return found(byStatus, status, () =>
      this.#book.counter(recorded.requests, ...this.#labels, statusLabel(status), outcome),
    )
  }

  tokens(kind: string, count: number | undefined): void {
    if (count === undefined || count === 0) return
    const [, model, client] = this.#labels
    found(this.#tokens, kind, () => this.#book.counter(recorded.tokens, model, client, kind)).add(count)
  }

  tokensMissing(): void {
    const [, model, client] = this.#labels
    this.#book.counter(recorded.tokensMissing, model, client).add(1)
  }
}

export class RequestMetrics {
  readonly #book: Book
  readonly #ways = new Map<string, Map<string, Map<string, Way>>>()
  readonly #overheads = new Map<string, HistogramSeries>()
  readonly #attempts = new Map<string, Map<string, CounterSeries>>()

  constructor(book: Book) {
    this.#book = book
  }

  closed({ model, record, seen }: ClosedRequest): void {
    const { endpoint, latencyMs, outcome, overheadMs, status, ttftMs } = record
    const way = this.#way(endpoint, model, record.upstream ?? none)
    way.ended(outcome, status).add(1)
    way.duration.record(latencyMs / 1000, seen)
    if (overheadMs !== undefined) this.#overhead(endpoint).record(overheadMs / 1000, seen)
    if (ttftMs !== undefined) way.firstEvent.record(ttftMs / 1000, seen)
    this.#countTokens(way, record, seen)
    this.#countAttempts(record, model)
  }

  #way(endpoint: string, model: string, client: string): Way {
    const ofEndpoint = found(this.#ways, endpoint, () => new Map<string, Map<string, Way>>())
    const ofModel = found(ofEndpoint, model, () => new Map<string, Way>())
    return found(ofModel, client, () => new Way(this.#book, endpoint, model, client))
  }

  #overhead(endpoint: string): HistogramSeries {
    return found(this.#overheads, endpoint, () => this.#book.histogram(recorded.overhead, endpoint))
  }

  #countTokens(way: Way, record: AuditRecord, seen: Sighting | undefined): void {
    const { endpoint, latencyMs, outcome, ttftMs, usage } = record
    const { cacheWriteTokens, cachedTokens, inputTokens, outputTokens, reasoningTokens } = usage
    if (inputTokens === undefined && outputTokens === undefined) {
      if (outcome === "ok" && record.status < 300 && countsTokens(endpoint)) way.tokensMissing()
      return
    }
    way.tokens("input", inputTokens)
    way.tokens("output", outputTokens)
    way.tokens("cached", cachedTokens)
    way.tokens("cache_write", cacheWriteTokens)
    way.tokens("reasoning", reasoningTokens)
    const perToken = perTokenMs(latencyMs, ttftMs, outputTokens)
    if (perToken !== undefined) way.perToken.record(perToken / 1000, seen)
  }

  #countAttempts(record: AuditRecord, model: string): void {
    const fallbacks = fallbacksIn(record)
    if (fallbacks > 0) this.#book.counter(recorded.fallbacks, model).add(fallbacks)
    const answering = answeringOf(record)
    for (const attempt of record.attempts) {
      const result = resultOf(record, attempt, attempt === answering)
      this.#attempt(attempt.upstream, result)
      if (attempt.hedged === true) {
        this.#book.counter(recorded.hedges, model, String(attempt === answering)).add(1)
      }
      if (attempt.resumed === true) {
        this.#book.counter(recorded.resumes, model, result === "ok" ? "ok" : "failed").add(1)
      }
    }
  }

  #attempt(upstream: string, result: string): void {
    const ofClient = found(this.#attempts, upstream, () => new Map<string, CounterSeries>())
    found(ofClient, result, () => this.#book.counter(recorded.attempts, upstream, result)).add(1)
  }
}
