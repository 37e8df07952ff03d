/** The metrics of OpenTelemetry's GenAI conventions: those until version 1.36, and those of autumn 2026 (0.1.0 of their own repository), which replace them on wish. */
import { counter, histogram } from "../metrics/Instrument.ts"

const durations = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]

const beginnings = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const paces = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]

/** Powers of four. */
const tokenCounts = Array.from({ length: 14 }, (_, power) => 4 ** power)

const whose = [
  "gen_ai.operation.name",
  "gen_ai.provider.name",
  "gen_ai.request.model",
  "server.address",
  "server.port",
]

/** What both generations have, told by these. */
const ofBoth = (whose: ReadonlyArray<string>) => ({
  operationDuration: histogram(
    "gen_ai.client.operation.duration",
    [...whose, "error.type"],
    durations,
    "Duration of a call to a provider.",
  ),
  requestDuration: histogram(
    "gen_ai.server.request.duration",
    [...whose, "error.type"],
    durations,
    "Duration of a request, from its arrival until the last byte of its answer was out.",
  ),
  firstToken: histogram(
    "gen_ai.server.time_to_first_token",
    whose,
    beginnings,
    "Time from a request's arrival until its streamed answer began to say something.",
  ),
  perToken: histogram(
    "gen_ai.server.time_per_output_token",
    whose,
    paces,
    "Time of a streamed answer after its first event, for each further output token.",
  ),
})

/** The provider by its name of then, which was required, beside that of today. */
const whoseThen = [...whose, "gen_ai.system"]

export const stable = {
  ...ofBoth(whoseThen),
  tokenUsage: histogram(
    "gen_ai.client.token.usage",
    [...whoseThen, "gen_ai.token.type"],
    tokenCounts,
    "Input and output tokens of an answer.",
  ),
} as const

const withModality = [...whose, "gen_ai.token.modality"]

const failing = [...whose, "error.type"]

export const latest = {
  ...ofBoth(whose),
  inferenceDuration: histogram(
    "gen_ai.client.inference.duration",
    failing,
    durations,
    "Duration of an inference at a provider.",
  ),
  embeddingsDuration: histogram(
    "gen_ai.client.embeddings.duration",
    failing,
    durations,
    "Duration of making embeddings at a provider.",
  ),
  firstChunk: histogram(
    "gen_ai.client.inference.time_to_first_chunk",
    whose,
    durations,
    "Time until the first chunk of a streamed answer.",
  ),
  input: counter(
    "gen_ai.client.inference.usage.input_tokens",
    withModality,
    "Input tokens, cached ones too.",
  ),
  output: counter("gen_ai.client.inference.usage.output_tokens", withModality, "Output tokens."),
  cached: counter(
    "gen_ai.client.inference.usage.cache_read.input_tokens",
    withModality,
    "Input tokens that were read from the provider's cache.",
  ),
  cacheWrite: counter(
    "gen_ai.client.inference.usage.cache_write.input_tokens",
    withModality,
    "Input tokens that were written to the provider's cache.",
  ),
  reasoning: counter(
    "gen_ai.client.inference.usage.reasoning.output_tokens",
    withModality,
    "Output tokens that were spent on reasoning.",
  ),
  inputOfOne: histogram(
    "gen_ai.client.inference.operation.input_tokens",
    whose,
    tokenCounts,
    "Input tokens of one inference.",
  ),
  outputOfOne: histogram(
    "gen_ai.client.inference.operation.output_tokens",
    whose,
    tokenCounts,
    "Output tokens of one inference.",
  ),
  embeddingsInput: histogram(
    "gen_ai.client.embeddings.operation.input_tokens",
    whose,
    tokenCounts,
    "Input tokens of one call for embeddings.",
  ),
} as const

export const genAiInstruments = { stable: Object.values(stable), latest: Object.values(latest) } as const
