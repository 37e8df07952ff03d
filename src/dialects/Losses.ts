/** What a conversation loses, each once, while it is read or written. */
import type { Loss } from "./Loss.ts"

/** Mutable on purpose: one request. */
export class Losses {
  readonly #told = new Map<string, Loss>()

  /** @param isEssential another answer would come without it than was asked for */
  tell(as: string, isEssential = false): void {
    const before = this.#told.get(as)
    if (before === undefined || (isEssential && !before.isEssential)) this.#told.set(as, { as, isEssential })
  }

  tellAll(losses: ReadonlyArray<Loss>): void {
    for (const { as, isEssential } of losses) this.tell(as, isEssential)
  }

  get all(): ReadonlyArray<Loss> {
    return [...this.#told.values()]
  }
}
