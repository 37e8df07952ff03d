/**
 * One call on the wire, with its upstream's timeouts. Everything a socket can do wrong becomes an `AttemptFailure` here.
 *
 * undici is used directly rather than through `HttpClient`: its own timers cost nothing per chunk, where an `Effect.timeout` costs
 * about 100 µs per request, and `HttpClient` neither sets an idle timeout nor retries a stale pooled connection. Of undici it is
 * `dispatch`, since `request` makes a promise, a `Readable` and an `AbortController` for each call.
 */
import type { IncomingHttpHeaders } from "node:http"
import type { Agent, Dispatcher } from "undici"
import { type Coding, codingsOf, mayBePacked } from "../../wire/ContentCoding.ts"
import { fieldsOf } from "../../wire/Headers.ts"
import { AttemptFailure } from "../policy/AttemptFailure.ts"
import { retryAfterMs } from "../policy/RetryAfter.ts"
import type { Agents } from "./Agents.ts"
import { proxyRefusal } from "./Connections.ts"
import { destinationOf, withQuery } from "./Destination.ts"
import { isPassing, sentBody } from "./SentBody.ts"
import { faultOf } from "./SocketFault.ts"
import type { StaleConnections } from "./StaleConnections.ts"
import { isKnown, type Tap, Unpacking } from "./Unpacking.ts"
import type { CallListener, OpenCall, UpstreamCall } from "./UpstreamCall.ts"

const flatten = (headers: IncomingHttpHeaders): Readonly<Record<string, string>> => {
  const flat: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ")
  }
  return flat
}

/** Why a call was aborted from this side, where it was not simply left. Node's timers: precise, and about 1 µs each. */
type Expiry = "first_byte" | "idle" | "answer" | "total" | "deadline"

/** The reason of every abort, made once. */
const over = new Error("the call is over")

/** What calls need of the layer they are made in. */
export interface Wire {
  readonly agents: Agents
  readonly stale: StaleConnections
  readonly now: () => number
  readonly count: (name: string, change: 1 | -1) => void
}

/** One call, over one connection, and over another should the first have been dead. */
export class RunningCall implements OpenCall, Dispatcher.DispatchHandler {
  readonly #call: UpstreamCall
  #listener: CallListener
  readonly #wire: Wire
  /** When the whole call is over, in milliseconds from its beginning, and by whose word. */
  #endMs = 0
  #end: Exclude<Expiry, "first_byte" | "idle"> = "total"
  readonly #beganAt: number
  /** One for all that is timed here: nearly every call is over before it rings, and setting another costs a microsecond. */
  #timer: NodeJS.Timeout
  #awaitsFirstByte: boolean
  readonly #firstMs: number
  /** It answers: of what has only sent the head of a good answer nothing is known but that it works on the rest. */
  #isAnswering = false
  #isPaused = false
  /** When the upstream last showed that it lives. */
  #signAt: number
  #controller: Dispatcher.DispatchController | undefined
  #expired: Expiry | undefined
  #isFresh = false
  #isOver = false
  /** What is done with the body's bytes: what unpacks them, nothing, or not known before the first of them. */
  #body: Unpacking | "plain" | "unreadable" | undefined
  /** The connection has nothing more to give. */
  #isRead = false

  constructor(call: UpstreamCall, listener: CallListener, wire: Wire) {
    this.#call = call
    this.#listener = listener
    this.#wire = wire
    const { timeouts } = call.upstream
    wire.count(call.upstream.name, 1)
    this.#beganAt = wire.now()
    this.#signAt = this.#beganAt
    this.#awaitsFirstByte = call.awaits !== "answer"
    this.#firstMs = call.awaits === "bytes" ? timeouts.answerMs : timeouts.firstByteMs
    this.#endsIn(call.awaits === "answer" ? Math.min(timeouts.answerMs, timeouts.totalMs) : timeouts.totalMs)
    const firstMs = this.#awaitsFirstByte ? this.#firstMs : Number.POSITIVE_INFINITY
    this.#timer = setTimeout(ring, Math.min(firstMs, timeouts.idleMs, this.#endMs), this)
    const { fresh, pooled } = wire.agents.of(call.upstream)
    this.#isFresh = isPassing(call.body)
    this.#dispatch(this.#isFresh ? fresh : pooled)
  }

