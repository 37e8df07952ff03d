/**
 * Those that are under way: a set whose members come and go thousands of times a second. A `Set` makes a table anew every hundred or so of them, and
 * a table that had grown old holds its last members, and all that they hold, until a full collection: twice as much of each request survived
 * (docs/performance.md). Here the place of one that left is written over.
 */

/** What can be a member: of one roster at a time. */
export interface Listed {
  /** Its place, which is the roster's to set; -1 where it has none. */
  place: number
}

export class Roster<A extends Listed> {
  /** As long as there ever were members at once. */
  readonly #places: Array<A | undefined> = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Does nothing where it is a member already. */
  add(one: A): void {
    if (one.place !== -1) return
    one.place = this.#size
    this.#places[this.#size] = one
    this.#size += 1
  }

  /** Does nothing where it is no member. */
  delete(one: A): void {
    if (one.place === -1) return
    this.#size -= 1
    const last = this.#places[this.#size]
    this.#places[this.#size] = undefined
    if (last !== undefined && last !== one) {
      this.#places[one.place] = last
      last.place = one.place
    }
    one.place = -1
  }

  /** The members as they are now, in no order. */
  get all(): ReadonlyArray<A> {
    return this.#places.filter((one) => one !== undefined)
  }
}
