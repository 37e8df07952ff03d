/** Reads variables of the environment: each error names its variable and what is expected of it, never its value. */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"

/** Without the value: it stands in the log, and may be a key that was given the wrong name. */
export const invalid = (name: string, expected: string) =>
  Either.left(ConfigError.InvalidData([name], `${name}: expected ${expected}`))

export const digits = /^\s*\d{1,9}\s*$/

/** A variable's text. One that is empty counts as not set: compose files and units pass unset ones on like that. */
export const variable = (name: string) =>
  Config.string(name).pipe(
    Config.mapOrFail((value) =>
      value.trim() === ""
        ? Either.left(ConfigError.MissingData([name], `${name} is empty`))
        : Either.right(value),
    ),
  )

/** A whole number in a range, named in the error. */
export const wholeNumber = (name: string, min: number, max: number) =>
  variable(name).pipe(
    Config.mapOrFail((value) => {
      const number = digits.test(value) ? Number(value) : Number.NaN
      return number >= min && number <= max
        ? Either.right(number)
        : invalid(name, `a whole number from ${min} to ${max}`)
    }),
  )

/** One of some words, in any case. */
export const oneOf = <const Word extends string>(name: string, words: ReadonlyArray<Word>) =>
  variable(name).pipe(
    Config.mapOrFail((value) => {
      const found = words.find((word) => word === value.trim().toLowerCase())
      return found === undefined ? invalid(name, `one of ${words.join(", ")}`) : Either.right(found)
    }),
  )
