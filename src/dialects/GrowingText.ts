/**
 * A text that grows by a few characters at a time. The engine keeps what was put together as the tree of its pieces, some 60 bytes for each, for as long
 * as nobody reads it: of a long answer ten times what it says. So it is put into one piece now and then.
 */
import { encodeJson, parseText } from "../wire/JsonBytes.ts"

/** In UTF-16 units. */
const longestTail = 512

/** The same text in one piece of memory: the engine has no other way to say so than to have it read. */
const inOnePiece = (text: string): string => {
  const bytes = encodeJson(text)
  return (bytes === undefined ? undefined : parseText(bytes)) ?? text
}

/** Mutable on purpose: one part of one answer. */
export class GrowingText {
  #whole = ""
  #tail = ""

  add(text: string): void {
    this.#tail += text
    if (this.#tail.length < longestTail) return
    this.#whole += inOnePiece(this.#tail)
    this.#tail = ""
  }

  get isEmpty(): boolean {
    return this.#whole === "" && this.#tail === ""
  }

  get text(): string {
    return this.#whole + this.#tail
  }
}
