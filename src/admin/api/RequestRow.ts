/** A request as the admin API tells it: the columns of the audit by their names, with flags, attempts and lists as JSON has them. */
import * as Schema from "effect/Schema"
import { instant, known, maybe } from "./Described.ts"

const text = (description: string) => maybe(Schema.String, description)
const number = (description: string) => maybe(Schema.Number, description)
const flag = (description: string) => maybe(Schema.Boolean, description)

/** One try at one client. */
export const AttemptTold = Schema.Struct({
  upstream: known(Schema.String, "The client that was asked"),
  dialect: Schema.optional(Schema.String).annotations({
    description: "The dialect it was asked in, where that is not the caller's",
  }),
  resumed: Schema.optional(Schema.Boolean).annotations({
    description: "It was asked to resume an answer that another client broke off",
  }),
  status: Schema.optional(Schema.NullOr(Schema.Number)).annotations({
    description: "The status it answered",
  }),
  said: Schema.optional(Schema.String).annotations({
    description: "What a refusal said, in the client's words, up to 200 characters",
  }),
  cause: Schema.optional(Schema.NullOr(Schema.String)).annotations({
    description: "Why it gave no answer, or broke one off",
  }),
  ms: known(Schema.Number, "How long it took, in milliseconds"),
}).annotations({ identifier: "Attempt" })

export interface AttemptTold extends Schema.Schema.Type<typeof AttemptTold> {}

/** A client that was not asked when it was its turn. */
export const NotAskedTold = Schema.Struct({
  upstream: known(Schema.String, "The client that was passed by"),
  dialect: Schema.optional(Schema.String).annotations({
    description: "The dialect it would have been asked in",
  }),
  cause: known(Schema.String, "Why the request cannot be said to it"),
}).annotations({ identifier: "NotAsked" })

export interface NotAskedTold extends Schema.Schema.Type<typeof NotAskedTold> {}

/** Every column of the audit but headers and bodies. */
export const rowFields = {
  id: known(Schema.String, "The request's x-request-id. Callers may choose it, so it may occur twice"),
  started_at: instant("When it came"),
  client_ip: text("The caller's address"),
  endpoint: known(Schema.String, "chat.completions, messages, embeddings, models …"),
  model: text("The model asked for"),
  upstream_model: text("The model that was sent"),
  upstream: text("The client asked last"),
  attempts: known(Schema.Array(AttemptTold), "The clients that were asked, in order"),
  stream: flag("Whether a stream was asked for"),
  status: number("The status answered"),
  outcome: known(Schema.String, "ok, upstream_error, client_closed, rejected or stream_broken"),
  error: text("What went wrong"),
  prompt_tokens: number("Tokens of the prompt"),
  completion_tokens: number("Tokens of the answer"),
  total_tokens: number("Tokens in all"),
  cached_tokens: number("Tokens of the prompt that came out of the provider's cache"),
  reasoning_tokens: number("Tokens of the answer spent on thinking"),
  latency_ms: number("From the request to the last byte of its answer, in milliseconds"),
  ttft_ms: number("From the request to the first content of its answer, in milliseconds"),
  finish_reason: text("Why the answer ended"),
  tools: flag("Tools were offered"),
  tool_calls: flag("Tools were called"),
  multimodal: flag("It held pictures, sounds or files"),
  user_agent: text("The caller's program"),
  key_fingerprint: text("Tells one caller's key from another's; `sluice audit keys` says whose it is"),
  overhead_ms: number("Of the latency, what no client was waited for, in milliseconds"),
  dialect: text("The dialect the caller spoke"),
  upstream_request_id: text("What the client that answered called the request"),
  cache_write_tokens: number("Tokens written into the provider's cache"),
  audio_tokens: number("Tokens of sound"),
  image_tokens: number("Tokens of pictures"),
  service_tier: text("The tariff the answer names"),
  response_id: text("What the answer calls itself"),
  conversation: text("Tells one conversation from another, where the caller named it"),
  config_hash: text("Tells the configuration it was served with from others"),
  dropped: known(Schema.Array(Schema.String), "What of the request its client was not sent"),
  search_units: number("Search units, of rerankers"),
  audio_seconds: number("Seconds of sound"),
  characters: number("Characters to be spoken"),
  images: number("Pictures made"),
  answer_bytes: number("Bytes of an answer that is not kept: sound, pictures, files"),
  answer_type: text("The content type of such an answer"),
  not_asked: known(
    Schema.Array(NotAskedTold),
    "Clients that were not asked when it was their turn: the request cannot be said to them",
  ),
} as const

export const RequestRow = Schema.Struct(rowFields).annotations({ identifier: "RequestRow" })

export interface RequestRow extends Schema.Schema.Type<typeof RequestRow> {}

/** One request, all that is kept of it. Bodies are text as it was stored, whatever they hold: never markup. */
export const RequestStory = Schema.Struct({
  ...rowFields,
  headers: maybe(
    Schema.Record({ key: Schema.String, value: Schema.String }),
    "The request's headers; values that may be secret are redacted",
  ),
  request: text("The body that came, as text; cut at audit.max_body_bytes"),
  response: text("The answer as the caller got it; a stream is put together again"),
}).annotations({ identifier: "RequestStory" })

export interface RequestStory extends Schema.Schema.Type<typeof RequestStory> {}
