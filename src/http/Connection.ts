/** One connection: the requests under way on it, in their order, and whether its client takes what it is sent. */
import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Unsent } from "../audit/record/RecordDraft.ts"
import type { Look, UnderWay } from "./UnderWay.ts"

/**
 * Bytes of the write that is on its way. Node has no public word for how far a large one has come; the timeout of its own sockets asks the handle the
 * same. Without it, a write counts as progress when it is done.
 */
const queuedBytes = (socket: Socket): number => {
  const handle: unknown = Reflect.get(socket, "_handle")
  const queued: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "writeQueueSize") : undefined
  return typeof queued === "number" ? queued : 0
}

/** Requests that may be under way on one connection. */
const mostBehindEachOther = 64

const left: Unsent = { by: "client" }

export class Connection {
  readonly socket: Socket
  /** Who is at its other end, for counting. */
  readonly network: string
  /** Epoch milliseconds of its last request, else of its beginning. */
  usedAt: number
  /** It had a request of somebody who may ask. */
  isKnown = false
  /** What came on it was no HTTP: nothing more of it is looked at. */
  isRefused = false
  #first: UnderWay | undefined
  #last: UnderWay | undefined
  #requests = 0
  #passedOver = 0
  #stuckMs = 0
  #written = -1
  #queued = -1
  #unsent: Unsent = left
  #lastWord: (() => void) | undefined

  constructor(socket: Socket, network: string, now: number) {
    this.socket = socket
    this.network = network
    this.usedAt = now
  }

  /**
   * Whether to take a request on that came. Nobody sends so many behind each other, without waiting for an answer, who means to read them: Node
   * makes all of them at once that came in one read, which are thousands, before others have their turn.
   */
  isTaking(): boolean {
    if (!this.isRefused && this.#requests < mostBehindEachOther) return true
    this.#passedOver += 1
    if (!this.socket.destroyed && (!this.isRefused || this.#passedOver >= mostBehindEachOther)) {
      this.cut(`more than ${mostBehindEachOther} requests came at once on the connection`)
    }
    return false
  }

  /** A request is taken on. */
  add(request: UnderWay): void {
    if (this.#last === undefined) this.#first = request
    else this.#last.behind = request
    this.#last = request
    this.#requests += 1
  }

  /** The last byte of an answer is out, that of the first request: clients get theirs in the order they asked. */
  sent(response: ServerResponse): void {
    const first = this.#first
    if (first?.response !== response) return
    this.#first = first.behind
    if (this.#first === undefined) this.#last = undefined
    this.#requests -= 1
    first.sent()
    if (this.#lastWord !== undefined) this.refuse(this.#lastWord)
  }

  /**
   * Nothing that came since can be read. `lastWord` tells the client so and ends the connection, behind the answers to all that it asked before: it is
   * taken for none of them, nor put into one that has begun.
   */
  refuse(lastWord: () => void): void {
    const first = this.#first
    if (first === undefined) lastWord()
    else if (first.response.req.complete) this.#lastWord = lastWord
    else if (first.response.headersSent) this.socket.destroy()
    // It is its own body that cannot be read.
    else lastWord()
  }

  /** How many requests are under way. */
  get requests(): number {
    return this.#requests
  }

  /** No request is under way, and nothing on its way to the client. */
  get isIdle(): boolean {
    return this.#first === undefined && this.socket.writableLength === 0
  }

  /** Nobody has a right to it: it is idle, or only turns strangers away. */
  get isReusable(): boolean {
    for (let one = this.#first; one !== undefined; one = one.behind) if (!one.isStranger) return false
    return true
  }

  /** @param which all requests, or those alone that have not begun in earnest */
  cutRequests(which: "all" | "half-begun", when: string): void {
    for (let one = this.#first; one !== undefined; one = one.behind)
      if (which === "all" || one.isHalfBegun) one.cut(when)
  }

  /** Ends it at once, and what the system still has to send with it. */
  cut(why: string): void {
    const bytes = Math.max(this.socket.writableLength, queuedBytes(this.socket))
    this.#unsent = { by: "gateway", why: `${why}; ${bytes} bytes waited to be sent` }
    this.socket.resetAndDestroy()
  }

  /** Ends it where its client took nothing for too long of what waits for it. */
  look(look: Look): void {
    for (let one = this.#first; one !== undefined; one = one.behind) one.look(look)
    const { socket } = this
    if (socket.writableLength === 0) {
      this.#stuckMs = 0
      return
    }
    const written = socket.bytesWritten - socket.writableLength
    const queued = queuedBytes(socket)
    if (written !== this.#written || queued !== this.#queued) {
      this.#written = written
      this.#queued = queued
      this.#stuckMs = 0
      return
    }
    this.#stuckMs += look.stepMs
    if (this.#stuckMs >= look.sendMs) this.cut(`the client took nothing of its answer for ${look.sendMs} ms`)
  }

  /** It is closed. */
  gone(): void {
    let one = this.#first
    this.#first = this.#last = undefined
    this.#requests = 0
    for (; one !== undefined; one = one.behind) one.gone(this.#unsent)
  }
}
