/** A plain body as it comes: held, and of one that is not short its outline is made beside, in the same pass. */
import { LongObject } from "../answer/LongObject.ts"
import type { JsonObject } from "../wire/Json.ts"
import { parseObject } from "../wire/JsonBytes.ts"
import { JsonOutline, type OutlineLimits, surelyReadable } from "../wire/JsonOutline.ts"
import { BodyCollector } from "./calls/BodyCollector.ts"
import type { AttemptFailure } from "./policy/AttemptFailure.ts"

/** The most of a plain answer that is held in memory. */
export const maxAnswerBytes = 64 * 1024 * 1024

/** So much is held of one that may be handed on: as long as nothing of it is given out another upstream can be asked. */
const mostJudged = 1024 * 1024

/** Mutable on purpose: one answer, one socket. */
export class PlainBody {
  readonly #limits: OutlineLimits
  readonly #body: BodyCollector
  #outline: JsonOutline | undefined

  /** @param hold claims memory; false where there is none left */
  constructor(limits: OutlineLimits, hold: (bytes: number) => boolean) {
    this.#limits = limits
    this.#body = new BodyCollector(maxAnswerBytes, hold)
  }

  /** Keeps a chunk, or says why it cannot. */
  keep(bytes: Uint8Array): AttemptFailure | undefined {
    const excess = this.#body.keep(bytes)
    if (excess !== undefined) return excess
    if (this.#outline !== undefined) this.#outline.feed(bytes)
    else if (this.#body.size > surelyReadable) {
      this.#outline = new JsonOutline(this.#limits)
      this.#outline.feed(this.#body.whole())
    }
    return undefined
  }

  /** All that has come. */
  get bytes(): Uint8Array {
    return this.#body.whole()
  }

  /** The object, or its outline, once all is there; `undefined` where it is none. */
  get answer(): JsonObject | undefined {
    return this.#outline === undefined ? parseObject(this.bytes) : this.#outline.end()
  }

  /** The object that has begun, where it is too long to be held and may be handed on. */
  get begun(): LongObject | undefined {
    return this.#body.size > mostJudged && this.#outline?.isOpen === true
      ? new LongObject(this.#outline, [this.bytes])
      : undefined
  }
}
