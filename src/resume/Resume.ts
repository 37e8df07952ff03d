/**
 * A streamed answer that outlives its upstream: where the events break off, the next target is asked to resume it, and both make one stream.
 *
 * Until then events pass as they come, and only their data is kept: no event is parsed that does not look as if it told something. An
 * answer that can no longer be resumed is not watched any further.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AnswerBeginning, ResumePoint, ResumeRules } from "../answer/ResumeRules.ts"
import { ping } from "../answer/StreamEvent.ts"
import { DataBuffer } from "../wire/DataBuffer.ts"
import { unpack } from "../wire/PackedData.ts"
import type { SseEvent } from "../wire/Sse.ts"

/** An answer that broke off and can be resumed. */
export interface Broken {
  /** What to resume from; `""` where nothing was said and the answer is to begin anew. */
  readonly text: string
  /** For the audit: `broke off: …`. Holds no secret. */
  readonly reason: string
}

/** The target that resumes an answer. */
export interface Resumed<E> {
  /** All its events, none of them changed. */
  readonly events: Stream.Stream<SseEvent, E>
}

export interface ResumeOptions<E> {
  readonly rules: ResumeRules
  readonly beginning: AnswerBeginning
  /** A failure of an upstream in a few words. Holds no secret. */
  readonly reasonOf: (error: E) => string
  /**
   * Asks for a target that resumes it; `None` where there is none. Asked again when that one breaks off too, then with the text of all. The
   * scope is that target's own: it is closed when another resumes its answer, at the latest with the stream.
   */
  readonly next: (broken: Broken) => Effect.Effect<Option.Option<Resumed<E>>, never, Scope.Scope>
}

/** The most of an answer's data that is kept to resume from. */
export const maxResumableBytes = 4 * 1024 * 1024

/** What an event costs to keep, however short it is. */
const minBytes = 64

/** As much of an upstream's message as is told. */
const maxMessage = 1_000

/** Follows the events of an answer for as long as it can be resumed. Mutable on purpose: one stream, one fiber. */
class Watch {
  readonly #rules: ResumeRules
  #data = new DataBuffer()
  #bytes = 0
  #isOver = false

  constructor(rules: ResumeRules) {
    this.#rules = rules
  }

  /** The answer is complete, or cannot be resumed whatever comes. */
  get isOver(): boolean {
    return this.#isOver
  }

  get data(): ReadonlyArray<Uint8Array> {
    return unpack(this.#data.packed)
  }

  end(): void {
    this.#isOver = true
    this.#data = new DataBuffer()
  }

  /** Takes note of an event; the answer is the message of the error it says, if it says one. */
  see(event: SseEvent): string | undefined {
    if (this.#isOver || event === ping) return undefined
    const seen = this.#rules.seen(event)
    if (seen === "part") this.#keep(event.data)
    else if (seen === "over") this.end()
    else return seen.error
    return undefined
  }

  #keep(data: Uint8Array): void {
    this.#bytes += Math.max(minBytes, data.byteLength)
    if (this.#bytes > maxResumableBytes) this.end()
    else this.#data.add(data)
  }
}

/** Events being read, and what ends with them. */
interface Source<E> {
  readonly pull: Pull<E>
  readonly scope: Scope.CloseableScope
}

type Pull<E> = Effect.Effect<Chunk.Chunk<SseEvent>, Option.Option<E>>

/**
 * The events, continued by others where they fail, end before the answer is complete, or say an error. Where the answer cannot be
 * resumed, or nobody resumes it, they end as they would have without this.
 *
 * Leaving the stream interrupts whatever is under way, the search for the next target too.
 */
export const resumed =
  <E>(options: ResumeOptions<E>) =>
  (events: Stream.Stream<SseEvent, E>): Stream.Stream<SseEvent, E> => {
    const { beginning, next, reasonOf, rules } = options
    const start = Effect.gen(function* () {
      const outer = yield* Effect.scope
      const watch = new Watch(rules)

      const open = (events: Stream.Stream<SseEvent, E>, scope: Scope.CloseableScope) =>
        Effect.map(Scope.extend(Stream.toPull(events), scope), (pull): Source<E> => ({ pull, scope }))
      const newScope = Scope.fork(outer, ExecutionStrategy.sequential)

      let source = yield* Effect.flatMap(newScope, (scope) => open(events, scope))
      /** What is to be done before anything more is read. */
      let upcoming: Pull<E> | undefined

      /** Another source in place of this one, if somebody resumes. */
      const resume = ({ joined, text }: ResumePoint, reason: string): Effect.Effect<boolean> =>
        Effect.gen(function* () {
          const scope = yield* newScope
          const found = yield* Scope.extend(next({ text, reason: `broke off: ${reason}` }), scope)
          if (Option.isNone(found)) {
            yield* Scope.close(scope, Exit.void)
            return false
          }
          const left = source.scope
          const { pull } = yield* open(found.value.events, scope)
          const renamed = joined()
          source = { pull: Effect.map(pull, (events) => Chunk.unsafeFromArray(renamed.take(events))), scope }
          yield* Scope.close(left, Exit.void)
          return true
        })

      /** `otherwise` is how the stream ends where nobody resumes it. */
      const brokeOff = (reason: string, otherwise: Pull<E>): Pull<E> =>
        Effect.suspend(() => {
          const point = rules.pointAfter(beginning, watch.data)
          const isResumed = point === undefined ? Effect.succeed(false) : resume(point, reason)
          return Effect.flatMap(isResumed, (resumed): Pull<E> => {
            if (resumed) return read
            watch.end()
            return otherwise
          })
        })

      /** Lets events pass until one says an error: that one and those behind it wait for whether somebody resumes. */
      const passed = (events: Chunk.Chunk<SseEvent>): Pull<E> => {
        let at = 0
        for (const event of events) {
          const error = watch.see(event)
          if (error !== undefined) {
            const reason = `it sent an error event (${error.slice(0, maxMessage)})`
            const broken = brokeOff(reason, Effect.succeed(Chunk.drop(events, at)))
            if (at === 0) return broken
            upcoming = broken
            return Effect.succeed(Chunk.take(events, at))
          }
          at++
        }
        return Effect.succeed(events)
      }

      const read: Pull<E> = Effect.suspend(() => {
        if (upcoming !== undefined) {
          const pull = upcoming
          upcoming = undefined
          return pull
        }
        if (watch.isOver) return source.pull
        return Effect.matchEffect(source.pull, {
          onSuccess: passed,
          onFailure: (end) => {
            // What breaks off behind the finish reason or [DONE] is not watched any more: it is a whole answer.
            const reason = Option.match(end, {
              onNone: () => "it ended before it said that it was finished",
              onSome: reasonOf,
            })
            return brokeOff(reason, Effect.fail(end))
          },
        })
      })
      return read
    })

    return Stream.fromPull(start)
  }
