/** What a conversation loses, each once, while it is read or written. */
import type { Loss } from "./Loss.ts"

/** Mutable on purpose: one request. */
export class Losses {
  readonly #told = new Map<string, Loss>()

  /** @param isEssential another answer would come without it than was asked for */
  tell(as: string, isEssential = false): void {
    this.#add({ as, isEssential })
  }

  /** The dialect has a place for it, which cannot hold all of it. */
  tellInPart(as: string): void {
    this.#add({ as, isEssential: false, because: "in_part" })
  }

  /** The dialect could say it, and the model does not take it. */
  tellUntaken(as: string): void {
    this.#add({ as, isEssential: false, because: "model" })
  }

  #add(loss: Loss): void {
    const before = this.#told.get(loss.as)
    if (before === undefined || (loss.isEssential && !before.isEssential)) this.#told.set(loss.as, loss)
  }

  tellAll(losses: ReadonlyArray<Loss>): void {
    for (const loss of losses) this.#add(loss)
  }

  get all(): ReadonlyArray<Loss> {
    return [...this.#told.values()]
  }
}
