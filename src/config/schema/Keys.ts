/** The ways in which a key may be left out. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

interface About<A> {
  readonly description: string
  readonly examples?: readonly [A, ...ReadonlyArray<A>]
}

/** A key with a default; a key without a value (YAML's null) counts as absent. */
export const setting = <A, I>(schema: Schema.Schema<A, I>, absent: NoInfer<A>, about: About<NoInfer<A>>) =>
  Schema.optionalWith(schema, { nullable: true, default: () => absent }).annotations({
    description: about.description,
    ...(about.examples === undefined ? {} : { examples: [...about.examples] }),
    default: absent,
  })

/** A key that may be absent; a key without a value counts as absent. */
export const optional = <A, I>(schema: Schema.Schema<A, I>, about: About<NoInfer<A>>) =>
  Schema.optionalWith(schema, { exact: true, nullable: true }).annotations({
    description: about.description,
    ...(about.examples === undefined ? {} : { examples: [...about.examples] }),
  })

/** What is written, and not empty. */
export const given = <A>(value: Option.Option<A>): Option.Option<Exclude<A, null | false | "">> =>
  Option.filter(value, (it): it is Exclude<A, null | false | ""> => it !== null && it !== false && it !== "")

/** A text that may be absent; `""` counts as absent. */
export const optionalText = (about: About<string>, text: Schema.Schema<string> = Schema.String) =>
  Schema.optionalToOptional(Schema.NullOr(text), Schema.String, {
    decode: given,
    encode: (value) => value,
  }).annotations({
    description: about.description,
    ...(about.examples === undefined ? {} : { examples: [...about.examples] }),
  })
