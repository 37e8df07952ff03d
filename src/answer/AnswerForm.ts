/**
 * What an answer is, by its first bytes: an event stream or a JSON object. Its `content-type` is only asked where they are neither, since some upstreams
 * call all they send JSON, text or nothing at all.
 */
import { colon } from "../wire/JsonBytes.ts"

export type AnswerForm = "events" | "object" | "other"

/** How an answer begins, as far as it has come. */
export interface Beginning {
  /** All but white space and byte order marks before its first character: they say nothing, and may be sent for minutes to keep a connection open. */
  readonly bytes: Uint8Array
  /** `undefined` until it is known: of a beginning so short only a few bytes are kept. */
  readonly form: AnswerForm | undefined
}

export const noBeginning: Beginning = { bytes: new Uint8Array(), form: undefined }

const braceOpen = 0x7b

const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf)

const ascii = new TextEncoder()

/** The fields of event streams, `error` of llama.cpp among them. */
const fields = ["data:", "event:", "id:", "retry:", "error:"].map((field) => ascii.encode(field))

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Whether `bytes`, from a place on, are a mark or, where they end before it does, may become one. */
const mayBe = (bytes: Uint8Array, from: number, mark: Uint8Array): boolean => {
  const length = Math.min(bytes.length - from, mark.length)
  for (let at = 0; at < length; at++) if (bytes[from + at] !== mark[at]) return false
  return true
}

const isAt = (bytes: Uint8Array, from: number, mark: Uint8Array): boolean =>
  bytes.length - from >= mark.length && mayBe(bytes, from, mark)

const firstCharacter = (bytes: Uint8Array): number => {
  let at = 0
  for (;;) {
    if (isSpace(bytes[at])) at++
    else if (isAt(bytes, at, byteOrderMark)) at += byteOrderMark.length
    else return at
  }
}

const formOf = (bytes: Uint8Array): AnswerForm | undefined => {
  switch (bytes[0]) {
    case undefined:
      return undefined
    case braceOpen:
      return "object"
    case colon:
      return "events"
  }
  if (fields.some((field) => isAt(bytes, 0, field))) return "events"
  return mayBe(bytes, 0, byteOrderMark) || fields.some((field) => mayBe(bytes, 0, field))
    ? undefined
    : "other"
}

/** The beginning with these bytes more. Law: however the bytes are cut, the same form and, from its first character on, the same bytes. */
export const begunWith = ({ bytes: before }: Beginning, more: Uint8Array): Beginning => {
  const all = before.length === 0 ? more : Buffer.concat([before, more])
  const at = firstCharacter(all)
  const bytes = at === 0 ? all : all.subarray(at)
  return { bytes, form: formOf(bytes) }
}

/** The form of an answer whose bytes are all there. */
export const wholeForm = ({ form }: Beginning): AnswerForm => form ?? "other"
