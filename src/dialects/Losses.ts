/** What a conversation loses, each once, while it is read or written. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
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

  /** It says what is to be cached. */
  tellOfCaches(as: string): void {
    this.#add({ as, isEssential: false, keepsAnswer: true })
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

/** Tells of a part without which another answer would come, and in whose place there is nothing. */
export const lost = (losses: Losses, as: string): [] => {
  losses.tell(as, true)
  return []
}

const isBlank = (value: Json | undefined): boolean =>
  value === undefined || value === null || (isJsonArray(value) && value.length === 0)

/** Programs send all members of theirs, or send back those of answers, in which nothing stood: `null`, an empty list, an object of nothing else. */
export const saysNothing = (value: Json | undefined): boolean => {
  if (isBlank(value)) return true
  if (value === undefined || !isJsonObject(value)) return false
  for (const name in value) if (!isBlank(value[name])) return false
  return true
}

/** Tells of the members of a message, a part or a tool that no other dialect has. */
export const tellUnknown = (
  losses: Losses,
  holder: JsonObject,
  known: ReadonlySet<string>,
  within: string,
): void => {
  for (const name in holder)
    if (!known.has(name) && !saysNothing(holder[name])) losses.tell(`${within}.${name}`)
}
