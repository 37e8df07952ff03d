/**
 * The listening Node server beneath the routes: its limits against slow and oversized senders, OpenAI-shaped answers to requests
 * too broken to reach a route, and an orderly end.
 *
 * It is Node's own server, and requests reach the routes as its own events: `@effect/platform`'s router took about half of all the time of a
 * request (docs/performance.md), and closes a server by detaching its handler and waiting for every connection without limit, so that
 * keep-alive connections hold it open and requests on them hang. This one is drained before it is closed: routes stay attached and refuse what
 * still arrives, connections with nothing under way are closed again and again, half-begun requests are refused, and what is left is cut, and told
 * so, when the grace period is over.
 */
import * as Http from "node:http"
import * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Declaration } from "../errors/Declaration.ts"
import { faces } from "../errors/faces/Faces.ts"
import { answerOf } from "../errors/GatewayError.ts"
import { ShuttingDown } from "../errors/ServerErrors.ts"
import { faceOf } from "../operations/FaceOf.ts"
import { hurried, isHurried } from "../runtime/Signals.ts"
import type { Connection } from "./Connection.ts"
import { Connections, type ConnectionTable } from "./Connections.ts"

export interface NodeServerOptions {
  readonly host: string
  readonly port: number
  /** How long requests under way may go on once the server is told to end. */
  readonly shutdownGrace: Duration.Duration
  /** How long it says that it is leaving before it does anything else. */
  readonly shutdownDelay: Duration.Duration
  /** What names the address: the `admin` section of the configuration, else the environment. */
  readonly setBy?: "admin"
}

export class NodeServer extends Context.Tag("sluice/NodeServer")<
  NodeServer,
  {
    readonly port: number
    /** `http://host:port`. */
    readonly url: string
    /** Hands requests to the listener until the scope ends. */
    readonly serve: (listener: Http.RequestListener) => Effect.Effect<void, never, Scope.Scope>
    /** It is told to end. */
    readonly isLeaving: () => boolean
    /** Nothing new is taken. */
    readonly isDraining: () => boolean
    /**
     * After the delay stops listening, and waits until the last connection is closed. What is under way when the grace period is over, or somebody is
     * in a hurry, is cut.
     *
     * @param onDrain told how many requests are under way when it stops listening
     */
    readonly drain: (onDrain: (underWay: number) => Effect.Effect<void>) => Effect.Effect<void>
  }
>() {}

const inWords: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRNOTAVAIL: "this machine does not have that address",
  EAI_AGAIN: "its name cannot be looked up now",
  ENOTFOUND: "there is no such host",
}

/** The address cannot be listened on. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{
  readonly host: string
  readonly port: number
  /** Of the system: EACCES. */
  readonly code: string
  readonly setBy: "admin" | undefined
}> {
  override get message(): string {
    const isAdmin = this.setBy === "admin"
    if (this.code === "EADDRINUSE") {
      return isAdmin
        ? `port ${this.port}, the admin.port of the configuration, is in use; choose another`
        : `port ${this.port} is in use; choose another with --port or SERVER_PORT`
    }
    // What is no address may be anything, a key too; and the system's own words repeat it.
    const where =
      Net.isIP(this.host) === 0 ? `the host that ${isAdmin ? "admin.host" : "SERVER_HOST"} names` : this.host
    return `cannot listen on port ${this.port} of ${where}: ${inWords[this.code] ?? this.code}`
  }
}

/** Whole milliseconds; see `node:http`. */
const limits: Http.ServerOptions = {
  headersTimeout: 30_000,
  // A body has its own pace to keep, and its request a deadline (Handling.ts): an upload of half a gigabyte may take longer than any fixed time.
  requestTimeout: 0,
  // Above the 60 s of common balancers, so that it is never this side that closes a connection they just reused.
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
  noDelay: true,
}

const idleSweepMs = 100

/** How long idle connections are kept after the server was told to end, for requests that are on their way. */
const lameDuckMs = 1_000

/** When a request is refused whose body is still not there; its client may go on sending for 2 seconds then. */
const halfBegunMs = 1_500

/** How long the last words may take to those whose requests are cut. */
const lastWordsMs = 500

