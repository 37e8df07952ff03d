/** What is counted of a lasting question: what the living said last, and what the dead left. */
import type { LastingQuestion } from "./FleetQuestion.ts"

/**
 * Counts never fall with it: one that does not answer in time is taken at its last word, and what one had counted that died is kept.
 *
 * @typeParam P how processes are told apart
 */
export class Inheritance<P, A> {
  readonly #question: LastingQuestion<A>
  readonly #last = new Map<P, A>()
  #left: A | undefined

  constructor(question: LastingQuestion<A>) {
    this.#question = question
  }

  said(one: P, answer: unknown): void {
    if (this.#question.isAnswer(answer)) this.#last.set(one, answer)
  }

  died(one: P): void {
    const last = this.#last.get(one)
    if (last === undefined) return
    this.#last.delete(one)
    this.#left = this.#question.inherit(this.#left, last)
  }

  /** An answer for each that lives and ever gave one, and one for all the dead together. */
  answers(): ReadonlyArray<A> {
    const living = [...this.#last.values()]
    return this.#left === undefined ? living : [...living, this.#left]
  }
}
