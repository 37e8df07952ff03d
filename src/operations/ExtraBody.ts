/** A target's `extra_body` fills what a request leaves unsaid, in every operation whose request is one JSON object. */
import type { JsonObject } from "../wire/Json.ts"
import type { Edits } from "./JsonRequest.ts"

/**
 * The members of `extra_body` that a request leaves unsaid. A member that is there is said, `null` too.
 *
 * @param own members that are the client's alone to say, or not to
 */
export const fillsOf = (body: JsonObject, extraBody: JsonObject, own: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(
    Object.entries(extraBody).filter(([name]) => !own.has(name) && !Object.hasOwn(body, name)),
  )

/** Adds such members to what is written into the request's body. */
export const fill = (edits: Edits, fills: JsonObject): void => {
  for (const [name, value] of Object.entries(fills)) edits.set(name, JSON.stringify(value))
}
