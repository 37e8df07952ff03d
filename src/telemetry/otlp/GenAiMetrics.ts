/** Records the metrics of the GenAI conventions off the records of requests. Their labels are of the configuration: a caller adds none. */
import { answeringOf, hasAnswered, resultOf } from "../../audit/record/AttemptResult.ts"
import { attemptMs, firstContentMs } from "../../audit/record/AttemptTimes.ts"
import type { AttemptRecord, AuditRecord } from "../../audit/record/AuditRecord.ts"
import { perTokenMs } from "../../audit/record/TokenPace.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import type { Book } from "../metrics/Book.ts"
import type { CounterInstrument, HistogramInstrument } from "../metrics/Instrument.ts"
import { errorTypeOf, requestErrorOf } from "./AttemptTold.ts"
import { latest, stable } from "./GenAiInstruments.ts"
import { operationName, placeOf, systemOf } from "./GenAiNames.ts"
import type { Generation } from "./OtlpSettings.ts"

/** What the configuration in force calls things. */
export interface ConfiguredNames {
  /** A model as labels have it: a name of the configuration, whatever was asked. */
  readonly modelNamed: (asked: string) => string
  readonly upstreamNamed: (name: string) => Upstream | undefined
}

/** The values of what every metric of a generation is told by. */
type Whose = readonly [operation: string, ...others: ReadonlyArray<string>]

type Usage = AuditRecord["usage"]

/** Operations whose answers a model writes. */
const inferences: ReadonlySet<string> = new Set(["chat", "text_completion", "generate_content"])

export class GenAiMetrics {
  readonly #book: Book
  readonly #generation: Generation
  readonly #names: ConfiguredNames

  constructor(book: Book, generation: Generation, names: ConfiguredNames) {
    this.#book = book
    this.#generation = generation
    this.#names = names
  }

  closed(record: AuditRecord): void {
    const answering = answeringOf(record)
    for (const attempt of record.attempts) this.#attempt(record, attempt, attempt === answering)
    const last = answering ?? record.attempts.at(-1)
    const whose = last === undefined ? undefined : this.#whose(record, last)
    if (whose !== undefined) this.#request(record, whose)
  }

  #whose({ endpoint, model }: AuditRecord, { upstream: name }: AttemptRecord): Whose | undefined {
    const upstream = this.#names.upstreamNamed(name)
    if (upstream === undefined) return undefined
    const { address, owner, port } = placeOf(upstream)
    const named = model === undefined ? "" : this.#names.modelNamed(model)
    const whose = [operationName(endpoint), owner, named, address, String(port)] as const
    return this.#generation === "stable" ? [...whose, systemOf(owner)] : whose
  }

  #attempt(record: AuditRecord, attempt: AttemptRecord, isAnswering: boolean): void {
    const whose = this.#whose(record, attempt)
    if (whose === undefined) return
    const error = errorTypeOf(attempt, resultOf(record, attempt, isAnswering)) ?? ""
    const seconds = attemptMs(record, attempt, isAnswering) / 1000
    this.#book.histogram(this.#durationOf(whose[0]), ...whose, error).record(seconds, undefined)
    const usage = isAnswering && hasAnswered(attempt) ? record.usage : undefined
    if (this.#generation === "stable") this.#tokens(usage, whose)
    else this.#latestTokens(usage, whose)
    if (this.#generation === "latest" && usage !== undefined) this.#firstChunk(record, attempt, whose)
  }

  #durationOf(operation: string) {
    if (this.#generation === "stable") return stable.operationDuration
    if (operation === "embeddings") return latest.embeddingsDuration
    return inferences.has(operation) ? latest.inferenceDuration : latest.operationDuration
  }

  #tokens(usage: Usage | undefined, whose: Whose): void {
    if (usage === undefined) return
    const { inputTokens, outputTokens } = usage
    for (const [type, count] of [
      ["input", inputTokens],
      ["output", outputTokens],
    ] as const) {
      if (count !== undefined)
        this.#book.histogram(stable.tokenUsage, ...whose, type).record(count, undefined)
    }
  }

  #firstChunk(record: AuditRecord, attempt: AttemptRecord, whose: Whose): void {
    const ms = inferences.has(whose[0]) ? firstContentMs(record, attempt, true) : undefined
    if (ms !== undefined) this.#book.histogram(latest.firstChunk, ...whose).record(ms / 1000, undefined)
  }

  /** Every inference is counted, one without usage as 0; how it spreads is told of those that have any. */
  #latestTokens(usage: Usage | undefined, whose: Whose): void {
    if (whose[0] === "embeddings") this.#spread(latest.embeddingsInput, whose, usage?.inputTokens)
    if (!inferences.has(whose[0])) return
    this.#count(latest.input, whose, usage?.inputTokens ?? 0)
    this.#count(latest.output, whose, usage?.outputTokens ?? 0)
    this.#count(latest.cached, whose, usage?.cachedTokens)
    this.#count(latest.cacheWrite, whose, usage?.cacheWriteTokens)
    this.#count(latest.reasoning, whose, usage?.reasoningTokens)
    this.#spread(latest.inputOfOne, whose, usage?.inputTokens)
    this.#spread(latest.outputOfOne, whose, usage?.outputTokens)
  }

  #spread(instrument: HistogramInstrument, whose: Whose, tokens: number | undefined): void {
    if (tokens !== undefined) this.#book.histogram(instrument, ...whose).record(tokens, undefined)
  }

  /** Providers do not tell of what kind all tokens are. */
  #count(instrument: CounterInstrument, whose: Whose, tokens: number | undefined): void {
    if (tokens !== undefined) this.#book.counter(instrument, ...whose, "unknown").add(tokens)
  }

  #request(record: AuditRecord, whose: Whose): void {
    const { latencyMs, ttftMs, usage } = record
    const error = requestErrorOf(record).type ?? ""
    const told = this.#generation === "stable" ? stable : latest
    this.#book.histogram(told.requestDuration, ...whose, error).record(latencyMs / 1000, undefined)
    if (ttftMs === undefined) return
    this.#book.histogram(told.firstToken, ...whose).record(ttftMs / 1000, undefined)
    const perToken = perTokenMs(latencyMs, ttftMs, usage.outputTokens)
    if (perToken !== undefined)
      this.#book.histogram(told.perToken, ...whose).record(perToken / 1000, undefined)
  }
}
