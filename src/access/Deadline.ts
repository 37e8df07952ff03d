/** When the time for a request as a whole is over: what the configuration gives it, or less where its client says so. */
import * as Either from "effect/Either"
import { InvalidRequest } from "../errors/RequestErrors.ts"

export interface Deadline {
  /** Epoch milliseconds. */
  readonly at: number
  /** Milliseconds after the request was accepted. */
  readonly afterMs: number
  readonly setBy: "client" | "configuration"
}

/** In which a client says how many milliseconds it is willing to wait for the whole answer. */
export const timeoutHeader = "x-request-timeout-ms"

/**
 * The deadline of a request. A client's time counts only where it is shorter; one that is no whole number of milliseconds from 1 up is
 * refused, since whoever sends one relies on it.
 *
 * @param startedAt epoch milliseconds
 */
export const deadlineOf = (
  headers: Readonly<Record<string, string | undefined>>,
  startedAt: number,
  requestTimeoutMs: number,
): Either.Either<Deadline, InvalidRequest> => {
  const said = headers[timeoutHeader]?.trim()
  const asked = said === undefined ? Number.POSITIVE_INFINITY : /^\d+$/.test(said) ? Number(said) : 0
  if (asked === 0) {
    return Either.left(
      new InvalidRequest({
        message: `The header ${timeoutHeader} must be a whole number of milliseconds of at least 1.`,
        param: timeoutHeader,
      }),
    )
  }
  const afterMs = Math.min(asked, requestTimeoutMs)
  return Either.right({
    at: startedAt + afterMs,
    afterMs,
    setBy: asked < requestTimeoutMs ? "client" : "configuration",
  })
}
