/**
 * Tells a pooled connection that had died from an upstream that fails: the upstream closed an idle connection just as it was taken from the
 * pool, so nothing of this request was answered, and it may be sent once more at once.
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export class StaleConnections {
  /** How much had been read of a connection when the latest request was written to it. */
  readonly #readBefore = new WeakMap<Socket, number>()
  /** The errors of connections that had answered before, but nothing of the latest request. */
  readonly #errors = new WeakSet<Error>()

  /** For undici's channel of requests that are written; Node's own `fetch` speaks there too, and does no harm. */
  readonly onRequest = (message: unknown): void => {
    if (typeof message !== "object" || message === null || !("socket" in message)) return
    const { socket } = message
    if (socket instanceof Socket) this.#readBefore.set(socket, socket.bytesRead)
  }

  /** Notes what ends the connection, before undici sees it: undici passes errors on as they are. */
  watch(socket: Socket): void {
    socket.once("error", (cause: Error) => {
      const readBefore = this.#readBefore.get(socket) ?? 0
      if (readBefore > 0 && socket.bytesRead === readBefore) this.#errors.add(cause)
    })
  }

  /** Whether the cause of a failed call is that its connection had died before. */
  caused(cause: unknown): boolean {
    return cause instanceof Error && this.#errors.has(cause)
  }
}

/** Where undici tells of each request that it has written to a connection. */
const written = "undici:client:sendHeaders"

export const staleConnections: Effect.Effect<StaleConnections, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const stale = new StaleConnections()
    subscribe(written, stale.onRequest)
    return stale
  }),
  (stale) => Effect.sync(() => unsubscribe(written, stale.onRequest)),
)
