/** Arguments as the options and the argument of a command, or what is wrong with them. */
import { parseArgs } from "node:util"
import * as Either from "effect/Either"
import { printable } from "../terminal/Printable.ts"
import { nearest } from "../wire/Nearest.ts"

export interface Option {
  /** One letter: `n` for `-n`. */
  readonly short?: string
  /** What stands for its value in the help, `TIME`; a flag has none. */
  readonly value?: string
  readonly help: string
}

export type Options = Readonly<Record<string, Option>>

export interface Argument {
  /** As the help has it: `MODEL`, or `[FILE]` where it may be left out. */
  readonly name: string
  readonly help: string
  readonly optional?: true
}

export interface Takes<O extends Options> {
  readonly argument?: Argument
  /** Why it takes no word, where one may be what is not to be shown. */
  readonly noWords?: string
  readonly options: O
}

/** What the command line gave: of options with a value, of flags, and the argument. */
export interface Given<Text extends string, Flag extends string> {
  /** The last value, where there is more than one. */
  readonly text: (name: Text) => string | undefined
  readonly flag: (name: Flag) => boolean
  readonly argument: string | undefined
}

type TextOf<O extends Options> = {
  [Name in keyof O]: O[Name] extends { readonly value: string } ? Name : never
}[keyof O] &
  string

/** What the command line gave of these options. */
export type GivenOf<O extends Options> = Given<TextOf<O>, Exclude<keyof O & string, TextOf<O>>>

const isHelp = (word: string | undefined): boolean => word === "--help" || word === "-h"

/**
 * Help that is a word of its own. It is looked for before Node reads the arguments, since Node takes the last letter of
 * `-f-` for the `--` that ends the options.
 */
const asksForHelp = (args: ReadonlyArray<string>): boolean => {
  const end = args.indexOf("--")
  return args.slice(0, end < 0 ? args.length : end).some(isHelp)
}

/** An option where a value was expected: `--since --json`. A value that begins so is written `--prompt=--text`. */
const isOption = (word: string): boolean => /^--?[a-z]/i.test(word)

const didYouMean = (word: string, known: ReadonlyArray<string>, prefix: string): string => {
  const near = nearest(word, known)
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`
}

/** A word that is none of those there are, with the nearest of them. */
export const unknown = (what: string, word: string, known: ReadonlyArray<string>): string =>
  `unknown ${what}: ${printable(word)}${didYouMean(word, known, "")}`

/** Reads what follows a command's name. Left says what is wrong; `help` wins over everything. */
export const parse = <O extends Options>(
  { argument, noWords, options }: Takes<O>,
  args: ReadonlyArray<string>,
): Either.Either<GivenOf<O> | "help", string> => {
  if (asksForHelp(args)) return Either.right("help")
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { short, value }]) => [
        name,
        { type: value === undefined ? "boolean" : "string", ...(short === undefined ? {} : { short }) },
      ]),
    ),
  })
  const texts = new Map<string, string>()
  const flags = new Set<string>()
  const words: Array<string> = []
  let wrong: string | undefined
  const note = (problem: string) => {
    wrong ??= problem
  }
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value)
    if (token.kind !== "option") continue
    const { inlineValue, name, rawName, value } = token
    if (isHelp(rawName) || (inlineValue === false && isHelp(value))) return Either.right("help")
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (option === undefined) {
      note(`unknown flag: ${printable(rawName)}${didYouMean(name, Object.keys(options), "--")}`)
    } else if (option.value === undefined) {
      if (value === undefined) flags.add(name)
      else note(`${rawName} takes no value`)
    } else if (value === undefined || (inlineValue === false && isOption(value))) {
      note(`${rawName} needs a value: ${rawName} ${option.value}`)
    } else texts.set(name, value)
  }
  if (argument !== undefined && argument.optional !== true && words.length === 0) {
    note(`${argument.name} is missing: ${argument.help}`)
  }
  const most = argument === undefined ? 0 : 1
  if (words.length > most) note(noWords ?? `one word too many: ${printable(words[most] ?? "")}`)
  return wrong === undefined
    ? Either.right({
        text: (name) => texts.get(name),
        flag: (name) => flags.has(name),
        argument: words[0],
      })
    : Either.left(wrong)
}
