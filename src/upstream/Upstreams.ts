/**
 * The wire to the upstreams: one HTTP exchange over keep-alive pools, with the upstream's timeouts, given as an answer whose body
 * is still to be read. Everything a socket can do wrong becomes an `AttemptFailure` here.
 *
 * undici is used directly rather than through `HttpClient`: its own timers cost nothing per chunk, where an `Effect.timeout` costs
 * about 100 µs per request, and `HttpClient` neither sets an idle timeout nor retries a stale pooled connection. Of undici it is
 * `dispatch`, since `request` makes a promise, a `Readable` and an `AbortController` for each call.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Agent, buildConnector, type Dispatcher } from "undici"
import { AttemptFailure, retryAfterMs } from "../domain/AttemptPolicy.ts"
import type { Deadline } from "../domain/Deadline.ts"
import type { Upstream } from "../domain/Upstream.ts"
import { IncomingBody, type Pull } from "./IncomingBody.ts"
import { type StaleConnections, staleConnections } from "./StaleConnections.ts"

/** What is sent: `path` below the upstream's `baseUrl`, headers complete (the credential included). */
export interface UpstreamCall {
  readonly upstream: Upstream
  readonly method: "GET" | "POST"
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  /** What ends the wait for the first byte: the answer's head, or the first event, which `UpstreamAnswer.begun` tells. */
  readonly firstByte: "head" | "event"
  /** When the call is over whatever it has come to. */
  readonly deadline: Pick<Deadline, "at" | "afterMs"> | undefined
}

/** An upstream's answer with its body unread. Reading and the connection end with the scope it was got in. */
export interface UpstreamAnswer {
  readonly status: number
  /** Lower-case names; values of repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Stream.Stream<Uint8Array, AttemptFailure>
  /**
   * The whole body; fails with `BrokenOff` beyond `limitBytes`, and with `NoRoom` where `hold`, which is told of all bytes before they are
   * kept, refuses.
   */
  readonly bytes: (
    limitBytes: number,
    hold?: (bytes: number) => boolean,
  ) => Effect.Effect<Uint8Array, AttemptFailure>
  /** Milliseconds the answer's `Retry-After` asks for. */
  readonly retryAfterMs: number | undefined
  /** To be called when the first event has come: stops the first-byte timeout of a call that waits for an `event`. */
  readonly begun: () => void
}

export class Upstreams extends Context.Tag("sluice/Upstreams")<
  Upstreams,
  {
    /** Sends one call. Leaving the scope closes the connection if the body was not read to its end. */
    readonly send: (call: UpstreamCall) => Effect.Effect<UpstreamAnswer, AttemptFailure, Scope.Scope>
    /** How many calls of the upstream of this name are under way, bodies included. */
    readonly inFlight: (upstreamName: string) => number
  }
>() {}

/** Below the 30 s and more after which balancers drop idle connections, so that few pooled connections are stale. */
const keepAliveMs = 15_000

/** An agent whose connections are watched for whether they were stale. */
const makeAgent = (connectMs: number, idleMs: number, stale: StaleConnections): Agent => {
  const connector = buildConnector({
    timeout: connectMs,
    autoSelectFamily: true,
    // Node 20 gives each address of a host 250 ms, too little for a far-away first one.
    autoSelectFamilyAttemptTimeout: Math.min(connectMs, 2_000),
  })
  return new Agent({
    connect: (options, callback) =>
      connector(options, (...outcome) => {
        const [error, socket] = outcome
        if (error === null) stale.watch(socket)
        callback(...outcome)
      }),
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: 10 * idleMs,
    // The wait for the head is timed by `send`, the gaps of the body by each call's own `bodyTimeout`.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

/** What undici reported, until it is classified. */
class CallFault extends Data.TaggedError("CallFault")<{ readonly cause: unknown }> {}

/** The parts of the errors that undici and Node's sockets raise which tell them apart. */
interface SocketFault {
  readonly code: string
  readonly message: string
}

const readFault = (cause: unknown): SocketFault => {
  if (!(cause instanceof Error)) return { code: "", message: String(cause) }
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  return { code, message: cause.message }
}

const connectCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
  "ENOENT",
])

const isTlsFault = (code: string): boolean =>
  code.startsWith("ERR_TLS") ||
  code.startsWith("ERR_SSL") ||
  code.startsWith("CERT_") ||
  code.includes("SELF_SIGNED") ||
  code.startsWith("UNABLE_TO_")

const classify = (cause: unknown, upstream: Upstream): AttemptFailure => {
  const { code, message } = readFault(cause)
  const { connectMs, idleMs } = upstream.timeouts
  switch (code) {
    case "UND_ERR_CONNECT_TIMEOUT":
    case "ETIMEDOUT":
      return AttemptFailure.TimedOut({ phase: "connect", afterMs: connectMs })
    case "UND_ERR_BODY_TIMEOUT":
      return AttemptFailure.TimedOut({ phase: "idle", afterMs: idleMs })
  }
  if (connectCodes.has(code) || isTlsFault(code)) return AttemptFailure.ConnectFailed({ reason: code })
  return AttemptFailure.BrokenOff({ reason: code === "" || code === "UND_ERR_SOCKET" ? message : code })
}

const flatten = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> => {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ")
  }
  return flat
}

