/** A request as it is taken on: its headers, where it comes from, its id, and in which face it is told of errors. */
import { randomUUID } from "node:crypto"
import type { IncomingHttpHeaders, IncomingMessage } from "node:http"
import type { ClientCall } from "../gateway/Exchange.ts"
import { faceOf } from "../operations/FaceOf.ts"
import { sanitizeRequestId } from "../wire/RequestId.ts"

const requestIdHeader = "x-request-id"

/** `set-cookie`, which no client has to send, is the only header that Node gives as an array. */
const areJoined = (headers: IncomingHttpHeaders): headers is ClientCall["headers"] =>
  headers["set-cookie"] === undefined

/** All values of a header that came several times, as RFC 9110 §5.3 joins them. */
const headersOf = ({ headers }: IncomingMessage): ClientCall["headers"] =>
  areJoined(headers)
    ? headers
    : Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          typeof value === "object" ? value.join(", ") : value,
        ]),
      )

const millisecondDigits = 12

/**
 * An id that later ones sort behind (UUID version 7, RFC 9562 §5.7): rows of requests lie side by side in the audit's index of ids, which random
 * ones would write all over, for half the cost of a row.
 */
const newId = (now: number): string => {
  const time = now.toString(16).padStart(millisecondDigits, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

/** @param now epoch milliseconds */
export const accept = (message: IncomingMessage, now: number): ClientCall => {
  const headers = headersOf(message)
  return {
    id: sanitizeRequestId(headers[requestIdHeader]) ?? newId(now),
    face: faceOf(message.url ?? "", headers),
    headers,
    remoteAddress: message.socket.remoteAddress ?? "",
  }
}
