/** An outgoing proxy over real sockets: makes calls in absolute form, opens tunnels, asks for credentials, and refuses where it is told to. */
import { createServer, request as httpRequest } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { type AddressInfo, connect, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Certificate } from "./ScriptedUpstream.ts"

export interface ProxyScript {
  /** Where everything leads, whatever host was named; else where it was. */
  readonly to?: number
  /** What `proxy-authorization` has to be. */
  readonly authorization?: string
  /** Answers every CONNECT with these bytes, and closes. */
  readonly connectAnswer?: string
  /** Answers no CONNECT. */
  readonly silent?: boolean
}

export interface ScriptedProxy {
  readonly port: number
  /** `CONNECT host:port` and `POST http://…`, in the order of arrival; grows. */
  readonly seen: ReadonlyArray<string>
}

export const scriptedProxy = (
  script: ProxyScript,
  certificate?: Certificate,
): Effect.Effect<ScriptedProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const sockets = new Set<Socket>()
    const track = (socket: Socket) => {
      sockets.add(socket)
      socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket))
      return socket
    }
    const server = certificate === undefined ? createServer() : createTlsServer(certificate)
    server.on("connection", track)
    server.on("request", (incoming, response) => {
      seen.push(`${incoming.method} ${incoming.url}`)
      const { "proxy-authorization": authorization, ...headers } = incoming.headers
      if (authorization !== script.authorization) {
        response.writeHead(407, { "proxy-authenticate": "Basic" }).end("who are you?")
        return
      }
      const url = new URL(incoming.url ?? "")
      const onward = httpRequest(
        {
          host: "127.0.0.1",
          port: script.to ?? url.port,
          method: incoming.method,
          path: url.pathname + url.search,
          headers,
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        },
      )
      onward.on("error", () => response.destroy())
      incoming.pipe(onward)
    })
    server.on("connect", (incoming, socket: Socket) => {
      seen.push(`CONNECT ${incoming.url}`)
      track(socket)
      if (script.silent === true) return
      if (incoming.headers["proxy-authorization"] !== script.authorization) {
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        return
      }
      if (script.connectAnswer !== undefined) {
        socket.end(script.connectAnswer)
        return
      }
      const port = script.to ?? Number(new URL(`http://${incoming.url}`).port)
      const onward = track(
        connect(port, "127.0.0.1", () => {
          socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
          socket.pipe(onward)
          onward.pipe(socket)
        }),
      )
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address: AddressInfo | string | null = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }),
    )
    return { port, seen }
  })
