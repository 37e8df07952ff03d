/**
 * One request at the edge, from its head until the last byte of its answer is out or its connection is closed. One object for all of that: what each
 * request allocates beside it would be most of what the edge costs.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { isTooSlow, leastBytesPerSecond } from "../access/BodyPace.ts"
import type { Unsent } from "../audit/record/RecordDraft.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import type { GatewayError } from "../errors/GatewayError.ts"
import { RequestTooSlow, RequestUnreadable } from "../errors/RequestErrors.ts"
import { ShuttingDown } from "../errors/ServerErrors.ts"
import { cutStream } from "../errors/StreamError.ts"
import { DeadlineExceeded } from "../errors/UpstreamErrors.ts"
import type { ClientAnswer, ClientCall, ReadBody, Served, WantedBody } from "../gateway/Exchange.ts"
import type { Relay } from "../gateway/Relay.ts"
import * as ClientBody from "./ClientBody.ts"
import type { Connection } from "./Connection.ts"
import { headersForOperators, headersOnEvery } from "./Cors.ts"
import { type Linger, lingerForClient } from "./Lingering.ts"
import { type BodyOnItsWay, passingBody } from "./PassingBody.ts"
import { send } from "./Respond.ts"
import type { Look, UnderWay } from "./UnderWay.ts"

/** What all requests have in common. */
export interface Surroundings {
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  /** Runs what answers a request, and then sends the answer. */
  readonly forkAnswer: (
    answer: Effect.Effect<ClientAnswer>,
    send: (answer: ClientAnswer) => Effect.Effect<void>,
  ) => Fiber.RuntimeFiber<void>
  readonly snapshot: () => Snapshot
  readonly lingerForStranger: Linger
  /** A request could not be closed. */
  readonly onDefect: (id: string, defect: unknown) => void
}

/** What is given where no body was wanted. */
const noBody: ReadBody = Either.right(new Uint8Array())

/** What is still to be said when the time for a request is over may take so long. */
const lastWordsMs = 2_000

/** A request that was taken on, on its connection. */
interface Taken {
  readonly call: ClientCall
  readonly connection: Connection
  readonly message: IncomingMessage
  readonly response: ServerResponse
  readonly served: Served
}

export class Handling implements UnderWay {
  behind: UnderWay | undefined
  readonly #surroundings: Surroundings
  readonly #connection: Connection
  readonly #call: ClientCall
  readonly #served: Served
  readonly #message: IncomingMessage
  readonly response: ServerResponse
  #stopReading: ((error: GatewayError) => void) | undefined
  /** A body that is handed on as it comes. */
  #passing: BodyOnItsWay | undefined
  #fiber: Fiber.RuntimeFiber<void> | undefined
  #relay: Relay<unknown> | undefined
  /** Makes the answer that is sent instead of the one that was cut. */
  #instead: (() => ClientAnswer) | undefined
  #isCut = false
  /** All of the answer is written, or never will be. */
  #isAnswered = false
  /** All of it is out. */
  #isSent = false
  #unsent: Unsent | undefined
  /** The pace of the body: how many bytes the connection had brought when it was last looked at, and when it last brought any; and for how long. */
  #windowBytes = 0
  #windowMs = 0
  #lastBytes = 0
  #silentMs = 0

  constructor(surroundings: Surroundings, { call, connection, message, response, served }: Taken) {
    this.#surroundings = surroundings
    this.#connection = connection
    this.#call = call
    this.#served = served
    this.#message = message
    this.response = response
  }

  /** Begins. */
  start(): void {
    const { wanted } = this.#served
    if (wanted?.pass !== undefined) {
      this.#passing = passingBody(this.#message, wanted.limit, () => this.response.writeContinue())
      wanted.pass(this.#passing)
      this.#answer(noBody)
    } else if (wanted !== undefined) this.#read(wanted)
    else this.#answer(noBody)
  }

  get isStranger(): boolean {
    return this.#served.isStranger
  }

  get isHalfBegun(): boolean {
    if (this.#stopReading !== undefined) return true
    // Once it is answered, what is still sent is only thrown away.
    return this.#relay === undefined && this.response.headersSent && !this.#message.complete
  }

  #read(wanted: WantedBody): void {
    this.#windowBytes = this.#lastBytes = this.#message.socket.bytesRead
    let isRead = false
    const stop = ClientBody.read(
      this.#message,
      wanted,
      () => this.response.writeContinue(),
      (body) => {
        isRead = true
        this.#stopReading = undefined
        this.#answer(body)
      },
    )
    if (!isRead) this.#stopReading = stop
  }

  #answer(body: ReadBody): void {
    this.#fiber = this.#surroundings.forkAnswer(this.#served.answer(body), this.#send)
    this.#fiber.addObserver(this.#settled)
  }

