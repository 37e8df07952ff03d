/** Takes the parts of a form as they are read: what its fields say, within bounds, and what its files are. */
import { createHash, type Hash } from "node:crypto"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { append, type GrowingBytes } from "../../wire/GrowingBytes.ts"
import type { FormListener } from "../../wire/Multipart.ts"
import type { PartHead } from "../../wire/PartHead.ts"
import { type FormPart, isFile } from "./Form.ts"

/** The most that is kept of one field, and of all: prompts are the longest. */
const longestField = 131_072
const mostKept = 524_288

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const nothing: GrowingBytes = { bytes: new Uint8Array(), room: undefined }

const textOf = ({ bytes }: GrowingBytes): string | undefined =>
  Option.getOrUndefined(Either.getRight(Either.try(() => utf8.decode(bytes))))

/** Mutable on purpose: one form. */
export class FormCollector implements FormListener {
  readonly parts: Array<FormPart> = []
  readonly #digests: boolean
  #head: PartHead | undefined
  #start = 0
  /** Of the field under way; nothing of one that is too long. */
  #field: GrowingBytes | undefined
  #kept = 0
  #hash: Hash | undefined

  /** @param digests whether files are to be known again */
  constructor(digests: boolean) {
    this.#digests = digests
  }

  onPart(head: PartHead, start: number): void {
    this.#head = head
    this.#start = start
    this.#field = isFile(head) ? undefined : nothing
    this.#hash = isFile(head) && this.#digests ? createHash("sha256") : undefined
  }

  onData(bytes: Uint8Array): void {
    this.#hash?.update(bytes)
    const field = this.#field
    if (field === undefined) return
    this.#kept += bytes.length
    const isTooLong = field.bytes.length + bytes.length > longestField || this.#kept > mostKept
    // They are copied: `nothing` is never given out.
    this.#field = isTooLong ? undefined : append(field, bytes, longestField)
  }

  onPartEnd(end: number): void {
    if (this.#head === undefined) return
    const text = this.#field === undefined ? undefined : textOf(this.#field)
    this.parts.push({ ...this.#head, start: this.#start, end, text, sha256: this.#hash?.digest("hex") })
  }
}
