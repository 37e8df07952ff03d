/** Schema errors as findings: what is wrong, what was found, what would be right, and no value that may be a secret. */
import type { ParseIssue } from "effect/ParseResult"
import * as AST from "effect/SchemaAST"
import { nearest } from "../../wire/Nearest.ts"
import { isFixed } from "../schema/FixedWords.ts"
import { meantBy, otherNames } from "../schema/OtherNames.ts"
import {
  choicesOf,
  descend,
  isContainer,
  isList,
  keysOf,
  phraseOf,
  type SchemaPlace,
  takes,
} from "./Expected.ts"
import type { Finding, Path } from "./Problem.ts"
import { fromFile, literally, ofProgram, type Saying, say, silence } from "./Saying.ts"
import { below, type Tree } from "./Tree.ts"

/** Where a key belongs that stands at the wrong level: "under" a section, or "to" an entry. */
export type Sections = ReadonlyMap<string, string>

type Suggest = (key: string, known: ReadonlyArray<string>) => string | undefined

/** Every finding of a failed decoding. `tree` and `place` are the root's. */
export const findingsOf = (
  issue: ParseIssue,
  tree: Tree,
  place: SchemaPlace,
  sections: Sections,
): ReadonlyArray<Finding> => {
  let looked = 0
  const suggested: Suggest = (key, known) =>
    ++looked > mostSuggestions ? undefined : (meantBy(key, known) ?? nearest(key, known))

  const visit = (issue: ParseIssue, path: Path, place: SchemaPlace): ReadonlyArray<Finding> => {
    const error = (message: Saying): ReadonlyArray<Finding> => [
      { path, message, severity: "error", atKey: false },
    ]
    if (issue._tag === "Missing") {
      return error(
        say`missing; expected ${ofProgram(place.ast === undefined ? "a value" : phraseOf(place.ast))}`,
      )
    }
    const parts = partsOf(issue)
    if (parts === undefined) {
      const told = messageOf(issue)
      return error(
        told === undefined
          ? mismatch(issueAst(issue), treeAt(tree, path), mayBeSecret(place), path)
          : withScheme(filterSaid(told), treeAt(tree, path), String(path.at(-1))),
      )
    }
    const meant = meantKeys(parts, suggested)
    return parts.issues.flatMap((part): ReadonlyArray<Finding> => {
      if (part._tag !== "Pointer") return visit(part, path, place)
      // It is there, misspelt, and told so.
      if (part.issue._tag === "Missing" && meant.has(String(part.path))) return []
      const steps = (Array.isArray(part.path) ? part.path : [part.path]).map((step) =>
        typeof step === "number" ? step : String(step),
      )
      const to = [...path, ...steps]
      if (part.issue._tag === "Unexpected") {
        const key = String(steps.at(-1))
        return [
          {
            path: to,
            message: unknownKey(key, keysOf(parts.ast), path, sections, suggested),
            severity: "error",
            atKey: true,
          },
        ]
      }
      return visit(part.issue, to, steps.reduce(descend, place))
    })
  }
  return visit(issue, [], place)
}

/** For how many unknown keys a known one is looked for, which takes longer than all else; nobody reads more. */
const mostSuggestions = 200

/** The known keys that unknown ones of the same map were meant to be. */
const meantKeys = ({ ast, issues }: Parts, suggested: Suggest): ReadonlySet<string> =>
  new Set(
    issues.flatMap((part) => {
      if (part._tag !== "Pointer" || part.issue._tag !== "Unexpected") return []
      const key = [part.path].flat().at(-1)
      return suggested(keyIn(String(key)), keysOf(ast)) ?? []
    }),
  )

/** The key of `name:azure`, which is all key where no space follows the colon. */
const keyIn = (text: string): string => /^[A-Za-z_]\w*(?=:)/.exec(text)?.[0] ?? text

interface Parts {
  readonly ast: AST.AST
  readonly issues: ReadonlyArray<ParseIssue>
}

