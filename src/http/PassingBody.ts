/** A request's body as it comes, for whoever hands it on: no faster than it is taken, and no more of it than may be. */
import type { IncomingMessage } from "node:http"
import type { GatewayError } from "../errors/GatewayError.ts"
import { type BodyLimit, RequestTooLarge } from "../errors/RequestErrors.ts"
import type { PassingBody } from "../gateway/Exchange.ts"

/** Whether a body follows the head (RFC 9112 §6.3). */
export const saysBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/**
 * The body of a request, where it has one.
 *
 * @param askFor asks for it, where the client waits for that
 */
export const passingBody = (
  message: IncomingMessage,
  limit: BodyLimit,
  askFor: () => void,
): PassingBody | undefined => {
  if (!saysBody(message)) return undefined
  const said = message.headers["content-length"]
  const length = said === undefined ? undefined : Number(said)
  let received = 0
  let fault: GatewayError | undefined =
    length !== undefined && length > limit.limitBytes ? new RequestTooLarge(limit) : undefined

  async function* bytes() {
    if (message.headers.expect !== undefined) askFor()
    // What is left of it is thrown away when the answer is out: the connection may go on.
    for await (const chunk of message.iterator({ destroyOnReturn: false })) {
      if (!(chunk instanceof Uint8Array)) continue
      received += chunk.length
      if (received > limit.limitBytes) {
        fault = new RequestTooLarge(limit)
        throw new Error("too large")
      }
      yield chunk
    }
  }

  return { length, bytes: bytes(), received: () => received, fault: () => fault }
}