/** On what is answered before a request reaches a route. */
const ofOwnJson = { "x-content-type-options": "nosniff", "cache-control": "no-store" }

/** Answers what could not be parsed as a request, and ends the connection. */
const refuse = (error: Error, socket: Duplex, connection: Connection | undefined): void => {
  const code = "code" in error ? error.code : undefined
  if (code === "ECONNRESET" || !socket.writable) {
    socket.destroy()
    return
  }
  const [status, message] =
    code === "HPE_HEADER_OVERFLOW"
      ? [
          "431 Request Header Fields Too Large",
          `The request's headers are larger than ${limits.maxHeaderSize} bytes.`,
        ]
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ["408 Request Timeout", "The request was not sent completely in time."]
        : ["400 Bad Request", "The request is not valid HTTP/1.1."]
  // Its path could not be read.
  const body = faces.openai.ownBody(
    { status: Number.parseInt(status, 10), message, type: "invalid_request_error", param: null, code: null },
    undefined,
  )
  const lastWord = () =>
    void socket.end(
      Buffer.concat([
        Buffer.from(
          `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
        ),
        body,
      ]),
      () => socket.destroy(),
    )
  if (connection === undefined) lastWord()
  else connection.refuse(lastWord)
}

/** Answers an expectation other than `100-continue`. */
const refuseExpectation = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
  request.resume()
  const unmet: Declaration = {
    status: 417,
    message: "This gateway meets no expectation but 100-continue. Leave the header `expect` out.",
    type: "invalid_request_error",
    param: "expect",
    code: null,
  }
  response
    .writeHead(unmet.status, { ...ofOwnJson, "content-type": "application/json", connection: "close" })
    .end(faces[faceOf(request.url ?? "", request.headers)].ownBody(unmet, undefined))
}

class DrainingServer extends Http.Server {
  isLeaving = false
  hasBegun = false
  readonly table: ConnectionTable

  constructor(connections: ConnectionTable) {
    super(limits)
    this.table = connections
    this.on("connection", (socket) => {
      if (!connections.add(socket)) socket.destroy()
    })
    this.on("clientError", (error, socket) =>
      refuse(error, socket, socket instanceof Net.Socket ? connections.of(socket) : undefined),
    )
    this.on("checkExpectation", (request, response) => {
      const connection = connections.of(request.socket)
      if (connection === undefined || !connection.isTaking()) return
      refuseExpectation(request, response)
      // The connection closes with that.
      connection.isRefused = true
    })
    // Node would ask for every body; one that is refused by its head is not to be sent at all (RFC 9110 §10.1.1). `ClientBody` asks.
    this.on("checkContinue", (request, response) => void this.emit("request", request, response))
    this.on("request", (request, response) => this.#answerUnserved(request, response))
    // Nothing listens for `upgrade`: Node passes over such offers then, as RFC 9110 §7.8 allows. A listener would be taken for consent to any,
    // and no body be read of a request that offers h2c along, as those of Java's client do.
  }

  /** Only speaks when it is the last listener, which it is before the routes are attached and when they let go. */
  #answerUnserved(request: Http.IncomingMessage, response: Http.ServerResponse): void {
    if (this.listenerCount("request") > 1) return
    request.resume()
    const { body, headers, status } = answerOf(new ShuttingDown({ retryAfterSeconds: 1 }), {
      face: faceOf(request.url ?? "", request.headers),
      id: undefined,
    })
    response.writeHead(status, { ...ofOwnJson, ...headers }).end(body)
  }

  /**
   * Stops listening, and calls back when the last connection is closed. Not `http.Server`'s own `close`, which would close idle
   * connections at once: a request that is just on its way would meet a reset instead of its 503.
   */
  stop(done: () => void): void {
    this.hasBegun = true
    Net.Server.prototype.close.call(this, done)
  }

  /**
   * Closes what has no request under way, be it that it has said nothing, or half a head, and nothing on its way to the client. Node's own
   * `closeIdleConnections` takes a connection for busy that has not had a request yet.
   */
  closeIdle(): void {
    for (const connection of this.table.all()) if (connection.isIdle) connection.socket.destroy()
  }

  cutRequests(which: "all" | "half-begun", when: string): void {
    for (const connection of this.table.all()) connection.cutRequests(which, when)
  }
}

/** The end of a server, step by step. */
const drain = (
  server: DrainingServer,
  { shutdownDelay, shutdownGrace }: NodeServerOptions,
  onDrain: (underWay: number) => Effect.Effect<void>,
): Effect.Effect<void> =>
  Effect.gen(function* () {
    server.isLeaving = true
    yield* Effect.raceFirst(Effect.sleep(shutdownDelay), hurried)
    const closed = yield* Deferred.make<void>()
    server.stop(() => Deferred.unsafeDone(closed, Effect.void))
    yield* onDrain(server.table.requests)
    const sweep = Effect.repeat(
      Effect.sync(() => server.closeIdle()),
      Schedule.spaced(idleSweepMs),
    )
    const isClosed = Deferred.await(closed)
    const graceMs = Duration.toMillis(shutdownGrace)
    const orderly = Effect.all(
      [
        Effect.delay(sweep, Math.min(lameDuckMs, graceMs)),
        Effect.delay(
          Effect.sync(() => server.cutRequests("half-begun", "")),
          Math.min(halfBegunMs, graceMs),
        ),
      ],
      { concurrency: "unbounded" },
    )
    yield* Effect.raceFirst(isClosed, Effect.raceFirst(orderly, hurried)).pipe(Effect.timeoutOption(graceMs))
    server.cutRequests("all", isHurried() ? "by a second signal" : "at the end of the grace period")
    yield* Effect.timeoutOption(Effect.raceFirst(isClosed, sweep), lastWordsMs)
    server.closeAllConnections()
    yield* Effect.timeoutOption(isClosed, lastWordsMs)
    // In a fiber of its own: the one that ends is interrupted already, and so would be whatever it waits for.
  }).pipe(Effect.interruptible, Effect.forkDaemon, Effect.flatMap(Fiber.join))

/** Whether the machine merely has no IPv6, so that `::` cannot be had. */
const lacksIpv6 = ({ code }: ListenFailed): boolean =>
  code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL" || code === "EINVAL"

const listening = (server: DrainingServer, host: string, { port, setBy }: NodeServerOptions) =>
  Effect.async<Net.AddressInfo | undefined, ListenFailed>((resume) => {
    const fail = (error: Error) =>
      resume(new ListenFailed({ host, port, setBy, code: "code" in error ? String(error.code) : "" }))
    server.once("error", fail)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", fail)
      // The system could not give a connection: no files, no memory. Unheard, it would end the process.
      server.on("error", () => server.table.refused())
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address : undefined))
    })
  })

const closed = (server: DrainingServer): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (!server.listening) return resume(Effect.void)
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

const urlOf = ({ address, family, port }: Net.AddressInfo): string =>
  `http://${family === "IPv6" ? `[${address}]` : address}:${port}`

/** Listens; `::` means both IP versions, and falls back to `0.0.0.0` on machines without IPv6. */
export const layer = (options: NodeServerOptions): Layer.Layer<NodeServer, ListenFailed, Connections> => {
  const listen = (host: string) =>
    Layer.scoped(
      NodeServer,
      Effect.gen(function* () {
        const connections = yield* Connections
        const server = yield* Effect.acquireRelease(
          Effect.sync(() => new DrainingServer(connections)),
          closed,
        )
        const address = yield* listening(server, host, options)
        return NodeServer.of({
          port: address?.port ?? options.port,
          url: address === undefined ? "" : urlOf(address),
          serve: (listener) =>
            Effect.acquireRelease(
              Effect.sync(() => server.on("request", listener)),
              () => Effect.sync(() => server.off("request", listener)),
            ),
          isLeaving: () => server.isLeaving,
          isDraining: () => server.hasBegun,
          drain: (onDrain) => drain(server, options, onDrain),
        })
      }),
    )
  const first = listen(options.host)
  return options.host === "::"
    ? Layer.catchAll(first, (error) => (lacksIpv6(error) ? listen("0.0.0.0") : Layer.fail(error)))
    : first
}
