/** What processes that serve together can be asked, by name: each of them answers with plain data, for itself. */

export interface FleetQuestion<A> {
  readonly name: string
  /** Whether something is an answer to it. All processes run the same program, so it need not look closely. */
  readonly isAnswer: (said: unknown) => said is A
}

/** A question about what is counted for as long as all of them serve, whichever of them dies. */
export interface LastingQuestion<A> extends FleetQuestion<A> {
  /** What is left of one that died, given its last answer and what is left of those before. */
  readonly inherit: (left: A | undefined, last: A) => A
}

/** A question as it is asked. */
export interface Asked {
  readonly name: string
  /** What it is about, where the answer depends on that: plain data. */
  readonly about: unknown
}
