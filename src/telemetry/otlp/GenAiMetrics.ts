/** Records the metrics of the GenAI conventions off the records of requests. Their labels are of the configuration: a caller adds none. */
import { answeringOf, hasAnswered, resultOf } from "../../audit/record/AttemptResult.ts"
import { attemptMs, firstContentMs } from "../../audit/record/AttemptTimes.ts"
import type { AttemptRecord, AuditRecord } from "../../audit/record/AuditRecord.ts"
import { perTokenMs } from "../../audit/record/TokenPace.ts"
import type { Upstream } from "../../routing/Upstream.ts"
import type { Book } from "../metrics/Book.ts"
import type { CounterInstrument } from "../metrics/Instrument.ts"
import { errorTypeOf, requestErrorOf } from "./AttemptTold.ts"
import { latest, stable } from "./GenAiInstruments.ts"
import { operationName, placeOf } from "./GenAiNames.ts"
import type { Generation } from "./OtlpSettings.ts"

/** What the configuration in force calls things. */
export interface ConfiguredNames {
  /** A model as labels have it: a name of the configuration, whatever was asked. */
  readonly modelNamed: (asked: string) => string
  readonly upstreamNamed: (name: string) => Upstream | undefined
}

/** The values of what every metric is told by. */
type Whose = readonly [operation: string, owner: string, model: string, address: string, port: string]

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
    if (whose !== undefined && this.#generation === "stable") this.#request(record, whose)
  }

  #whose({ endpoint, model }: AuditRecord, { upstream: name }: AttemptRecord): Whose | undefined {
    const upstream = this.#names.upstreamNamed(name)
    if (upstream === undefined) return undefined
    const { address, owner, port } = placeOf(upstream)
    const named = model === undefined ? "" : this.#names.modelNamed(model)
    return [operationName(endpoint), owner, named, address, String(port)]
  }

  #attempt(record: AuditRecord, attempt: AttemptRecord, isAnswering: boolean): void {
    const whose = this.#whose(record, attempt)
    if (whose === undefined) return
    const error = errorTypeOf(attempt, resultOf(record, attempt, isAnswering)) ?? ""
    const seconds = attemptMs(record, attempt, isAnswering) / 1000
    this.#book.histogram(this.#durationOf(whose[0]), ...whose, error).record(seconds, undefined)
    if (!isAnswering || !hasAnswered(attempt)) return
    if (this.#generation === "stable") this.#tokens(record, whose)
    else {
      this.#firstChunk(record, attempt, whose)
      this.#latestTokens(record, whose)
    }
  }

  #durationOf(operation: string) {
    if (this.#generation === "stable") return stable.operationDuration
    if (operation === "embeddings") return latest.embeddingsDuration
    return inferences.has(operation) ? latest.inferenceDuration : latest.operationDuration
  }

  #tokens({ usage }: AuditRecord, whose: Whose): void {
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
    const ms = firstContentMs(record, attempt, true)
    if (ms !== undefined) this.#book.histogram(latest.firstChunk, ...whose).record(ms / 1000, undefined)
  }

  #latestTokens({ usage }: AuditRecord, whose: Whose): void {
    const { cacheWriteTokens, cachedTokens, inputTokens, outputTokens, reasoningTokens } = usage
    if (whose[0] === "embeddings") {
      if (inputTokens !== undefined)
        this.#book.histogram(latest.embeddingsInput, ...whose).record(inputTokens, undefined)
      return
    }
    this.#count(latest.input, whose, inputTokens)
    this.#count(latest.output, whose, outputTokens)
    this.#count(latest.cached, whose, cachedTokens)
    this.#count(latest.cacheWrite, whose, cacheWriteTokens)
    this.#count(latest.reasoning, whose, reasoningTokens)
    if (inputTokens !== undefined)
      this.#book.histogram(latest.inputOfOne, ...whose).record(inputTokens, undefined)
    if (outputTokens !== undefined)
      this.#book.histogram(latest.outputOfOne, ...whose).record(outputTokens, undefined)
  }

  /** Providers do not tell of what kind all tokens are. */
  #count(instrument: CounterInstrument, whose: Whose, tokens: number | undefined): void {
    if (tokens !== undefined && tokens > 0) this.#book.counter(instrument, ...whose, "unknown").add(tokens)
  }

  #request(record: AuditRecord, whose: Whose): void {
    const { latencyMs, ttftMs, usage } = record
    const error = requestErrorOf(record).type ?? ""
    this.#book.histogram(stable.requestDuration, ...whose, error).record(latencyMs / 1000, undefined)
    if (ttftMs === undefined) return
    this.#book.histogram(stable.firstToken, ...whose).record(ttftMs / 1000, undefined)
    const perToken = perTokenMs(latencyMs, ttftMs, usage.outputTokens)
    if (perToken !== undefined)
      this.#book.histogram(stable.perToken, ...whose).record(perToken / 1000, undefined)
  }
}
