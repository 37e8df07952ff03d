/** Which error the client gets of attempts that failed, when nothing is left to ask. */
import type { GatewayError } from "../../errors/GatewayError.ts"
import { redirectTarget } from "../../errors/Redirect.ts"
import type { NotAsked } from "../../errors/RequestErrors.ts"
import { Overloaded, roomRetrySeconds } from "../../errors/ServerErrors.ts"
import {
  type FailedAttempt,
  UpstreamCredentialsRejected,
  UpstreamRefused,
  UpstreamTimeout,
  UpstreamUnreachable,
} from "../../errors/UpstreamErrors.ts"
import { toClient } from "../../operations/HeadersToClient.ts"
import { baseUrlOf } from "../../operations/paths/Endings.ts"
import type { Target } from "../../routing/Upstream.ts"
import { noSecrets } from "../../secrets/Secrets.ts"
import type { ToldFailure, ToldRefusal } from "./AttemptFailure.ts"
import { reasonOf } from "./FailureWords.ts"
import { speaksOfPath } from "./MissingPath.ts"
import { isClientsFault, isErrorStatus } from "./Refusal.ts"

/** A failed attempt with its target. */
export interface Failed {
  readonly target: Target
  readonly failure: ToldFailure
}

/** Each target once, with how it failed last; and those that were not asked. */
export const failuresOf = (
  failed: ReadonlyArray<Failed>,
  unasked: ReadonlyArray<NotAsked> = [],
): ReadonlyArray<FailedAttempt> => {
  const reasons = new Map(failed.map((one) => [one.target.upstream.name, reasonOf(one.failure)]))
  return [
    ...Array.from(reasons, ([upstream, reason]) => ({ upstream, reason })),
    ...unasked.map((one): FailedAttempt => ({ ...one, isUnasked: true })),
  ]
}

/**
 * The error of a refusal. What is held against this gateway's own key or its account is not told as the client's.
 *
 * @param failures of all that were asked
 */
export const errorOfRefusal = (
  { body, headers, inAnswer, kind, status }: ToldRefusal,
  { upstream }: Target,
  failures: ReadonlyArray<FailedAttempt>,
): UpstreamCredentialsRejected | UpstreamRefused => {
  const { name } = upstream
  const ownKey = upstream.apiKey !== undefined
  const location = redirectTarget(headers["location"])
  const answered = inAnswer === undefined ? status : 200
  if (ownKey && (kind === "credentials" || kind === "billing")) {
    return new UpstreamCredentialsRejected({ upstream: name, status: answered, reason: kind, failures })
  }
  return new UpstreamRefused({
    upstream: name,
    status: isErrorStatus(status) ? status : 502,
    said: { kind, answered, location, baseUrl: location === undefined ? undefined : baseUrlOf(location) },
    isClientsFault: isClientsFault(
      kind === "not_found" && speaksOfPath(status, body) ? "missing_endpoint" : kind,
      ownKey,
    ),
    headers: toClient(headers, noSecrets),
    body,
    failures,
  })
}

/**
 * The error the client gets when every attempt failed. The last failure of an upstream decides, except that timeouts are only called
 * so when all attempts timed out; that there was no room is only said where there was none anywhere.
 *
 * @param all in the order of the attempts
 */
export const errorOfAll = (
  all: ReadonlyArray<Failed>,
  unasked: ReadonlyArray<NotAsked> = [],
): GatewayError => {
  const failed = all.filter(({ failure }) => failure._tag !== "NoRoom")
  const last = failed.at(-1)
  if (last === undefined) {
    const roomless = all.at(-1)?.failure
    return roomless?._tag === "NoRoom"
      ? new Overloaded({
          reason: roomless.lacks === "memory" ? "memory" : "upstreams",
          retryAfterSeconds: roomRetrySeconds,
        })
      : new UpstreamUnreachable({ failures: [] })
  }
  const { failure, target } = last
  if (failure._tag === "Refused") return errorOfRefusal(failure, target, failuresOf(all, unasked))
  const failures = failuresOf(all, unasked)
  return failed.every((one) => one.failure._tag === "TimedOut")
    ? new UpstreamTimeout({ failures })
    : new UpstreamUnreachable({ failures })
}