  #dispatch(agent: Agent): void {
    const { body, headers, method, query, upstream } = this.#call
    const { origin, path, withEvery } = destinationOf(upstream, this.#call.path)
    const isWhole = body === undefined || body instanceof Uint8Array
    const length = isWhole || isPassing(body) ? undefined : body.length
    const others = length === undefined ? withEvery : { ...withEvery, "content-length": String(length) }
    agent.dispatch(
      {
        origin,
        path: withQuery(path, query),
        method,
        headers: fieldsOf(headers, others),
        body: isWhole ? (body ?? null) : sentBody(body, this.#onTaken),
      },
      this,
    )
  }

  /** An upstream that takes what it is sent lives, and cannot answer yet. */
  readonly #onTaken = (): void => {
    this.#signAt = this.#wire.now()
  }

  tell(listener: CallListener): void {
    this.#listener = listener
  }

  begun(): void {
    this.#awaitsFirstByte = false
  }

  handedOn(): void {
    this.#endsIn(this.#call.upstream.timeouts.totalMs)
  }

  /** The whole call is over so many milliseconds after its beginning, unless its request's deadline is earlier. */
  #endsIn(wholeMs: number): void {
    const { deadline, upstream } = this.#call
    const leftMs = deadline === undefined ? Number.POSITIVE_INFINITY : deadline.at - this.#beganAt
    this.#end = leftMs < wholeMs ? "deadline" : wholeMs < upstream.timeouts.totalMs ? "answer" : "total"
    this.#endMs = Math.max(0, Math.min(leftMs, wholeMs))
  }

  get isUnpacked(): boolean {
    return this.#body instanceof Unpacking
  }

  pause(): void {
    if (this.#body instanceof Unpacking) this.#body.pause()
    else this.#tap.pause()
  }

  resume(): void {
    if (this.#body instanceof Unpacking) this.#body.resume()
    else this.#tap.resume()
  }

  close(): void {
    if (this.#isOver) return
    this.#settle()
    this.#controller?.abort(over)
  }

  /** What the connection brings, whether it is unpacked first or not. An upstream that is not read cannot be silent. */
  readonly #tap: Tap = {
    pause: () => {
      this.#isPaused = true
      this.#controller?.pause()
    },
    resume: () => {
      this.#isPaused = false
      this.#signAt = this.#wire.now()
      this.#controller?.resume()
    },
  }

  /** The timer rang; where neither the whole call is over nor its upstream silent for too long, it is set again. */
  ring(): void {
    if (this.#isOver) return
    const { idleMs } = this.#call.upstream.timeouts
    const now = this.#wire.now()
    if (this.#isPaused) this.#signAt = now
    const endsMs = this.#beganAt + this.#endMs - now
    const mostMs = this.#awaitsFirstByte
      ? this.#firstMs
      : this.#isAnswering
        ? idleMs
        : Number.POSITIVE_INFINITY
    const silentMs = this.#signAt + mostMs - now
    if (endsMs <= 0) this.#expire(this.#end)
    else if (silentMs <= 0) this.#expire(this.#awaitsFirstByte ? this.#first : "idle")
    // Whatever it waits for then may begin at once, and be silent from there on.
    else this.#timer = setTimeout(ring, Math.min(endsMs, silentMs, idleMs), this)
  }

  /** What is over when what is waited for does not begin. */
  get #first(): "answer" | "first_byte" {
    return this.#call.awaits === "bytes" ? "answer" : "first_byte"
  }

  #expire(phase: Expiry): void {
    this.#expired = phase
    const failure = this.#failureOf(over)
    this.close()
    this.#listener.onEnd(failure)
  }

  #settle(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#wire.count(this.#call.upstream.name, -1)
    if (this.#body instanceof Unpacking) this.#body.close()
  }

  #failureOf(cause: unknown): AttemptFailure {
    const { deadline, upstream } = this.#call
    const { answerMs, firstByteMs, idleMs, totalMs } = upstream.timeouts
    switch (this.#expired) {
      case undefined:
        return faultOf(cause, upstream)
      case "first_byte":
        return AttemptFailure.TimedOut({ phase: "first_byte", afterMs: firstByteMs })
      case "idle":
        return AttemptFailure.TimedOut({ phase: "idle", afterMs: idleMs })
      case "answer":
        return AttemptFailure.TimedOut({ phase: "answer", afterMs: answerMs })
      case "total":
        return AttemptFailure.TimedOut({ phase: "total", afterMs: totalMs })
      case "deadline":
        return AttemptFailure.TimedOut({ phase: "deadline", afterMs: deadline?.afterMs ?? 0 })
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(over)
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // What comes before is only information.
    if (status < 200 || this.#isOver) return
    const { proxy } = this.#call.upstream
    // Only a proxy answers so, which makes the call itself; it is not the upstream's word.
    if (status === 407 && proxy !== undefined) {
      this.close()
      this.#listener.onEnd(faultOf(proxyRefusal(proxy, status), this.#call.upstream))
      return
    }
    if (status >= 300) this.#hasSign()
    const flat = flatten(headers)
    const encoding = flat["content-encoding"]
    const packed = this.#call.unpacks === "none" ? [] : codingsOf(encoding, isKnown)
    if (packed === undefined) {
      this.#body = "unreadable"
      if (status < 300) {
        this.close()
        this.#listener.onEnd(AttemptFailure.Unusable({ reason: unreadable(encoding) }))
        return
      }
    } else if (packed.length > 0) this.#body = this.#unpacking(packed)
    this.#listener.onHead({ status, headers: flat, retryAfterMs: retryAfterMs(flat, this.#wire.now()) })
  }

  /** What unpacks the body, told of everything the connection brings from now on. */
  #unpacking(said: ReadonlyArray<Coding>): Unpacking {
    return new Unpacking(said, this.#tap, {
      onBytes: (bytes) => {
        if (!this.#isOver) this.#listener.onBytes(bytes)
      },
      onEnd: (failure) => this.#ended(failure),
    })
  }

  #hasSign(): void {
    this.#isAnswering = true
    this.#signAt = this.#wire.now()
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#hasSign()
    this.#body ??= this.#call.unpacks === "any" && mayBePacked(chunk) ? this.#unpacking([]) : "plain"
    if (this.#body === "plain") this.#listener.onBytes(chunk)
    else if (this.#body !== "unreadable") this.#body.write(chunk)
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#isRead = true
    if (this.#body instanceof Unpacking) this.#body.end(undefined)
    else this.#ended(undefined)
  }

  #ended(failure: AttemptFailure | undefined): void {
    if (this.#isOver) return
    this.#settle()
    // Something stands behind what was packed.
    if (!this.#isRead) this.#controller?.abort(over)
    this.#listener.onEnd(failure)
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    if (this.#isOver) return
    const { stale } = this.#wire
    if (!this.#isFresh && stale.caused(cause)) {
      // When one pooled connection is dead, others of the pool may be.
      this.#isFresh = true
      this.#dispatch(this.#wire.agents.of(this.#call.upstream).fresh)
      return
    }
    this.#isRead = true
    const failure = this.#failureOf(cause)
    if (this.#body instanceof Unpacking) this.#body.end(failure)
    else this.#ended(failure)
  }
}

/** As much of a header as a message repeats. */
const mostRepeated = 64

const unreadable = (encoding = ""): string =>
  `answered in the encoding ${encoding.slice(0, mostRepeated)}, which is not known here`

const ring = (call: RunningCall): void => call.ring()
