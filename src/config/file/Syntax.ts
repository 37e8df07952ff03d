/**
 * What is wrong with a text that is no YAML, in the words of whoever writes one: the parser's own are about its grammar, and some quote the text,
 * which may be a secret.
 */
import { type Document, type ErrorCode, isScalar, visit, type YAMLError } from "yaml"
import { fromFile, literally, type Saying, say } from "./Saying.ts"

/** What is wrong, and the offset at which. */
export interface SyntaxMistake {
  readonly offset: number
  readonly message: Saying
}

const explanations = {
  ALIAS_PROPS: "an alias (*name) takes no anchor or tag of its own",
  BAD_ALIAS: "an alias (*name) or anchor (&name) that cannot be read; quote a text that begins with * or &",
  BAD_COLLECTION_TYPE: "a tag that does not fit its value; tags are not needed here",
  BAD_DIRECTIVE: "a directive that is not known; quote a text that begins with %",
  BAD_DQ_ESCAPE: 'an escape that "…" does not know; double the backslash or use single quotes',
  BAD_INDENT:
    "the indentation does not fit; keys of one map stand in one column, and what belongs to a key stands deeper",
  BAD_PROP_ORDER: "anchors and tags stand before the value and after the dash or colon",
  BAD_SCALAR_START: "a text cannot begin with this character; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "a second colon or a list where one value is expected; put a text with ': ' in quotes",
  BLOCK_IN_FLOW: "inside [ ] or { } there is no room for a list of dashes or an indented map",
  DUPLICATE_KEY: "this key is given twice in one map; remove one",
  IMPOSSIBLE: "this cannot be read as YAML",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters; perhaps a quote is missing",
  MISSING_CHAR:
    "a character is missing here or on the line before: a colon and a space after a key, a comma, or a closing quote or bracket",
  MULTILINE_IMPLICIT_KEY:
    "a key stands on one line, followed by a colon; perhaps the colon or a quote is missing",
  MULTIPLE_ANCHORS: "a value has at most one anchor",
  MULTIPLE_DOCS: "a second document begins here; the configuration is one document without ---",
  MULTIPLE_TAGS: "a value has at most one tag",
  NON_STRING_KEY: "a key must be a text",
  RESOURCE_EXHAUSTION: "this nests too deeply",
  TAB_AS_INDENT: "a tab in the indentation; use spaces",
  TAG_RESOLVE_FAILED: "a tag (!name) that is not known; quote a text that begins with !",
  UNEXPECTED_TOKEN: "this is not expected here; perhaps a quote, comma or bracket is missing or too many",
} as const satisfies Readonly<Record<ErrorCode, string>>

/** A mistake that several of the parser's complaints may come from; the first that fits explains the first of them. */
type Explain = (complaint: YAMLError, source: string, document: Document) => SyntaxMistake | undefined

const lineStart = (source: string, offset: number): number => source.lastIndexOf("\n", offset - 1) + 1

const lineAt = (source: string, offset: number): string => {
  const start = lineStart(source, offset)
  const end = source.indexOf("\n", start)
  return source.slice(start, end === -1 ? source.length : end)
}

const widthOf = (text: string): number => text.length - text.trimStart().length

const spaces = (count: number): Saying => say`${count} ${literally(count === 1 ? "space" : "spaces")}`

/** `access_keys: [${ACCESS_KEY}]`: the brace begins a map there. */
const unquotedReference: Explain = ({ pos: [offset] }, source) => {
  if (source[offset] !== "{" || source[offset - 1] !== "$") return undefined
  const name = /^\{([A-Za-z_]\w*)\}/.exec(source.slice(offset, offset + 100))?.[1] ?? "NAME"
  return {
    offset: offset - 1,
    message: say`inside [ ] or { } put a reference in quotes: ${fromFile(`\${${name}}`, { otherwise: say`"\${NAME}"` })}`,
  }
}

/** The last quoted text that begins before an offset and reaches over lines up to the offset's: most likely its own end is what is missing. */
const runawayQuote = (document: Document, source: string, offset: number): number | undefined => {
  let found: number | undefined
  visit(document, {
    Scalar: (_, node) => {
      if (!isScalar(node) || (node.type !== "QUOTE_DOUBLE" && node.type !== "QUOTE_SINGLE")) return
      const [start = 0, end = 0] = node.range ?? []
      if (start <= offset && end >= lineStart(source, offset) && source.slice(start, end).includes("\n")) {
        found = start
      }
    },
  })
  return found
}

