/** What needs no frame of the gateway, and leaves no record. */
import * as Effect from "effect/Effect"
import { answerOf } from "../errors/GatewayError.ts"
import { InternalError } from "../errors/ServerErrors.ts"
import type { ClientAnswer, ClientCall, ReadBody, Served, WantedBody } from "../gateway/Exchange.ts"

/** A defect in answering is answered, and told in the log. */
const guarded = (call: ClientCall, answer: Effect.Effect<ClientAnswer>): Effect.Effect<ClientAnswer> =>
  Effect.catchAllDefect(answer, (defect) =>
    Effect.as(
      Effect.logError("request failed inside the gateway", { id: call.id }, defect),
      answerOf(new InternalError({ requestId: call.id }), call),
    ),
  )

export const unrecorded = (call: ClientCall, answer: Effect.Effect<ClientAnswer>): Served => ({
  wanted: undefined,
  answer: () => guarded(call, answer),
  isStranger: true,
  deadline: undefined,
  ends: undefined,
})

/** The same of what no web page of another site may read, with a body where one is wanted. */
export const forOperators = (
  call: ClientCall,
  wanted: WantedBody | undefined,
  answer: (body: ReadBody) => Effect.Effect<ClientAnswer>,
): Served => ({
  wanted,
  answer: (body) =>
    guarded(
      call,
      Effect.suspend(() => answer(body)),
    ),
  isStranger: true,
  deadline: undefined,
  ends: undefined,
  isForOperators: true,
})
