/** A text as one YAML 1.2 document, or why it cannot be read as one without guessing. */
import * as Either from "effect/Either"
import { type Document, type ErrorCode, LineCounter, parseDocument } from "yaml"
import { tooMuchIn } from "./Bounds.ts"
import type { Problem } from "./Problem.ts"
import { type Saying, say, silence } from "./Saying.ts"
import { explainComplaint } from "./Syntax.ts"

/** Bytes of a file, and characters of a text; a configuration of thousands of upstreams is far smaller. */
export const largestFile = 4 * 1024 * 1024

/** How many of the parser's complaints are told; each is explained by a look at the whole document. */
const mostComplaints = 50

/** Mistakes after which the rest of the document still means what it says. */
const harmless: ReadonlySet<ErrorCode> = new Set(["TAG_RESOLVE_FAILED"])

/** Counted from 1. */
export interface LineAndColumn {
  readonly line: number
  readonly column: number
}

/** A document, and what its parser complained of that did not keep it from being read. */
export interface YamlText {
  readonly document: Document
  readonly complaints: ReadonlyArray<Problem>
  readonly position: (offset: number) => LineAndColumn
}

/** A mistake in the text, without the path, which is not known yet. */
export const problemAt = (at: LineAndColumn, message: Saying): Problem => ({
  message,
  ...at,
  path: silence,
  severity: "error",
  upstream: silence,
})

const start: LineAndColumn = { line: 1, column: 1 }

const without = (problem: Problem) => Either.left([problem])

/** Where an offset is in a text that the parser has not seen. */
const unparsedPosition = (source: string, offset: number): LineAndColumn => {
  const before = source.slice(0, offset).split("\n")
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** What is too long, or would take too long to parse. */
const excessOf = (source: string): Problem | undefined => {
  if (source.length > largestFile) {
    return problemAt(start, say`the file is larger than 4 MiB, which no configuration is`)
  }
  const tooMuch = tooMuchIn(source)
  return tooMuch && problemAt(unparsedPosition(source, tooMuch.offset), tooMuch.message)
}

/** Values stay texts unless they are YAML 1.2's numbers, booleans and null. Who reads the tree finds keys given twice, and knows the first. */
const parse = (source: string, lineCounter: LineCounter) =>
  Either.try(() =>
    parseDocument(source, {
      version: "1.2",
      schema: "core",
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter,
      logLevel: "error",
    }),
  )

/** The document of a text, a byte order mark ignored. */
export const parseYaml = (text: string): Either.Either<YamlText, ReadonlyArray<Problem>> => {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text
  const excess = excessOf(source)
  if (excess !== undefined) return without(excess)
  const lines = new LineCounter()
  const position = (offset: number): LineAndColumn => {
    // Of an empty text the counter knows no line.
    const { line, col } = lines.linePos(offset)
    return line === 0 ? start : { line, column: col }
  }
  const parsed = parse(source, lines)
  if (Either.isLeft(parsed)) {
    return without(problemAt(start, say`the file cannot be read as YAML; perhaps it nests too deeply`))
  }
  const document = parsed.right
  const complaints = [...document.errors, ...document.warnings]
  const explain = (complaint: (typeof complaints)[number]): Problem => {
    const { message, offset } = explainComplaint(complaint, source, document)
    return problemAt(position(offset), message)
  }
  // What follows the first is, as a rule, that one again: the parser no longer knows where it is.
  const fatal = complaints
    .filter(({ code }) => !harmless.has(code))
    .toSorted((one, other) => one.pos[0] - other.pos[0])[0]
  if (fatal !== undefined) return without(explain(fatal))
  if (document.contents === null) {
    return without(
      problemAt(
        position(0),
        say`the file is empty; it needs at least \`openai_clients:\` and a list of clients`,
      ),
    )
  }
  return Either.right({ document, complaints: complaints.slice(0, mostComplaints).map(explain), position })
}
