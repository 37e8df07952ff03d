/** How members of the admin API are written down: what may be unknown is null, and each says what it is. */
import * as Schema from "effect/Schema"

/** A member that is always there. */
export const known = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  schema.annotations({ description })

/** A member that is null where it is unknown. */
export const maybe = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.NullOr(schema).annotations({ description })

/** An instant, `2026-11-22T17:35:00.123Z`. */
export const instant = (description: string) => known(Schema.String, `${description} (UTC)`)
