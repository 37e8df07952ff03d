/**
 * What may be told of a text that an upstream sent, in logs, records and messages of this gateway: one line, without a secret or anything that moves a
 * terminal's cursor, and not long.
 */
import { printable } from "../terminal/Printable.ts"
import { clipped } from "../wire/Clipped.ts"
import type { Secrets } from "./Secrets.ts"

/** The most of a text that is told. */
export const longestTold = 200

const longestReason = 64

/** As much as is looked through: what stands behind it could only be told where it is secrets from beginning to end. */
const mostRead = 16 * 1024

/** Why answers end, as nearly all of them say it. */
const usualReasons: ReadonlySet<string> = new Set([
  "stop",
  "length",
  "tool_calls",
  "content_filter",
  "function_call",
  "eos",
  "end_turn",
])

/** A finish reason as it may be told. */
export const toldReason = (reason: string | undefined, secrets: Secrets): string | undefined =>
  reason === undefined || usualReasons.has(reason) ? reason : told(reason, secrets, longestReason)

/**
 * The text as it may be told.
 *
 * Laws: no secret is in it, in any form that `Secrets` finds; it has no control character, nor one of direction or an end of a line; it is no longer than
 * `most` characters and the sign that it was cut; told again, it is the same.
 */
export const told = (text: string, secrets: Secrets, most: number = longestTold): string =>
  clipped(printable(secrets.without(text.slice(0, mostRead)).replace(/\s+/g, " ")), most)

/** Ids as nearly all of them are: nothing in them is to be escaped or cut. */
const plainId = /^[\w.:-]{1,128}$/

/** An id as it may be told. Law: the same as `told`; one of plain characters is only looked through, since every request has one. */
export const toldId = (id: string | undefined, secrets: Secrets): string | undefined => {
  if (id === undefined) return undefined
  return plainId.test(id) ? secrets.without(id) : told(id, secrets)
}
