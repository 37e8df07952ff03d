/**
 * An answer that is handed on as its bytes come, and what its first ones say: whether it is one at all, so that another upstream can be asked unseen
 * where it is none. A short object is judged whole; of a long one, and of all that is no object, the beginning decides.
 */
import type { ShapedError } from "../errors/SaidError.ts"
import type { JsonObject } from "../wire/Json.ts"
import { parseObject } from "../wire/JsonBytes.ts"
import { JsonOutline, type OutlineLimits, surelyReadable } from "../wire/JsonOutline.ts"
import { type AnswerForm, begunWith, noBeginning, wholeForm } from "./AnswerForm.ts"
import { judge } from "./Verdict.ts"

/** What an answer holds: a JSON object, an object or a text, sound, which is neither, or an object or any bytes. */
export type RelayedContent = "json" | "text" | "sound" | "bytes"

/** What an answer turned out to be. */
export type RelayedForm = "object" | "text" | "sound" | "bytes"

/** An answer that has begun, for those who hand it on. */
export interface BegunAnswer {
  /** Reads on. */
  readonly take: (bytes: Uint8Array) => void
  /** What was held until it began, as it came; nothing any more afterwards. */
  readonly taken: () => ReadonlyArray<Uint8Array>
  /** Whether it is an object of which something is missing. */
  readonly isHalf: boolean
  /** What is known of an object, once all its bytes are there. */
  readonly answer: JsonObject | undefined
}

/** How answers of an operation are told from what is none. */
export interface RelayedRules {
  readonly holds: RelayedContent
  readonly outline: OutlineLimits
  readonly says: (answer: JsonObject) => boolean
}

/** What an answer is, as soon as that is known. */
export type RelayedStart =
  | { readonly kind: "begins"; readonly form: RelayedForm }
  | { readonly kind: "error"; readonly error: ShapedError }
  | { readonly kind: "silent" }
  /** It is something else, in words. */
  | { readonly kind: "other"; readonly is: string }

/** As much is held of an answer of which nothing is known yet. */
const mostHeld = surelyReadable

/** Sound that spells so much of a text is none. */
const mostWords = 1_024

/** A page is told by so many bytes. */
const longestMark = 16

const pageMarks = ["<!doctype", "<html", "<head", "<body", "<title", "<script", "<!--", "<?xml"]

const latin1 = new TextDecoder("latin1")
const utf8 = new TextDecoder()

/** Whether this is a page, which no operation answers with. */
export const opensPage = (bytes: Uint8Array): boolean => {
  const text = latin1.decode(bytes.subarray(0, longestMark)).toLowerCase()
  return pageMarks.some((mark) => text.startsWith(mark))
}

const wordy = /^(?:text\/|application\/(?:[a-z.+-]*\+)?json)/i

// Control characters stand in sound, and in no text.
const control = /[^\P{Cc}\t\n\r]/u

/** Whether bytes are surely text; half a character may stand at their end. */
const isText = (bytes: Uint8Array): boolean => {
  const text = utf8.decode(bytes.subarray(0, mostHeld))
  return !control.test(text) && !text.slice(0, -1).includes("\ufffd")
}

