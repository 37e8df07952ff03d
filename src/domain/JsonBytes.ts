/** JSON objects in and out of UTF-8 bytes, where whatever is not one is an ordinary case. */
import * as Either from "effect/Either"
import { isJsonObject, type Json, type JsonObject } from "./Json.ts"

const decoder = new TextDecoder()
const encoder = new TextEncoder()

const notJson = (): undefined => undefined

/** The object that bytes spell, or `undefined` when they spell none. */
export const parseObject = (bytes: Uint8Array): JsonObject | undefined => {
  const parsed = Either.try({ try: (): unknown => JSON.parse(decoder.decode(bytes)), catch: notJson })
  return Either.isRight(parsed) && isJsonObject(parsed.right) ? parsed.right : undefined
}

/** A value's JSON as bytes, or `undefined` where its nesting is deeper than the engine can print. */
export const encodeJson = (value: Json): Uint8Array | undefined => {
  const printed = Either.try({ try: () => encoder.encode(JSON.stringify(value)), catch: notJson })
  return Either.isRight(printed) ? printed.right : undefined
}
