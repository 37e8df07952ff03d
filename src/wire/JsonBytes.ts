/** JSON in and out of UTF-8 bytes, where whatever is none is an ordinary case; and what it takes to look at bytes without reading them. */
import * as Either from "effect/Either"
import { isJson, isJsonObject, type Json, type JsonObject } from "./Json.ts"
import { rewrite } from "./JsonText.ts"

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const notJson = (): undefined => undefined

const parse = (bytes: Uint8Array): unknown =>
  Either.getOrUndefined(Either.try({ try: (): unknown => JSON.parse(decoder.decode(bytes)), catch: notJson }))

/** The value that bytes spell, or `undefined` when they spell none. */
export const parseJson = (bytes: Uint8Array): Json | undefined => {
  const parsed = parse(bytes)
  return isJson(parsed) ? parsed : undefined
}

/** The object that bytes spell, or `undefined` when they spell none. */
export const parseObject = (bytes: Uint8Array): JsonObject | undefined => {
  const parsed = parse(bytes)
  return isJsonObject(parsed) ? parsed : undefined
}

/** The text that bytes spell, from its quote to its quote, or `undefined` when they spell none. */
export const parseText = (bytes: Uint8Array): string | undefined => {
  const parsed = parse(bytes)
  return typeof parsed === "string" ? parsed : undefined
}

/** JSON of no more bytes is nested no deeper than can be printed. */
export const surelyPrintableBytes = 2048

/** A value's JSON as bytes, or `undefined` where its nesting is deeper than the engine can print. */
export const encodeJson = (value: Json): Uint8Array | undefined => {
  const printed = Either.try({ try: () => encoder.encode(JSON.stringify(value)), catch: notJson })
  return Either.isRight(printed) ? printed.right : undefined
}

/**
 * The JSON of `after`, which is a changed copy of what `data` spells: all that did not change keeps its text. `undefined` where what did is nested deeper
 * than the engine can print.
 */
export const rewriteJson = (data: Uint8Array, before: Json, after: Json): Uint8Array | undefined => {
  const text = Either.try({
    try: () => encoder.encode(rewrite(decoder.decode(data), before, after)),
    catch: notJson,
  })
  return Either.isRight(text) ? text.right : undefined
}

export const quote = 0x22
export const backslash = 0x5c
export const colon = 0x3a

/** Where the next byte stands that is no white space. */
export const nextToken = (data: Uint8Array, from: number): number => {
  let at = from
  for (let byte = data[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; )
    byte = data[++at]
  return at
}

/** Whether these bytes stand at this place. */
export const standsAt = (data: Uint8Array, at: number, bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if (data[at + i] !== bytes[i]) return false
  return true
}

/** Whether this text stands anywhere in the bytes. */
export const holds = (data: Uint8Array, text: string): boolean =>
  Buffer.from(data.buffer, data.byteOffset, data.length).includes(text)
