/** A request's body as it comes, for whoever hands it on: no faster than it is taken, and no more of it than may be. */
import type { IncomingMessage } from "node:http"
import type { GatewayError } from "../errors/GatewayError.ts"
import { type BodyLimit, RequestTooLarge } from "../errors/RequestErrors.ts"
import type { PassingBody } from "../gateway/Exchange.ts"
import { saysBody } from "./RequestHead.ts"

/** A body on its way, for whoever keeps its pace. */
export interface BodyOnItsWay extends PassingBody {
  /** Whether its next bytes are waited for: who is not read from cannot send. */
  readonly isAwaited: () => boolean
  /** Ends it with this error. */
  readonly stop: (error: GatewayError) => void
}

/**
 * The body of a request, where it has one.
 *
 * @param askFor asks for it, where the client waits for that
 */
export const passingBody = (
  message: IncomingMessage,
  limit: BodyLimit,
  askFor: () => void,
): BodyOnItsWay | undefined => {
  if (!saysBody(message)) return undefined
  const said = message.headers["content-length"]
  const length = said === undefined ? undefined : Number(said)
  let received = 0
  let fault: GatewayError | undefined =
    length !== undefined && length > limit.limitBytes ? new RequestTooLarge(limit) : undefined

  let giveUp: ((cause: Error) => void) | undefined

  /** The next of it, unless it is stopped before. */
  const next = (chunks: AsyncIterator<unknown>): Promise<IteratorResult<unknown, unknown>> =>
    new Promise<IteratorResult<unknown, unknown>>((resolve, reject) => {
      giveUp = reject
      chunks.next().then(resolve, reject)
    }).finally(() => {
      giveUp = undefined
    })

  async function* bytes() {
    if (message.headers.expect !== undefined) askFor()
    // What is left of it is thrown away when the answer is out: the connection may go on.
    const chunks = message.iterator({ destroyOnReturn: false })
    try {
      for (let read = await next(chunks); read.done !== true; read = await next(chunks)) {
        if (!(read.value instanceof Uint8Array)) continue
        received += read.value.length
        if (received > limit.limitBytes) {
          fault = new RequestTooLarge(limit)
          throw new Error("too large")
        }
        yield read.value
      }
    } finally {
      chunks.return?.().catch(() => {})
    }
  }

  return {
    length,
    bytes: bytes(),
    received: () => received,
    fault: () => fault,
    isAwaited: () => giveUp !== undefined,
    stop: (error) => {
      fault = error
      giveUp?.(new Error("stopped"))
    },
  }
}