/** Collects a body, joining once: joining per chunk would be quadratic. */
const collect = (
  pull: Pull<AttemptFailure>,
  limitBytes: number,
  hold: (bytes: number) => boolean,
): Effect.Effect<Uint8Array, AttemptFailure> => {
  const collected: Array<Uint8Array> = []
  let size = 0
  const keep = (chunk: Uint8Array): AttemptFailure | undefined => {
    size += chunk.length
    if (size > limitBytes) return AttemptFailure.BrokenOff({ reason: `a body of over ${limitBytes} bytes` })
    if (!hold(chunk.length)) {
      return AttemptFailure.NoRoom({ lacks: "memory", reason: "no memory left for its answer" })
    }
    collected.push(chunk)
    return undefined
  }
  const whole = () => {
    const only = collected[0]
    return collected.length === 1 && only !== undefined ? only : Buffer.concat(collected, size)
  }
  const next: Effect.Effect<Uint8Array, AttemptFailure> = Effect.matchEffect(pull, {
    onSuccess: (chunks) => {
      for (const chunk of chunks) {
        const excess = keep(chunk)
        if (excess !== undefined) return Effect.fail(excess)
      }
      return next
    },
    onFailure: Option.match({ onNone: () => Effect.sync(whole), onSome: Effect.fail }),
  })
  return next
}

/** Why a call was aborted from this side, where it was not simply left. Node's timers: precise, and about 1 µs each. */
type Expiry = "first_byte" | "total" | "deadline"

/** The reason of every abort, made once. */
const over = new Error("the call is over")

interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: IncomingBody<AttemptFailure>
}

/** Where calls go below an upstream's base URL. */
interface Destination {
  readonly origin: string
  readonly path: string
}

/** Parsing a URL takes about 2 µs, and there are only so many. */
const destinations = new WeakMap<Upstream, Map<string, Destination>>()

const destinationOf = ({ path, upstream }: UpstreamCall): Destination => {
  const known = destinations.get(upstream)
  const found = known?.get(path)
  if (found !== undefined) return found
  const url = new URL(upstream.baseUrl + path)
  const made = { origin: url.origin, path: url.pathname + url.search }
  destinations.set(upstream, (known ?? new Map<string, Destination>()).set(path, made))
  return made
}

/** One call, over one connection, and over another should the first have been dead. */
class Exchange {
  readonly #call: UpstreamCall
  readonly #toFailure: (cause: unknown) => AttemptFailure
  #controller: Dispatcher.DispatchController | undefined
  #giveUp: (() => void) | undefined
  #isOver = false

  constructor(call: UpstreamCall, toFailure: (cause: unknown) => AttemptFailure) {
    this.#call = call
    this.#toFailure = toFailure
  }

  /** Ends it wherever it is: before there is a connection, while the head is awaited, or in the body. */
  abort(): void {
    this.#isOver = true
    this.#controller?.abort(over)
    this.#giveUp?.()
  }

