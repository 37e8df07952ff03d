/** How long a request's upstreams took. */

/**
 * The time in which at least one upstream was waited for. Two that were asked beside each other are waited for at once, so their times are not added up.
 *
 * Mutable on purpose: of a request under way.
 */
export class UpstreamTime {
  #waitedFor = 0
  #since = 0
  #total = 0

  /** One more is waited for. */
  begin(at: number): void {
    if (this.#waitedFor === 0) this.#since = at
    this.#waitedFor++
  }

  /** One less is. */
  end(at: number): void {
    if (this.#waitedFor === 0) return
    this.#waitedFor--
    if (this.#waitedFor === 0) this.#total += at - this.#since
  }

  /** All of it, up to now. */
  until(at: number): number {
    return this.#waitedFor === 0 ? this.#total : this.#total + at - this.#since
  }
}
