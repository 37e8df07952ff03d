/**
 * The head of a request: whether a body follows it, and what Node's parser lets through and RFC 9112 does not: other versions of HTTP, a request for two
 * hosts, and one whose body may or may not be framed.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { faces } from "../errors/faces/Faces.ts"
import { faceOf } from "../operations/FaceOf.ts"

/** Whether a body follows the head (RFC 9112 §6.3). */
export const saysBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

interface HeadFault {
  readonly status: number
  readonly message: string
}

const isHost = (name: string): boolean => name.length === 4 && name.toLowerCase() === "host"

/** Of names and values in turn, how many are `host`. Node keeps the first alone, and proxies may go by another. */
const hostsIn = (rawHeaders: ReadonlyArray<string>): number => {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (isHost(rawHeaders[at] ?? "")) hosts += 1
  return hosts
}

const faultOf = ({ headers, httpVersion, rawHeaders }: IncomingMessage): HeadFault | undefined => {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return {
      status: httpVersion === "0.9" ? 400 : 505,
      message: "This gateway speaks HTTP/1.1 and HTTP/1.0 here.",
    }
  }
  if (hostsIn(rawHeaders) > 1) {
    // RFC 9112 §3.2.
    return { status: 400, message: "The request has more than one Host header." }
  }
  // Node goes by the length then, or by none; who takes the header for a coding finds the body to end elsewhere.
  if (headers["transfer-encoding"] === "") {
    return { status: 400, message: "The request has a Transfer-Encoding header without a coding." }
  }
  return undefined
}

/** Answers such a request, and closes its connection; whether it was one. */
export const refuseHead = (message: IncomingMessage, response: ServerResponse): boolean => {
  const fault = faultOf(message)
  if (fault === undefined) return false
  message.resume()
  response
    .writeHead(fault.status, {
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      connection: "close",
    })
    .end(
      faces[faceOf(message.url ?? "", message.headers)].ownBody(
        { ...fault, type: "invalid_request_error", param: null, code: null },
        undefined,
      ),
      () => message.socket.destroySoon(),
    )
  return true
}
