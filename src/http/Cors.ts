/** Lets pages of any origin call the gateway: keys travel in headers that a page must hold itself, never in cookies. */
import type { ClientAnswer } from "../Gateway/Exchange.ts"

/** What browsers let a page read of an answer, beside the headers they always do. */
const exposed = [
  "x-request-id",
  "x-upstream-request-id",
  "x-sluice-upstream",
  "x-sluice-attempts",
  "x-should-retry",
  "retry-after",
].join(", ")

/** On every answer, the request's id among them. */
export const headersOnEvery = (requestId: string): Readonly<Record<string, string>> => ({
  "access-control-allow-origin": "*",
  "access-control-expose-headers": exposed,
  "x-request-id": requestId,
})

const maxAgeSeconds = 86_400

/**
 * The answer to a preflight (https://fetch.spec.whatwg.org/#http-cors-protocol): all headers a page asks for are allowed, by name, since
 * `*` would not cover `authorization`.
 */
export const preflight = (headers: Readonly<Record<string, string | undefined>>): ClientAnswer => ({
  status: 204,
  headers: {
    "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
    "access-control-allow-headers": headers["access-control-request-headers"] ?? "*",
    "access-control-max-age": String(maxAgeSeconds),
    vary: "access-control-request-headers",
  },
  body: new Uint8Array(),
})
