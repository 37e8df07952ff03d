/** Requests as they finish, as server-sent events to one reader. */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
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

const nothing = encoder.encode(": still here\n\n")

const ended = Symbol("ended")

/** One reader: what waits for it, until it ends. Mutable on purpose. */
class Reader implements Watcher {
  readonly #filter: AuditFilter
  readonly #whyEnds: () => EndReason | undefined
  readonly #line: Queue.Queue<Uint8Array | typeof ended>
  #isOver = false
  #spokeAt = 0

  constructor(
    filter: AuditFilter,
    whyEnds: () => EndReason | undefined,
    line: Queue.Queue<Uint8Array | typeof ended>,
  ) {
    this.#filter = filter
    this.#whyEnds = whyEnds
    this.#line = line
  }

  ready(): void {
    this.#say(eventOf("ready", {}))
  }

  finished(rows: ReadonlyArray<RequestRow>): void {
    for (const row of rows) if (admitsRow(this.#filter, row)) this.#say(eventOf("request", row))
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

  #say(event: Uint8Array): void {
    if (this.#isOver) return
    this.#spokeAt = 0
    this.#line.unsafeOffer(event)
    if (Option.getOrElse(this.#line.unsafeSize(), () => 0) >= mostWaiting) this.#end("slow")
  }

  #end(reason: EndReason): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#line.unsafeOffer(eventOf("end", { reason }))
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
        const line = yield* Effect.acquireRelease(
          Queue.unbounded<Uint8Array | typeof ended>(),
          Queue.shutdown,
        )
        yield* live.watch(new Reader(filter, whyEnds, line))
        return Stream.takeWhile(
          Stream.fromQueue(line, { maxChunkSize: 1 }),
          (event): event is Uint8Array => event !== ended,
        )
      }),
    ),
    { contentType: "text/event-stream" },
  )
