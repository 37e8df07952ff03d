/** Where something stands among its like, as members of events and annotations say it. */
import type { Json } from "../../wire/Json.ts"

/** The place that a member says; undefined where it is no whole number from 0 on. */
export const placeIn = (value: Json | undefined): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined
