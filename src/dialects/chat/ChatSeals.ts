/** Seals of reasoning in chat, which has no place of its own for them: that of OpenRouter, which its users' programs send back. */
import type { JsonObject } from "../../wire/Json.ts"
import { objectsIn, textIn } from "../Members.ts"
import { type Seal, unwrap, wrap } from "../Seal.ts"

/** The entry of `reasoning_details`. */
export const writtenSeal = (seal: Seal, upstream: string): JsonObject => ({
  type: "reasoning.encrypted",
  data: wrap(seal, upstream),
  format: "unknown",
  index: 0,
})

/** What of `reasoning_details` was given out here. */
export const sealsIn = (holder: JsonObject): ReadonlyArray<Seal> =>
  objectsIn(holder["reasoning_details"]).flatMap(({ data, type }) =>
    type === "reasoning.encrypted" ? (unwrap(textIn(data) ?? "") ?? []) : [],
  )
