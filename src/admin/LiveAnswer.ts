/** Requests as they finish, as server-sent events to one reader. */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { AuditFilter } from "../audit/read/AuditFilter.ts"
import type { RequestRow } from "./api/RequestRow.ts"
import { admitsRow } from "./LiveFilter.ts"
import type { LiveRequests, Watcher } from "./LiveRequests.ts"

/** Events that may wait for a reader. */
const mostWaiting = 1_000

/** So often something is sent where nothing happens, so that nobody on the way takes the connection for dead. */
const silenceMs = 10_000

export type EndReason = "leaving" | "slow" | "signed_out"

const encoder = new TextEncoder()

const eventOf = (name: string, data: unknown): Uint8Array =>
  encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

const eventsOf = (rows: ReadonlyArray<RequestRow>): Uint8Array =>
  Buffer.concat(rows.map((row) => eventOf("request", row)))

/** What finished at once, as it was written for the first reader who is told all of it: each of many would write the same. */
const written = new WeakMap<ReadonlyArray<RequestRow>, Uint8Array>()

const writtenOnce = (rows: ReadonlyArray<RequestRow>): Uint8Array => {
  const bytes = written.get(rows) ?? eventsOf(rows)
  written.set(rows, bytes)
  return bytes
}

const nothing = encoder.encode(": still here\n\n")

/** Events that wait together. */
interface Waiting {
  readonly bytes: Uint8Array
  readonly events: number
}

const ended = Symbol("ended")

/** One reader: what waits for it, until it ends. Mutable on purpose. */
class Reader implements Watcher {
  readonly #filter: AuditFilter
  readonly #whyEnds: () => EndReason | undefined
  readonly #line: Queue.Queue<Waiting | typeof ended>
  #waiting = 0
  #isOver = false
  #spokeAt = 0

  constructor(
    filter: AuditFilter,
    whyEnds: () => EndReason | undefined,
    line: Queue.Queue<Waiting | typeof ended>,
  ) {
    this.#filter = filter
    this.#whyEnds = whyEnds
    this.#line = line
  }

  ready(): void {
    this.#say(eventOf("ready", {}))
  }

  finished(rows: ReadonlyArray<RequestRow>): void {
    const admitted = rows.filter((row) => admitsRow(this.#filter, row))
    if (admitted.length === 0) return
    this.#say(admitted.length === rows.length ? writtenOnce(rows) : eventsOf(admitted), admitted.length)
  }

  missed(many: number): void {
    this.#say(eventOf("missed", { missed: many }))
  }

  tick(now: number): void {
    const why = this.#whyEnds()
    if (why !== undefined) this.#end(why)
    if (this.#spokeAt === 0) this.#spokeAt = now
    if (now - this.#spokeAt >= silenceMs) {
      this.#say(nothing)
      this.#spokeAt = now
    }
  }

  /** What waited is on its way. */
  taken({ bytes, events }: Waiting): Uint8Array {
    this.#waiting -= events
    return bytes
  }

  #say(bytes: Uint8Array, events = 1): void {
    if (this.#isOver) return
    this.#spokeAt = 0
    this.#waiting += events
    this.#line.unsafeOffer({ bytes, events })
    if (this.#waiting >= mostWaiting) this.#end("slow")
  }

  #end(reason: EndReason): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#line.unsafeOffer({ bytes: eventOf("end", { reason }), events: 1 })
    this.#line.unsafeOffer(ended)
  }
}

/** @param whyEnds asked now and then: why the reader is to be told nothing more, if so */
export const liveAnswer = (
  live: LiveRequests["Type"],
  filter: AuditFilter,
  whyEnds: () => EndReason | undefined,
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.stream(
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const line = yield* Effect.acquireRelease(Queue.unbounded<Waiting | typeof ended>(), Queue.shutdown)
        const reader = new Reader(filter, whyEnds, line)
        yield* live.watch(reader)
        return Stream.takeWhile(
          Stream.fromQueue(line, { maxChunkSize: 1 }),
          (waiting): waiting is Waiting => waiting !== ended,
        ).pipe(Stream.map((waiting) => reader.taken(waiting)))
      }),
    ),
    { contentType: "text/event-stream" },
  )