/** The issues inside a value of the right kind, or `undefined` if the value as a whole is what is wrong. */
const partsOf = (issue: ParseIssue): Parts | undefined => {
  switch (issue._tag) {
    case "Transformation":
    case "Refinement":
      return partsOf(issue.issue)
    case "Pointer":
      return { ast: issueAst(issue.issue), issues: [issue] }
    case "Composite": {
      const issues: ReadonlyArray<ParseIssue> = "_tag" in issue.issues ? [issue.issues] : issue.issues
      if (issue.ast._tag !== "Union") return { ast: issue.ast, issues }
      // Of the alternatives the one that fits in kind; the others could only say that they do not.
      for (const alternative of issues) {
        const parts = partsOf(alternative)
        if (parts !== undefined) return parts
      }
      return undefined
    }
    default:
      return undefined
  }
}

/** The message of a filter; one that nobody declared may be of the file. */
const filterSaid = (message: string): Saying =>
  isFixed(message) ? ofProgram(message) : fromFile(message, { otherwise: say`this value is not taken here` })

/** The message a filter of the schema gave. */
const messageOf = (issue: ParseIssue): string | undefined => {
  switch (issue._tag) {
    case "Type":
      return issue.message
    case "Transformation":
    case "Refinement":
    case "Pointer":
      return messageOf(issue.issue)
    case "Composite": {
      const issues: ReadonlyArray<ParseIssue> = "_tag" in issue.issues ? [issue.issues] : issue.issues
      for (const part of issues) {
        const message = messageOf(part)
        if (message !== undefined) return message
      }
      return undefined
    }
    default:
      return undefined
  }
}

const issueAst = (issue: ParseIssue): AST.AST => {
  switch (issue._tag) {
    case "Pointer":
      return issueAst(issue.issue)
    case "Missing":
      return issue.ast.type
    case "Unexpected":
      return AST.neverKeyword
    default:
      return issue.ast
  }
}

const treeAt = (tree: Tree, path: Path): Tree | undefined => path.reduce<Tree | undefined>(below, tree)

/** Whether a value at a place, or one of a list there, may be a credential. */
const mayBeSecret = (place: SchemaPlace): boolean => place.confidential || descend(place, 0).confidential

const mismatch = (expected: AST.AST, actual: Tree | undefined, secret: boolean, path: Path): Saying => {
  const known = choicesOf(expected)
  const message = say`expected ${ofProgram(phraseOf(expected))}, got ${describe(actual, secret || isContainer(expected), known)}`
  if (actual?._tag !== "Scalar") return message
  if (typeof actual.value !== "string") {
    return actual.value !== null && phraseOf(expected) === "a string"
      ? say`${message}; write it in quotes`
      : message
  }
  if (isList(expected) && takes(descend({ ast: expected, confidential: false }, 0), "string")) {
    return say`${message}; put it in brackets, as in [a, b]`
  }
  if (actual.expanded) return message
  const unit = unitOf(expected, actual.value, String(path.at(-1)))
  if (unit !== undefined) return say`${message}; ${unit}`
  const meant = suggestion(expected, actual.value)
  return meant === undefined ? message : say`${message}; did you mean ${meant}?`
}

/** Milliseconds of the units people write. */
const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }

/** Bytes of the units people write. */
const sizes: Readonly<Record<string, number>> = {
  k: 1000,
  kb: 1000,
  kib: 1024,
  m: 1_000_000,
  mb: 1_000_000,
  mib: 1024 ** 2,
  g: 1_000_000_000,
  gb: 1_000_000_000,
  gib: 1024 ** 3,
}

/** What to write in place of a number with a unit: the unit is in the key's name. */
const unitOf = (expected: AST.AST, value: string, key: string): Saying | undefined => {
  const [, digits = "", unit = ""] = /^([\d_]+(?:\.\d+)?)\s*([a-z]{1,12})$/i.exec(value) ?? []
  if (digits === "" || !takes({ ast: expected, confidential: false }, "number")) return undefined
  const amount = Number(digits.replaceAll("_", ""))
  const [kind, factor] = key.endsWith("_ms")
    ? [say`in milliseconds, `, durations[unit.toLowerCase()]]
    : key.endsWith("_seconds")
      ? [say`in seconds, `, scaled(durations[unit.toLowerCase()], 1 / 1000)]
      : key.endsWith("_bytes")
        ? [say`in bytes, `, sizes[unit.toLowerCase()]]
        : [silence, undefined]
  const as = () => `: ${Math.round(amount * (factor ?? 1))}`
  const number = factor === undefined ? silence : fromFile(value, { as, otherwise: silence })
  return say`write it ${kind}without a unit${number}`
}

