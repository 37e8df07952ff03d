/** Bodies that would hold the event loop too long, read and prepared aside: of what they are read to, only facts come back, and the bodies to send. */
import * as Effect from "effect/Effect"
import type { Aside, AsideFailed } from "../aside/Aside.ts"
import type { Mistake } from "../aside/AsideJobs.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { InvalidRequest } from "../errors/RequestErrors.ts"
import { noMemory, Overloaded, roomRetrySeconds } from "../errors/ServerErrors.ts"
import type { Omissions } from "../operations/Additions.ts"
import { withoutMark } from "../operations/JsonRequest.ts"
import type { AskedTarget, Prepared, Recipient, RequestFacts } from "../operations/Operation.ts"
import type { ServedOperation } from "../operations/Operations.ts"
import type { Target } from "../routing/Upstream.ts"
import type { BodyFor } from "../upstream/Asking.ts"
import { weighed } from "../wire/SharedBytes.ts"
import type { Hold, LongBody } from "./Exchange.ts"

/** A request as it was read. */
export interface ReadRequest {
  readonly facts: RequestFacts
  readonly affinity: () => string
  readonly bodyFor: BodyFor
  /** `undefined` where no answer is ever resumed. */
  readonly bodyToResume: BodyToResume | undefined
}

/** What a body is read with. */
export interface ReadWith {
  readonly target: AskedTarget
  /** The model that is meant where nobody names any. */
  readonly onlyModel: string | undefined
}

/** The body that asks a target to resume an answer of which this text was said. */
export type BodyToResume = (
  target: Target,
  omissions: Omissions,
  said: string,
) => Effect.Effect<Prepared, GatewayError>

const mistakeOf = ({ code, message, model, param, unsaid }: Mistake): InvalidRequest =>
  new InvalidRequest({
    message,
    param,
    ...(code === undefined ? {} : { code }),
    ...(model === undefined ? {} : { model }),
    ...(unsaid === undefined ? {} : { unsaid }),
  })

/** A thread that died is this gateway's fault, and told in its log. */
export const unreadAside = (failed: AsideFailed): Effect.Effect<never, Overloaded> =>
  failed.reason === "full"
    ? Effect.fail(new Overloaded({ reason: "reading", retryAfterSeconds: roomRetrySeconds }))
    : Effect.die(failed)

/** What of a target is told to the thread. */
const recipientOf = ({ dialect, upstream, upstreamModel }: Target): Recipient => {
  const { abilities, asksUsage, cacheMarks, extraBody, maxTokens, maxTokensMember, name, onUnsupported } =
    upstream
  const { paths, requestCleaning, resume, stop, thinkingTags } = upstream
  return {
    upstream: {
      abilities,
      asksUsage,
      extraBody,
      maxTokens,
      maxTokensMember,
      name,
      onUnsupported,
      cacheMarks,
      paths,
      requestCleaning,
      resume,
      stop,
      thinkingTags,
    },
    upstreamModel,
    dialect,
  }
}

/**
 * Reads it.
 *
 * @param received told of the whole body, whatever it is
 */
export const readLong = (
  { run }: Aside["Type"],
  { name: operation }: ServedOperation,
  { pieces }: LongBody,
  beside: ReadWith,
  hold: Hold,
  received: (bytes: Uint8Array) => void,
): Effect.Effect<ReadRequest, GatewayError> =>
  run("read", { operation, ...beside, pieces }).pipe(
    Effect.catchTag("AsideFailed", unreadAside),
    Effect.flatMap(({ bytes, read }): Effect.Effect<ReadRequest, GatewayError> => {
      received(weighed(bytes))
      if (read.kind === "mistake") return Effect.fail(mistakeOf(read))
      const asItCame = withoutMark(bytes)
      /** Bodies that were made are let go of when the next one is. */
      let borrowed = 0
      const made = (target: Target, omissions: Omissions, said: string | undefined) =>
        run("prepare", {
          operation,
          ...beside,
          bytes,
          recipient: recipientOf(target),
          omissions,
          said,
        }).pipe(
          Effect.catchTag("AsideFailed", unreadAside),
          Effect.flatMap((prepared): Effect.Effect<Prepared, GatewayError> => {
            if (prepared.kind === "mistake") return Effect.fail(mistakeOf(prepared))
            const { added, body, dropped, translation } = prepared
            if (body === undefined) return Effect.succeed({ body: asItCame, asItCame: true, added })
            const more = body.length - borrowed
            if (more > 0 && !hold(more, true)) {
              return Effect.fail(noMemory)
            }
            borrowed = Math.max(borrowed, body.length)
            return Effect.succeed({
              body,
              asItCame: false,
              added,
              ...(dropped === undefined ? {} : { dropped }),
              ...(translation === undefined ? {} : { translation }),
            })
          }),
        )
      return Effect.succeed({
        facts: read.facts,
        affinity: () => read.affinity,
        bodyFor: (target, omissions) => made(target, omissions, undefined),
        bodyToResume: made,
      })
    }),
  )
