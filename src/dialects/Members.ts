/** Members of requests and answers, read as what they have to be: whatever else stands there is `undefined`. */
import { isJsonArray, isJsonObject, type Json, type JsonObject } from "../wire/Json.ts"
import type { Setting } from "./Conversation.ts"

type Value = Json | undefined

export const textIn = (value: Value): string | undefined => (typeof value === "string" ? value : undefined)

/** Text with something in it. */
export const saidIn = (value: Value): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

export const numberIn = (value: Value): number | undefined => (typeof value === "number" ? value : undefined)

/** Seconds since 1970: several hosts say 0 where they do not know. */
export const momentIn = (value: Value): number | undefined =>
  typeof value === "number" && value > 0 ? value : undefined

/** What servers of open models are told for a cap where there is to be none. */
export const noCap = -1

export const capIn = (value: Value): number | undefined => (value === noCap ? undefined : numberIn(value))

export const booleanIn = (value: Value): boolean | undefined =>
  typeof value === "boolean" ? value : undefined

export const objectIn = (value: Value): JsonObject | undefined =>
  value !== undefined && isJsonObject(value) ? value : undefined

/** Empty where it is no list. */
export const listIn = (value: Value): ReadonlyArray<Json> =>
  value !== undefined && isJsonArray(value) ? value : []

export const objectsIn = (value: Value): ReadonlyArray<JsonObject> => listIn(value).filter(isJsonObject)

export const textsIn = (value: Value): ReadonlyArray<string> =>
  listIn(value).filter((one) => typeof one === "string")

/** @param as the member that said so */
export const settingOf = <A>(value: A | undefined, as: string): Setting<A> | undefined =>
  value === undefined ? undefined : { value, as }

/** What the first of these members says that says something. */
export const firstSetting = <A>(
  body: JsonObject,
  names: ReadonlyArray<string>,
  read: (value: Value) => A | undefined,
): Setting<A> | undefined => {
  for (const as of names) {
    const value = read(body[as])
    if (value !== undefined) return { value, as }
  }
  return undefined
}

/** The members that say something: an absent one is none. */
export const membersOf = (members: { readonly [name: string]: Json | undefined }): JsonObject => {
  const said: Record<string, Json> = {}
  for (const name in members) {
    const value = members[name]
    if (value !== undefined) said[name] = value
  }
  return said
}