const afterBrace = /^\{[\t\n\r ]*(?:["}]|$)/

/** Whether what begins with a brace may be an object. */
const opensObject = (bytes: Uint8Array): boolean =>
  afterBrace.test(latin1.decode(bytes.subarray(0, mostHeld)))

const other = (is: string): RelayedStart => ({ kind: "other", is })

const begins = (form: RelayedForm): RelayedStart => ({ kind: "begins", form })

/** Mutable on purpose: one answer, one socket. */
export class RelayedAnswer implements BegunAnswer {
  readonly #rules: RelayedRules
  readonly #contentType: string
  /** As they came. */
  #held: Array<Uint8Array> = []
  #heldBytes = 0
  /** The same from the first character on. */
  #beginning = noBeginning
  #outline: JsonOutline | undefined
  #isNoObject = false
  #start: RelayedStart | undefined

  constructor(rules: RelayedRules, contentType: string) {
    this.#rules = rules
    this.#contentType = contentType
  }

  /** Takes a read, and says what the answer is, once that is known. What it is given afterwards it only reads. */
  take(bytes: Uint8Array): RelayedStart | undefined {
    if (this.#start !== undefined) {
      this.#outline?.feed(bytes)
      return this.#start
    }
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    this.#start = this.#look(bytes)
    return this.#start
  }

  /** No more bytes come. */
  end(): RelayedStart {
    this.#start ??= this.#whole()
    return this.#start
  }

  taken(): ReadonlyArray<Uint8Array> {
    const held = this.#held
    this.#held = []
    return held
  }

  get isHalf(): boolean {
    return this.#outline?.isOpen === true
  }

  get answer(): JsonObject | undefined {
    return this.#outline?.end()
  }

  /** It begins, or is more than it could be. */
  #look(bytes: Uint8Array): RelayedStart | undefined {
    if (this.#isNoObject) return this.#plainly(this.#joined(), false)
    if (this.#outline === undefined) return this.#lookAtFirst(bytes)
    this.#outline.feed(bytes)
    return this.#lookAtObject(this.#outline)
  }

  #lookAtFirst(bytes: Uint8Array): RelayedStart | undefined {
    this.#beginning = begunWith(this.#beginning, bytes)
    const { bytes: begun, form } = this.#beginning
    if (form === undefined) return this.#heldBytes > mostHeld ? this.#plainly(begun, false) : undefined
    if (form !== "object" || !opensObject(begun)) return this.#unlessHalf(form, begun)
    this.#outline = new JsonOutline(this.#rules.outline)
    this.#outline.feed(begun)
    return this.#lookAtObject(this.#outline)
  }

  #lookAtObject(outline: JsonOutline): RelayedStart | undefined {
    if (!outline.isOpen && outline.end() === undefined) return this.#plainly(this.#joined(), false)
    if (this.#heldBytes <= mostHeld) return undefined
    return this.#rules.holds === "sound" ? other("JSON") : begins("object")
  }

  /** A page may have come as far as its first letter. */
  #unlessHalf(form: AnswerForm, begun: Uint8Array): RelayedStart | undefined {
    if (form === "events" && this.#isEventStream) return other("events")
    if (begun.length < longestMark && begun[0] === 0x3c) return undefined
    return this.#plainly(begun, false)
  }

  get #isEventStream(): boolean {
    const { holds } = this.#rules
    if (holds === "bytes") return false
    return holds !== "text" || this.#contentType.toLowerCase().includes("text/event-stream")
  }

  /** What is no object. What is text so far may yet be sound. */
  #plainly(begun: Uint8Array, isAll: boolean): RelayedStart | undefined {
    this.#outline = undefined
    this.#isNoObject = true
    if (opensPage(begun)) return other("a page")
    switch (this.#rules.holds) {
      case "json":
        return other("no object")
      case "text":
      case "bytes":
        return begins(this.#rules.holds)
      case "sound":
        if (!isText(begun)) return begins("sound")
        return isAll || wordy.test(this.#contentType) || begun.length > mostWords ? other("text") : undefined
    }
  }

  #joined(): Uint8Array {
    return Buffer.concat(this.#held)
  }

  #whole(): RelayedStart {
    const { holds, says } = this.#rules
    const all = this.#joined()
    if (all.length === 0) return { kind: "silent" }
    if (wholeForm(this.#beginning) !== "object") {
      const isBlank = this.#beginning.bytes.length === 0
      return (isBlank && holds === "json" ? undefined : this.#plainly(all, true)) ?? { kind: "silent" }
    }
    const judged = judge(parseObject(all), says)
    if (judged.kind === "error") return judged
    if (judged.kind === "not_json") return this.#plainly(all, true) ?? { kind: "silent" }
    if (holds === "sound") return other("JSON")
    return judged.kind === "silent" ? judged : begins("object")
  }
}
