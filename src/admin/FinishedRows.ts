/**
 * The last requests that finished in this process, for as long as somebody watches: each question for them asks for some seconds more. Nothing is kept
 * while nobody does. Mutable on purpose: a ring that is bounded.
 */
import type { RequestRow } from "./api/RequestRow.ts"

/** What a process answers who watches. */
export interface FinishedSince {
  /** Tells it from others. */
  readonly process: string
  /** Where it is to be asked from next. */
  readonly last: number
  /** How many were let go of before they were asked for. */
  readonly missed: number
  readonly rows: ReadonlyArray<RequestRow>
}

/** How long they are kept for whoever asked last. */
const watchedMs = 5_000

/** Rows that are kept, and that are answered at once. */
const mostKept = 2_000
const mostAnswered = 500

export class FinishedRows {
  readonly #process: string
  readonly #now: () => number
  #watchedUntil = 0
  #kept: Array<RequestRow> = []
  /** Number of the first that is kept. */
  #first = 1

  constructor(process: string, now: () => number) {
    this.#process = process
    this.#now = now
  }

  /** One has finished; its row is made only where it is watched. */
  put(row: () => RequestRow): void {
    if (this.#watchedUntil === 0) return
    if (this.#now() > this.#watchedUntil) {
      this.#watchedUntil = 0
      this.#first += this.#kept.length
      this.#kept = []
      return
    }
    this.#kept.push(row())
    if (this.#kept.length > mostKept) {
      const many = mostKept / 2
      this.#kept = this.#kept.slice(many)
      this.#first += many
    }
  }

  /** Those after the one that was last; from now on, where nothing was before. */
  since(last: number | undefined): FinishedSince {
    this.#watchedUntil = this.#now() + watchedMs
    const end = this.#first + this.#kept.length
    const from = last === undefined ? end : Math.max(this.#first, last + 1)
    const rows = this.#kept.slice(from - this.#first, from - this.#first + mostAnswered)
    return {
      process: this.#process,
      last: from + rows.length - 1,
      missed: last === undefined ? 0 : Math.max(0, this.#first - last - 1),
      rows,
    }
  }
}
