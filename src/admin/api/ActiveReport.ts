/** Requests under way: who asks what, and whom each waits for. Nothing of what was asked is in it, neither headers nor bodies. */
import * as Schema from "effect/Schema"
import { instant, known, maybe } from "./Described.ts"
import { AttemptTold } from "./RequestRow.ts"

/** Requests that are told at once. */
export const mostActive = 500

/** Attempts of a request that are told. */
export const mostAttempts = 20

export const activeStates = ["reading", "queued", "asking", "pausing", "answering"] as const

const AskedTold = Schema.Struct({
  upstream: known(Schema.String, "The client"),
  ms: known(Schema.Number, "For how long, in milliseconds"),
}).annotations({ identifier: "AskedNow" })

export const ActiveRequest = Schema.Struct({
  id: known(Schema.String, "The request's x-request-id. Callers may choose it, so it may occur twice"),
  started_at: instant("When it came"),
  age_ms: known(Schema.Number, "For how long it has been under way, in milliseconds"),
  endpoint: known(Schema.String, "chat.completions, messages, embeddings, models …"),
  model: maybe(Schema.String, "The model asked for, as soon as it is read"),
  client_ip: known(Schema.String, "The caller's address"),
  key_fingerprint: maybe(Schema.String, "Tells one caller's key from another's"),
  conversation: maybe(Schema.String, "Tells one conversation from another, where the caller named it"),
  stream: maybe(Schema.Boolean, "Whether a stream was asked for"),
  state: known(
    Schema.Literal(...activeStates),
    "reading: nobody was asked yet. queued: it waits for a place at `asked`. asking: `asked` has not answered yet. pausing: all failed, and are asked again after a pause. answering: the answer is on its way to the caller",
  ),
  asked: known(
    Schema.Array(AskedTold),
    "The client that is asked at the moment; two where one is asked beside another that is slow",
  ),
  attempts: known(
    Schema.Array(AttemptTold),
    `The clients that were asked before, in order, the one that answers among them; the last ${mostAttempts}`,
  ),
  ttft_ms: maybe(
    Schema.Number,
    "From the request to the first content of its stream, in milliseconds; null until it has begun",
  ),
}).annotations({ identifier: "ActiveRequest" })

export interface ActiveRequest extends Schema.Schema.Type<typeof ActiveRequest> {}

export const ActiveReport = Schema.Struct({
  count: known(Schema.Number, "How many there are, also of those that are not told"),
  requests: known(Schema.Array(ActiveRequest), `The oldest ${mostActive} at most, the oldest first`),
}).annotations({ identifier: "ActiveReport" })

export interface ActiveReport extends Schema.Schema.Type<typeof ActiveReport> {}