const openQuote: Explain = ({ message, pos: [offset] }, source, document) => {
  const opening = runawayQuote(document, source, offset)
  if (opening !== undefined) {
    return { offset: opening, message: say`the quote that opens here is not closed on its line` }
  }
  return message.startsWith("Missing closing ") ? { offset, message: say`a quote is not closed` } : undefined
}

/** `name:azure`, which is one text. */
const missingSpace: Explain = ({ code, pos: [offset] }, source) => {
  if (code !== "MULTILINE_IMPLICIT_KEY" && code !== "MISSING_CHAR") return undefined
  const [, key] = /^["']?([A-Za-z_][\w-]*)["']?:(?=[^\s/])/.exec(source.slice(offset, offset + 100)) ?? []
  return key === undefined
    ? undefined
    : {
        offset: offset + source.slice(offset).indexOf(":"),
        message: say`a space is missing after this colon`,
      }
}

/** The column from 0 in which the keys of the list item stand that is open before an offset, if one is. */
const itemColumn = (source: string, offset: number): number | undefined => {
  const before = source.slice(0, lineStart(source, offset)).split("\n")
  for (const line of before.toReversed()) {
    const [, dash] = /^(\s*-\s+)\S/.exec(line) ?? []
    if (dash !== undefined) return dash.length
    if (/^\S/.test(line) && !line.startsWith("#")) return undefined
  }
  return undefined
}

/** A key of a list's item that stands less deep than the others of its item. */
const shallowKey: Explain = ({ message, pos: [offset] }, source) => {
  if (!message.startsWith("Sequence item without")) return undefined
  const width = widthOf(lineAt(source, offset))
  const column = itemColumn(source, offset)
  return {
    offset: lineStart(source, offset) + width,
    message:
      column === undefined || column <= width
        ? literally(explanations.BAD_INDENT)
        : say`the indentation does not fit: this stands in column ${width + 1}, the keys of its list item in column ${column + 1}; add ${spaces(column - width)}`,
  }
}

/** A dash that stands in another column than those of its list. */
const crookedDash: Explain = ({ message, pos: [offset] }, source) => {
  if (!message.startsWith("A block sequence")) return undefined
  const line = source
    .slice(offset)
    .split("\n", 2)
    .find((one) => /^\s*-/.test(one))
  const at = line === undefined ? -1 : source.indexOf(line, lineStart(source, offset))
  const column = at === -1 ? undefined : itemColumn(source, at)
  if (line === undefined || column === undefined) return undefined
  return {
    offset: at + widthOf(line),
    message: say`the indentation does not fit: the dashes of one list stand in one column`,
  }
}

/** A key that stands in another column than those of its map: the parser points at the line's begin. */
const crookedKey: Explain = ({ message, pos: [offset] }, source) =>
  message.startsWith("All mapping items")
    ? {
        offset: lineStart(source, offset) + widthOf(lineAt(source, offset)),
        message: literally(explanations.BAD_INDENT),
      }
    : undefined

const missingColon: Explain = ({ message, pos: [offset] }) =>
  message.startsWith("Implicit map keys need")
    ? { offset, message: say`a colon is missing: a key is followed by a colon, a space and its value` }
    : undefined

const unclosedBracket: Explain = ({ message, pos: [offset] }) =>
  message.startsWith("Flow ")
    ? { offset, message: say`a [ or { is not closed, or what stands in it is not indented enough` }
    : undefined

const known: ReadonlyArray<Explain> = [
  unquotedReference,
  openQuote,
  missingSpace,
  shallowKey,
  crookedDash,
  crookedKey,
  missingColon,
  unclosedBracket,
]

/** What a complaint of the parser comes from. */
export const explainComplaint = (complaint: YAMLError, source: string, document: Document): SyntaxMistake => {
  for (const explain of known) {
    const mistake = explain(complaint, source, document)
    if (mistake !== undefined) return mistake
  }
  return { offset: complaint.pos[0], message: literally(explanations[complaint.code]) }
}
