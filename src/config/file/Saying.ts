/**
 * What is said of a configuration file, in two tellings. The public one goes where others read too (`/health`, the log): the program's own words and nothing
 * out of the file. The operator's is for the terminal of `sluice check`: it repeats a text of the file where that can be no secret.
 *
 * A saying is a template whose gaps take numbers, other sayings, and texts marked as the file's. A bare string does not compile there, so that a new kind of
 * problem can leak nothing.
 */
import { printableJson } from "../../terminal/Printable.ts"
import { distance } from "../../wire/Nearest.ts"

/** A text of the file, how it is told to the operator if it may be, and what is said in its place everywhere else. */
interface FileText {
  readonly text: string
  readonly known: ReadonlyArray<string>
  readonly as: (text: string) => string
  readonly otherwise: Saying
}

/** Something to be said; made by the functions below, told by the last two. */
export interface Saying {
  readonly parts: ReadonlyArray<string | FileText>
}

/** Words of the program, around what they are about. */
export const say = (words: TemplateStringsArray, ...gaps: ReadonlyArray<Saying | number>): Saying => ({
  parts: words.flatMap((word, at) => {
    const gap = gaps[at]
    return [word, ...(gap === undefined ? [] : typeof gap === "number" ? [String(gap)] : gap.parts)]
  }),
})

/** Words that the program chooses among: literals of the source, which the type makes sure of. */
export const literally = <Words extends string>(words: string extends Words ? never : Words): Saying => ({
  parts: [words],
})

/** Words of the program that are no literals: keys, titles and choices of the schema, paths that are served. Never of anything else. */
export const ofProgram = (words: string): Saying => ({ parts: [words] })

/** Nothing. */
export const silence: Saying = { parts: [] }

/** What stands for a text of the file. */
export const ellipsis: Saying = { parts: ['"\u2026"'] }

/** How a text of the file is told. */
export interface FileTextOptions {
  /** Words of the program that it may be meant as: what is nearly one of them is told. */
  readonly known?: ReadonlyArray<string>
  /** Default: in quotes. */
  readonly as?: (text: string) => string
  /** Default: an ellipsis in quotes. */
  readonly otherwise?: Saying
}

const inQuotes = (text: string): string => printableJson(JSON.stringify(text))

/** A text of the file. */
export const fromFile = (
  text: string,
  { as = inQuotes, known = [], otherwise = ellipsis }: FileTextOptions = {},
): Saying => ({ parts: [{ text, known, as, otherwise }] })

const shortWord = /^[a-z_]{1,24}$/

/** A number, perhaps with a unit: no more digits than make no key. */
const shortNumber = /^-?(?:\d{1,6}|\d{0,3}\.\d{1,3}|\.(?:inf|nan))(?:[kmg](?:i?b)?|m?s|min|h)?$/i

/** `OPENAI_API_KEY`: words in capitals, with a short number at most. */
const variableName = /^(?=.{1,60}$)[A-Z]{1,16}\d{0,2}(?:_(?:[A-Z]{1,16}\d{0,2}|\d{1,3}))*$/

/** What providers' keys begin with. */
const keyPrefix = /^(?:(?:sk|pk|rk|gsk|hf|xai|ghp|pplx|nvapi|r8|tgp|fw|csk)[-_]|akia|asia|aiza|eyj)/i

const reference = /^\$\{(.*)\}$/s

/** How far a word may be from the one that is meant. */
const nearEnough = 2

const isNear = (text: string, word: string): boolean =>
  Math.abs(text.length - word.length) <= nearEnough &&
  distance(text.toLowerCase().replaceAll("-", "_"), word.toLowerCase().replaceAll("-", "_")) <=
    Math.min(nearEnough, Math.floor(word.length / 3))

/** Whether the name of a variable of the environment may be told: somebody may have written the key itself in the braces. */
export const isVariableName = (name: string): boolean => variableName.test(name) && !keyPrefix.test(name)

/** Whether a text can be no secret: a short word, a short number, a reference to a variable, or nearly a word of the program. */
export const isHarmless = (text: string, known: ReadonlyArray<string> = []): boolean =>
  (shortWord.test(text) && !keyPrefix.test(text)) ||
  shortNumber.test(text) ||
  isVariableName(reference.exec(text)?.[1] ?? "") ||
  (/^[A-Za-z_-]{1,40}$/.test(text) && known.some((word) => isNear(text, word)))

const tell = (saying: Saying, isTold: (part: FileText) => boolean): string =>
  saying.parts
    .map((part) =>
      typeof part === "string"
        ? part
        : isTold(part)
          ? part.as(part.text)
          : // What stands in its place is words of the program, to the end.
            tell(part.otherwise, () => false),
    )
    .join("")

/** For everybody: without any text of the file. */
export const publicly = (saying: Saying): string => tell(saying, () => false)

/** For the operator's own terminal. */
export const toOperator = (saying: Saying): string =>
  tell(saying, ({ known, text }) => isHarmless(text, known))