  /** Sends the call; done when the answer's head is here. */
  over(agent: Agent): Effect.Effect<Head, CallFault> {
    return Effect.async((resume) => {
      const { body, headers, method, upstream } = this.#call
      const { origin, path } = destinationOf(this.#call)
      const incoming = new IncomingBody<AttemptFailure>()
      this.#controller = undefined
      this.#giveUp = () => resume(Effect.fail(new CallFault({ cause: over })))
      agent.dispatch(
        {
          origin,
          path,
          method,
          // Answers are read, and silence would allow any encoding (RFC 9110 §12.5.3).
          headers: { ...headers, "accept-encoding": "identity" },
          body: body ?? null,
          bodyTimeout: upstream.timeouts.idleMs,
        },
        {
          onRequestStart: (controller) => {
            this.#controller = controller
            if (this.#isOver) controller.abort(over)
          },
          onResponseStart: (_, status, responseHeaders) => {
            // What comes before is only information.
            if (status < 200) return
            this.#giveUp = undefined
            resume(Effect.succeed({ status, headers: flatten(responseHeaders), body: incoming }))
          },
          onResponseData: (controller, chunk) =>
            incoming.give(chunk, () => {
              controller.pause()
              return () => controller.resume()
            }),
          onResponseEnd: () => incoming.end(Option.none()),
          onResponseError: (_, cause) => {
            incoming.end(Option.some(this.#toFailure(cause)))
            resume(Effect.fail(new CallFault({ cause })))
          },
        },
      )
      return Effect.sync(() => this.abort())
    })
  }
}

/** Where calls go first, and where one goes whose pooled connection was dead. */
interface Agents {
  readonly pooled: Agent
  readonly fresh: Agent
}

export const layer: Layer.Layer<Upstreams> = Layer.scoped(
  Upstreams,
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const stale = yield* staleConnections
    const inFlight = new Map<string, number>()

    // One pair of agents per connect timeout, since undici sets that per agent; an agent drops the pools of origins no longer called.
    const agents = new Map<number, Agents>()
    const agentsFor = (connectMs: number): Agents => {
      const known = agents.get(connectMs)
      if (known !== undefined) return known
      const made = { pooled: makeAgent(connectMs, keepAliveMs, stale), fresh: makeAgent(connectMs, 1, stale) }
      agents.set(connectMs, made)
      return made
    }
    yield* Effect.addFinalizer(() =>
      Effect.promise(() =>
        Promise.all([...agents.values()].flatMap(({ fresh, pooled }) => [fresh.destroy(), pooled.destroy()])),
      ),
    )

    const count = (name: string, change: 1 | -1) => {
      const now = (inFlight.get(name) ?? 0) + change
      if (now > 0) inFlight.set(name, now)
      else inFlight.delete(name)
    }

    const send = (call: UpstreamCall): Effect.Effect<UpstreamAnswer, AttemptFailure, Scope.Scope> =>
      Effect.gen(function* () {
        const { upstream } = call
        const { timeouts } = upstream
        const exchange = new Exchange(call, (cause) => toFailure(cause))
        let expired: Expiry | undefined
        const expireAfter = (phase: Expiry, ms: number) =>
          setTimeout(() => {
            expired = phase
            exchange.abort()
          }, ms)
        const lastsMs = {
          first_byte: timeouts.firstByteMs,
          total: timeouts.totalMs,
          deadline: call.deadline?.afterMs ?? 0,
        }
        const toFailure = (cause: unknown): AttemptFailure =>
          expired === undefined
            ? classify(cause, upstream)
            : AttemptFailure.TimedOut({ phase: expired, afterMs: lastsMs[expired] })

        // `Effect.acquireRelease` would do, but it also compares and restores all fiber refs, about 150 µs.
        const timers = yield* Effect.uninterruptible(
          Effect.flatMap(Effect.scope, (scope) => {
            count(upstream.name, 1)
            const firstByte = expireAfter("first_byte", timeouts.firstByteMs)
            const leftMs =
              call.deadline === undefined
                ? Number.POSITIVE_INFINITY
                : call.deadline.at - clock.unsafeCurrentTimeMillis()
            const total =
              leftMs < timeouts.totalMs
                ? expireAfter("deadline", Math.max(0, leftMs))
                : expireAfter("total", timeouts.totalMs)
            const end = Effect.sync(() => {
              clearTimeout(firstByte)
              clearTimeout(total)
              count(upstream.name, -1)
              exchange.abort()
            })
            return Effect.as(Scope.addFinalizer(scope, end), { firstByte })
          }),
        )
        const begun = () => clearTimeout(timers.firstByte)

        const { fresh, pooled } = agentsFor(timeouts.connectMs)
        // When one pooled connection is dead, others of the pool may be.
        const head = yield* exchange.over(pooled).pipe(
          Effect.catchIf(
            ({ cause }) => expired === undefined && stale.caused(cause),
            () => exchange.over(fresh),
          ),
          Effect.mapError(({ cause }) => toFailure(cause)),
        )
        if (call.firstByte === "head") begun()
        const { pull } = head.body
        const answer: UpstreamAnswer = {
          status: head.status,
          headers: head.headers,
          body: Stream.fromPull(Effect.succeed(pull)),
          bytes: (limitBytes, hold = () => true) => collect(pull, limitBytes, hold),
          retryAfterMs: retryAfterMs(head.headers, clock.unsafeCurrentTimeMillis()),
          begun,
        }
        return answer
      })

    return Upstreams.of({ send, inFlight: (name) => inFlight.get(name) ?? 0 })
  }),
)
