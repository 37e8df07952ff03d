/** What is counted of a lasting question: what the living said last, and what the dead left. */
import type { LastingQuestion } from "./FleetQuestion.ts"

/** The answers to a lasting question, whatever they are. */
export interface LastingAnswers {
  readonly name: string
  said(one: object, answer: unknown): void
  died(one: object): void
  /** An answer for each that lives and ever gave one, and one for all the dead together. */
  answers(): ReadonlyArray<unknown>
}

/** Counts never fall with it: one that does not answer in time is taken at its last word, and what one had counted that died is kept. */
export class Inheritance<A> implements LastingAnswers {
  readonly #question: LastingQuestion<A>
  readonly #last = new Map<object, A>()
  #left: A | undefined

  constructor(question: LastingQuestion<A>) {
    this.#question = question
  }

  get name(): string {
    return this.#question.name
  }

  said(one: object, answer: unknown): void {
    if (this.#question.isAnswer(answer)) this.#last.set(one, answer)
  }

  died(one: object): void {
    const last = this.#last.get(one)
    if (last === undefined) return
    this.#last.delete(one)
    this.#left = this.#question.inherit(this.#left, last)
  }

  answers(): ReadonlyArray<A> {
    const living = [...this.#last.values()]
    return this.#left === undefined ? living : [...living, this.#left]
  }
}
