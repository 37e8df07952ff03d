/** Sees, as the text of a JSON object or array comes in pieces, where it is whole. */

/** Mutable on purpose: one text. */
export class WholeJson {
  #depth = 0
  #inText = false
  #isEscaped = false
  #kind: "unknown" | "nested" | "other" = "unknown"
  #isWhole = false

  /** Whether the last bracket has closed. A text that begins otherwise never is: its end is nowhere to be seen. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** It began as an object or array, whose last bracket has not closed. */
  get isHalf(): boolean {
    return this.#kind === "nested" && !this.#isWhole
  }

  /** What of the next piece belongs to the object or array; nothing of it does behind its end. */
  take(piece: string): string {
    if (this.#isWhole) return ""
    if (this.#kind === "other") return piece
    for (let at = 0; at < piece.length; at++) {
      this.#see(piece.charCodeAt(at))
      if (this.#isWhole) return piece.slice(0, at + 1)
    }
    return piece
  }

  #see(code: number): void {
    if (this.#kind === "other") return
    if (this.#inText) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (code === 0x5c) this.#isEscaped = true
      else if (code === 0x22) this.#inText = false
      return
    }
    switch (code) {
      case 0x22:
        if (this.#kind === "unknown") this.#kind = "other"
        else this.#inText = true
        return
      case 0x7b:
      case 0x5b:
        this.#kind = "nested"
        this.#depth += 1
        return
      case 0x7d:
      case 0x5d:
        this.#depth -= 1
        if (this.#depth <= 0) this.#isWhole = this.#kind === "nested"
        return
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
        return
      default:
        if (this.#kind === "unknown") this.#kind = "other"
    }
  }
}
