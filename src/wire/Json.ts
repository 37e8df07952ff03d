/** The JSON values that pass through: known to be JSON, otherwise not interpreted. */

export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject

export interface JsonObject {
  readonly [member: string]: Json
}

/** Whether a value that came out of `JSON.parse` is an object (neither `null` nor an array). */
export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether a JSON value is an array (`Array.isArray` narrows to `any[]`). */
export const isJsonArray = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value)

/** Whether a value that came out of `JSON.parse` is one, which all are but `undefined`. */
export const isJson = (value: unknown): value is Json => value !== undefined
