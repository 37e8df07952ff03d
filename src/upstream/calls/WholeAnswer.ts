/** An answer that is wanted whole, read to its end within a bound. */
import * as Effect from "effect/Effect"
import { AttemptFailure } from "../policy/AttemptFailure.ts"
import { BodyCollector } from "./BodyCollector.ts"
import type { AnswerHead, UpstreamCall } from "./UpstreamCall.ts"
import type { Upstreams } from "./Upstreams.ts"

/** An answer read to its end. */
export interface WholeAnswer extends AnswerHead {
  readonly body: Uint8Array
}

/** A call with its answer read to the end, at most `limitBytes` of body, and no more than `hold` admits. Interrupting it ends the call. */
export const whole = (
  { open }: Upstreams["Type"],
  call: UpstreamCall,
  limitBytes: number,
  hold?: (bytes: number) => boolean,
): Effect.Effect<WholeAnswer, AttemptFailure> =>
  Effect.async((resume) => {
    let head: AnswerHead | undefined
    const body = new BodyCollector(limitBytes, hold)
    const fail = (failure: AttemptFailure) => {
      opened.close()
      resume(Effect.fail(failure))
    }
    const opened = open(call, {
      onHead: (one) => {
        head = one
      },
      onBytes: (bytes) => {
        const excess = body.keep(bytes)
        if (excess !== undefined) fail(excess)
      },
      onEnd: (failure) => {
        if (failure !== undefined || head === undefined) {
          fail(failure ?? AttemptFailure.BrokenOff({ reason: "no answer" }))
        } else resume(Effect.succeed({ ...head, body: body.whole() }))
      },
    })
    return Effect.sync(() => opened.close())
  })
