/** An object that is too long to be judged whole: of what is handed on as it comes only the outline is made, in the same pass as before. */
import type { JsonObject } from "../wire/Json.ts"
import type { JsonOutline } from "../wire/JsonOutline.ts"
import type { BegunAnswer } from "./RelayedAnswer.ts"

/** Mutable on purpose: one answer, one socket. */
export class LongObject implements BegunAnswer {
  readonly #outline: JsonOutline
  #held: ReadonlyArray<Uint8Array>

  /** @param outline of what was held so far */
  constructor(outline: JsonOutline, held: ReadonlyArray<Uint8Array>) {
    this.#outline = outline
    this.#held = held
  }

  take(bytes: Uint8Array): void {
    this.#outline.feed(bytes)
  }

  taken(): ReadonlyArray<Uint8Array> {
    const held = this.#held
    this.#held = []
    return held
  }

  get isHalf(): boolean {
    return this.#outline.isOpen
  }

  get answer(): JsonObject | undefined {
    return this.#outline.end()
  }
}
