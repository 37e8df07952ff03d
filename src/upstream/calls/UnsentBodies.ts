/**
 * Closes a connection whose answer is whole while its request is still being sent, as where a large body is refused. The rest of that body may
 * never be read, and the next call on the connection would wait behind it. undici does so for streams, and not for bodies that are one piece.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Where undici tells of each request that it begins to write to a connection, and of each whose answer is whole. */
const begun = "undici:client:sendHeaders"
const answered = "undici:request:trailers"

/** The kernel takes at least so much at once: a body that is no longer is never left behind, and costs no place in a table of weak keys. */
const alwaysSentBytes = 16_384

const watch = () => {
  const connections = new WeakMap<object, Socket>()
  const onBegun = (message: unknown): void => {
    if (typeof message !== "object" || message === null) return
    if (!("request" in message && "socket" in message)) return
    const { request, socket } = message
    if (typeof request !== "object" || request === null || !(socket instanceof Socket)) return
    if ("body" in request && request.body instanceof Uint8Array && request.body.length <= alwaysSentBytes)
      return
    connections.set(request, socket)
  }
  const onAnswered = (message: unknown): void => {
    if (typeof message !== "object" || message === null || !("request" in message)) return
    const { request } = message
    if (typeof request !== "object" || request === null) return
    const socket = connections.get(request)
    if (socket !== undefined && socket.writableLength > 0) socket.destroy()
  }
  subscribe(begun, onBegun)
  subscribe(answered, onAnswered)
  return () => {
    unsubscribe(begun, onBegun)
    unsubscribe(answered, onAnswered)
  }
}

/** Does so for every call that is made until the scope ends. */
export const closeUnsent: Effect.Effect<void, never, Scope.Scope> = Effect.asVoid(
  Effect.acquireRelease(Effect.sync(watch), (stop) => Effect.sync(stop)),
)