  readonly #send = (answer: ClientAnswer): Effect.Effect<void> => {
    if (!(answer.body instanceof Uint8Array)) this.#relay = answer.body
    const { lingerForStranger, snapshot } = this.#surroundings
    const linger = this.#served.isStranger ? lingerForStranger : lingerForClient
    const onEvery =
      this.#served.isForOperators === true
        ? headersForOperators(this.#call)
        : headersOnEvery(this.#call, snapshot())
    return send(answer, onEvery, this.#message, this.response, linger)
  }

  readonly #settled = (exit: Exit.Exit<void>): void => {
    const instead = this.#instead
    if (Exit.isFailure(exit)) {
      if (instead !== undefined && !this.response.headersSent && this.response.writable) {
        this.#instead = undefined
        this.#fiber = this.#surroundings.fork(this.#send(instead()))
        this.#fiber.addObserver(this.#settled)
        return
      }
      this.#breakOff()
    }
    this.#isAnswered = true
    this.#closeWhenOver()
  }

  /** Leaves the answer unfinished, so that its client sees that it is. To HTTP/1.0 a body without a length is whole where its connection ends well. */
  #breakOff(): void {
    if (this.#message.httpVersionMinor === 0) this.#message.socket.resetAndDestroy()
    this.response.destroy()
  }

  sent(): void {
    this.#isSent = true
    this.#closeWhenOver()
  }

  gone(unsent: Unsent): void {
    if (this.#isSent) return
    this.#unsent = unsent
    this.#stopReading?.(new RequestUnreadable({ reason: "the connection ended before the body did" }))
    if (this.#isAnswered) this.#closeWhenOver()
    else this.#fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  #closeWhenOver(): void {
    if (!this.#isAnswered || (!this.#isSent && this.#unsent === undefined)) return
    try {
      this.#served.ends?.close(this.#unsent)
    } catch (defect) {
      // Nothing awaits an observer: what it threw would end the process.
      this.#surroundings.onDefect(this.#call.id, defect)
    }
  }

  cut(when: string): void {
    if (this.#stopReading !== undefined) {
      this.#stopReading(new ShuttingDown({ retryAfterSeconds: 1 }))
      return
    }
    if (this.#isAnswered) return
    if (this.#relay !== undefined) {
      this.#relay.cut(cutStream(when))
      return
    }
    if (!this.isHalfBegun) {
      if (this.response.headersSent || this.#isCut) return
      this.#isCut = true
      this.#instead = this.#served.ends?.giveUp?.(when)
    }
    this.#fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  look(look: Look): void {
    if (this.#stopReading !== undefined) {
      this.#lookAtPace(this.#message.isPaused(), this.#stopReading, look)
    } else if (this.#passing !== undefined && !this.#message.complete) {
      this.#lookAtPace(!this.#passing.isAwaited(), this.#passing.stop, look)
    }
    const { deadline } = this.#served
    if (deadline === undefined || look.now < deadline.at) return
    if (this.#stopReading !== undefined) {
      this.#stopReading(new DeadlineExceeded({ ...deadline, failures: [] }))
    } else if ((this.#isAnswered || this.#relay !== undefined) && look.now >= deadline.at + lastWordsMs) {
      this.#connection.cut(
        `the ${deadline.afterMs} ms for the request were over before the client had its answer`,
      )
    }
  }

  #lookAtPace(isUnread: boolean, stop: (error: GatewayError) => void, { receiveMs, stepMs }: Look): void {
    const { bytesRead } = this.#message.socket
    // Who is not read from cannot send.
    if (isUnread) {
      this.#windowBytes = this.#lastBytes = bytesRead
      this.#windowMs = this.#silentMs = 0
      return
    }
    this.#windowMs += stepMs
    this.#silentMs = bytesRead === this.#lastBytes ? this.#silentMs + stepMs : 0
    this.#lastBytes = bytesRead
    const isOver = this.#windowMs >= receiveMs
    if (this.#silentMs >= receiveMs || (isOver && isTooSlow(bytesRead - this.#windowBytes, this.#windowMs))) {
      stop(new RequestTooSlow({ afterMs: receiveMs, leastBytesPerSecond }))
    } else if (isOver) {
      this.#windowBytes = bytesRead
      this.#windowMs = 0
    }
  }
}