const scaled = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? undefined : value * by

/** What is wrong with a URL, and what it begins with instead: no more, since a broken file may have a secret behind that. */
const withScheme = (message: Saying, actual: Tree | undefined, key: string): Saying => {
  if (!key.endsWith("_url") || actual?._tag !== "Scalar" || actual.expanded) return message
  const [scheme, word = ""] = /^([a-z]{1,6}):\/{0,2}(?=[^/])/i.exec(actual.source) ?? []
  return scheme === undefined || /^https?:\/\/$/i.test(scheme)
    ? message
    : say`${message}${fromFile(word.toLowerCase(), { as: () => `, got "${scheme}\u2026"`, otherwise: silence })}`
}

/** What was found. The kind alone where the value could be a secret or would not help. */
const describe = (actual: Tree | undefined, kindOnly: boolean, known: ReadonlyArray<string>): Saying => {
  if (actual === undefined) return say`nothing`
  if (actual._tag === "List") return literally(actual.items.length === 0 ? "an empty list" : "a list")
  if (actual._tag === "Mapping") return say`a map`
  const { source, value } = actual
  if (value === null) return say`nothing`
  if (typeof value === "boolean") return literally(value ? "true" : "false")
  const otherwise = literally(typeof value === "string" ? "a string" : "a number")
  if (kindOnly) return otherwise
  return typeof value === "string"
    ? fromFile(source, { known: known.length === 0 ? known : [...known, ...otherNames], otherwise })
    : fromFile(source, { as: (it) => it, otherwise })
}

const switches: Readonly<Record<string, Saying>> = {
  yes: say`true`,
  on: say`true`,
  no: say`false`,
  off: say`false`,
}

const suggestion = (expected: AST.AST, value: string): Saying | undefined => {
  const choices = choicesOf(expected)
  const word = meantBy(value, choices) ?? nearest(value, choices)
  if (word !== undefined) return say`"${ofProgram(word)}"`
  return phraseOf(expected) === "true or false" ? switches[value.toLowerCase()] : undefined
}

/** What other programs have keys for, and where it is said here. */
const saidElsewhere: Readonly<Record<string, Saying>> = {
  api_version: say`unknown key; it stands behind base_url, as its query: ?api-version=\u2026`,
  organization: say`unknown key; it is a header: write headers: { openai-organization: \u2026 }`,
  deployment: say`unknown key; a deployment is the model: write model: \u2026`,
}

/** Of the list of clients, whose name says less than it holds. */
const ofAllUpstreams = say` It holds clients of every provider and dialect (preset: anthropic)`

const unknownKey = (
  key: string,
  known: ReadonlyArray<string>,
  path: Path,
  sections: Sections,
  suggested: Suggest,
): Saying => {
  const written = keyIn(key)
  if (written !== key && known.includes(written))
    return say`a space is missing after the colon of ${ofProgram(written)}`
  const elsewhere = known.includes("base_url") ? saidElsewhere[written.replaceAll("-", "_")] : undefined
  if (elsewhere !== undefined) return elsewhere
  const where = path.length === 0 ? sections.get(key) : undefined
  if (where !== undefined) return say`unknown key here; it belongs ${ofProgram(where)}`
  const meant = suggested(written, known)
  if (meant !== undefined) {
    const isOthers = meant === "openai_clients" && meantBy(written, known) !== undefined
    return say`unknown key; did you mean "${ofProgram(meant)}"?${isOthers ? ofAllUpstreams : silence}`
  }
  return known.length === 0 ? say`unknown key` : say`unknown key; known here: ${ofProgram(known.join(", "))}`
}
