/** A client that sends a request and reads its answer no faster than the test says, down to not at all. */
import { connect, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Sends the bytes and reads nothing. */
export const absentReader = (
  port: number,
  bytes: string | Buffer,
): Effect.Effect<Socket, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => {
        socket.pause()
        socket.write(bytes, () => resume(Effect.succeed(socket)))
      })
      // It is cut, as a rule.
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy()),
  )

/** Connections that say nothing. */
export const silentConnections = (
  port: number,
  count: number,
): Effect.Effect<ReadonlyArray<Socket>, never, Scope.Scope> =>
  Effect.all(
    Array.from({ length: count }, () =>
      Effect.acquireRelease(
        Effect.async<Socket>((resume) => {
          const socket = connect({ port, host: "127.0.0.1" })
          const done = () => resume(Effect.succeed(socket))
          socket.once("connect", done)
          socket.once("close", done)
          socket.on("error", () => {})
          socket.resume()
        }),
        (socket) => Effect.sync(() => socket.destroy()),
      ),
    ),
    { concurrency: "unbounded" },
  )
