/**
 * A streamed answer under way: the machine that judges and ends it, in whichever grammar, and what was learned on the way. The end is the client's
 * assurance: it closes a whole answer, or tells of one that broke off.
 */
import type { Outcome } from "../errors/Outcome.ts"
import type { ShapedError } from "../errors/SaidError.ts"
import type { Secrets } from "../secrets/Secrets.ts"
import type { SseEvent } from "../wire/Sse.ts"
import type { Usage } from "./Usage.ts"

export interface AnswerSettings {
  /** Its events are put together to a whole answer: what SDKs of streams miss is not made up. */
  readonly isGathered?: true
  /** The client asked for the usage chunk; else it is read here and not passed on. */
  readonly includeUsage: boolean
  /** How many choices the answer is to have. */
  readonly choices: number
  /** Told with an error that ends it, where its grammar has a place for that. */
  readonly requestId?: string | undefined
  /** What an error of the upstream is not to repeat. */
  readonly secrets: Secrets
  /** The name of the upstream whose events are being read, where what it gives out is to name it; of an answer that is resumed, it becomes another. */
  readonly madeBy?: (() => string) | undefined
  /** No more names it than what has a mark already (`ChoiceTransform`). */
  readonly marksOnlyAgain?: boolean | undefined
}

/** How the upstream's events came to an end: of themselves, because something broke, or because this gateway ends. */
export type AnswerEnd =
  | { readonly kind: "ended" }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "cut"; readonly error: ShapedError }

/** Why an answer breaks off that came to this end, and was not whole; of one that is cut, its error says. */
export const reasonOf = (end: Exclude<AnswerEnd, { readonly kind: "cut" }>): string =>
  end.kind === "broken" ? end.reason : "it ended before it said that it was finished"

export type AnswerPhase = "open" | "complete" | "broken"

/** What every machine knows of its answer. */
export interface AnswerState {
  readonly phase: AnswerPhase
  /** What broke it. */
  readonly brokenBy: ShapedError | undefined
}

/** What is known of a streamed answer when it is over, or of as much of it as there was. */
export interface AnswerSummary {
  readonly usage: Usage
  /** Of the first choice. */
  readonly finishReason: string | undefined
  readonly toolCalls: boolean
  /** `client_closed` where the answer neither came to its end nor broke: nobody went on reading it. */
  readonly outcome: Extract<Outcome, "ok" | "stream_broken" | "client_closed">
  /** What broke it. */
  readonly error: string | undefined
  /** Events that were no JSON objects, and were not passed on. */
  readonly passedOver: number
}

/** The outcome of an answer that was left in this phase. */
export const outcomeOf = (phase: AnswerPhase): AnswerSummary["outcome"] =>
  phase === "complete" ? "ok" : phase === "broken" ? "stream_broken" : "client_closed"

/** The state with one event more that was no JSON object, and was not passed on. */
export const passedOver = <State extends Pick<AnswerSummary, "passedOver">>(state: State): State => ({
  ...state,
  passedOver: state.passedOver + 1,
})

/** The most that is kept of what an error says. */
export const longestError = 500

/** A machine whose end says how it came: upstream events in, outgoing events out. An event that tells nothing leaves the very state it found. */
export interface AnswerMachine<State extends AnswerState> {
  readonly initial: State
  /** @param given how many events were given out before */
  readonly step: (state: State, event: SseEvent, given: number) => readonly [State, ReadonlyArray<SseEvent>]
  /** Whether all has been said, so that only usage and the end are to come. */
  readonly isFinished: (state: State) => boolean
  /** Closes an answer that is still open; does nothing to one that is not. */
  readonly end: (state: State, end: AnswerEnd, given: number) => readonly [State, ReadonlyArray<SseEvent>]
  readonly summary: (state: State) => AnswerSummary
}

/** An answer that is taken event by event. Mutable on purpose: one stream. */
export interface AnswerRun {
  readonly phase: AnswerPhase
  readonly isFinished: boolean
  readonly brokenBy: ShapedError | undefined
  readonly summary: AnswerSummary
  readonly take: (event: SseEvent) => ReadonlyArray<SseEvent>
  readonly end: (end: AnswerEnd) => ReadonlyArray<SseEvent>
}

/** The machine of an answer, under way. */
export class AnswerMachineRun<State extends AnswerState> implements AnswerRun {
  readonly #machine: AnswerMachine<State>
  #state: State
  #isFinished = false
  #given = 0

  constructor(machine: AnswerMachine<State>) {
    this.#machine = machine
    this.#state = machine.initial
  }

  get phase(): AnswerPhase {
    return this.#state.phase
  }

  get isFinished(): boolean {
    return this.#isFinished
  }

  get brokenBy(): ShapedError | undefined {
    return this.#state.brokenBy
  }

  get summary(): AnswerSummary {
    return this.#machine.summary(this.#state)
  }

  take(event: SseEvent): ReadonlyArray<SseEvent> {
    const [next, events] = this.#machine.step(this.#state, event, this.#given)
    if (next !== this.#state) {
      this.#state = next
      this.#isFinished = this.#machine.isFinished(next)
    }
    this.#given += events.length
    return events
  }

  end(end: AnswerEnd): ReadonlyArray<SseEvent> {
    const [next, events] = this.#machine.end(this.#state, end, this.#given)
    this.#state = next
    return events
  }
}

/**
 * How long usage and the end may take after all has been said. Some upstreams send neither, and leave the connection open; their
 * pings do not make it longer.
 */
export const graceMs = 2_000

/** How long an upstream may take to end its body after the answer is there; a connection whose body was read to its end can be used again. */
export const drainMs = 100
