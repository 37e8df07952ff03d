/** YAML text to a tree of values that know where they stand, with aliases and merges followed and environment variables expanded. */
import * as Either from "effect/Either"
import {
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "yaml"
import { tooMuchIn } from "./Bounds.ts"
import { type Env, expand } from "./Expansion.ts"
import type { Problem } from "./Problem.ts"
import { fromFile, type Saying, say, silence } from "./Saying.ts"
import { explainComplaint } from "./Syntax.ts"

export interface Scalar {
  readonly _tag: "Scalar"
  readonly offset: number
  /** As written, unquoted; with references to variables unexpanded. */
  readonly source: string
  /** With references expanded. */
  readonly value: string | number | boolean | null
  /** The value came, wholly or in part, out of the environment: messages show the source instead. */
  readonly expanded: boolean
  /** Variables it refers to that are not set. */
  readonly unset: ReadonlyArray<string>
  /** Why it cannot be read, if it cannot: a malformed reference, an alias to nothing. */
  readonly malformed: Saying | undefined
}

export interface List {
  readonly _tag: "List"
  readonly offset: number
  readonly items: ReadonlyArray<Tree>
}

export interface Mapping {
  readonly _tag: "Mapping"
  readonly offset: number
  readonly entries: ReadonlyMap<string, Entry>
}

export interface Entry {
  readonly keyOffset: number
  readonly value: Tree
}

export type Tree = Scalar | List | Mapping

/** A tree, the problems that did not keep it from being read, and how offsets become lines and columns. */
export interface ParsedText {
  readonly root: Tree
  readonly problems: ReadonlyArray<Problem>
  readonly position: (offset: number) => { readonly line: number; readonly column: number }
}

/** Bytes of a file, and characters of a text; a configuration of thousands of upstreams is far smaller. */
export const largestFile = 4 * 1024 * 1024

/** As `"\\ud800"` writes one; nothing that has it can be sent. */
const loneSurrogate = /\p{Cs}/u

const halfCharacter = say`half a character (a surrogate without its other half), which no text that is sent can hold`

const keyTwice = (name: string): Saying =>
  fromFile(name, { as: (key) => `the key "${key}"`, otherwise: say`this key` })

/** Aliases may repeat a value at most so often that the whole has this many nodes (against "a billion laughs"). */
const mostNodes = 200_000

/** How many of the parser's complaints are told; each is explained by a look at the whole document. */
const mostComplaints = 50

/** How deep values may nest. */
const deepest = 64

/** Mistakes after which the rest of the document still means what it says. */
const harmless: ReadonlySet<ErrorCode> = new Set(["TAG_RESOLVE_FAILED"])

/**
 * Reads one YAML 1.2 document. Fails with the problems if it cannot be read, or not without guessing. A byte order mark is ignored.
 *
 * @param env the environment, in which `${VAR}` in string values is looked up
 */
export const parseTree = (text: string, env: Env): Either.Either<ParsedText, ReadonlyArray<Problem>> => {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text
  const lines = new LineCounter()
  const position = (offset: number) => {
    // Of an empty text the counter knows no line.
    const { line, col } = lines.linePos(offset)
    return line === 0 ? { line: 1, column: 1 } : { line, column: col }
  }
  const problemAt = (offset: number, message: Saying): Problem => ({
    message,
    ...position(offset),
    path: silence,
    severity: "error",
    upstream: silence,
  })

  if (source.length > largestFile) {
    return Either.left([problemAt(0, say`the file is larger than 4 MiB, which no configuration is`)])
  }
  const tooMuch = tooMuchIn(source)
  if (tooMuch !== undefined) {
    // The parser's counter of lines has seen nothing yet.
    const before = source.slice(0, tooMuch.offset).split("\n")
    const at = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
    return Either.left([{ ...problemAt(0, tooMuch.message), ...at }])
  }
  const parsed = Either.try(() =>
    // Values stay texts unless they are YAML 1.2's numbers, booleans and null. Duplicate keys are found below, where the first is known.
    parseDocument(source, {
      version: "1.2",
      schema: "core",
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: "error",
    }),
  )
  if (Either.isLeft(parsed)) {
    return Either.left([problemAt(0, say`the file cannot be read as YAML; perhaps it nests too deeply`)])
  }
  const document = parsed.right
  const complaints: ReadonlyArray<YAMLError> = [...document.errors, ...document.warnings]
  const explain = (complaint: YAMLError): Problem => {
    const { message, offset } = explainComplaint(complaint, source, document)
    return problemAt(offset, message)
  }
  // What follows the first is, as a rule, that one again: the parser no longer knows where it is.
  const fatal = complaints
    .filter(({ code }) => !harmless.has(code))
    .toSorted((one, other) => one.pos[0] - other.pos[0])[0]
  if (fatal !== undefined) return Either.left([explain(fatal)])
  if (document.contents === null) {
    return Either.left([
      problemAt(0, say`the file is empty; it needs at least \`openai_clients:\` and a list of clients`),
    ])
  }

  const problems = complaints.slice(0, mostComplaints).map(explain)
  const anchors = new Map<string, Node>()
  /** Lists and maps being read, from the root inwards. */
  const open = new Set<Node>()
  let nodes = 0

  const scalar = (offset: number, value: Scalar["value"], written: string): Scalar => {
    if (typeof value !== "string") {
      return {
        _tag: "Scalar",
        offset,
        source: written,
        value,
        expanded: false,
        unset: [],
        malformed: undefined,
      }
    }
    const expansion = expand(value, env)
    return {
      _tag: "Scalar",
      offset,
      source: value,
      value: expansion.text,
      expanded: expansion.expanded,
      unset: expansion.unset,
      malformed: expansion.malformed ?? (loneSurrogate.test(expansion.text) ? halfCharacter : undefined),
    }
  }

  const nothing = (offset: number): Scalar => scalar(offset, null, "")

  /** Stands for what cannot be read; the message is reported with the path, once that is known. */
  const broken = (offset: number, message: Saying): Scalar => ({ ...nothing(offset), malformed: message })

  const complain = (offset: number, message: Saying): void => {
    problems.push(problemAt(offset, message))
  }

  /** `aliased`: what is read stands elsewhere, and its anchors are known already. `fallbackOffset`: where an empty value stands. */
  const read = (node: unknown, depth: number, aliased: boolean, fallbackOffset: number): Tree => {
    nodes++
    if (nodes > mostNodes) return nothing(fallbackOffset)
    if (isAlias(node)) {
      const offset = node.range?.[0] ?? fallbackOffset
      const target = anchors.get(node.source)
      if (target === undefined) return broken(offset, say`an alias to an anchor that is not set before it`)
      return open.has(target)
        ? broken(offset, say`an alias that stands inside its own anchor`)
        : read(target, depth + 1, true, offset)
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return nothing(fallbackOffset)
    const offset = node.range?.[0] ?? fallbackOffset
    if (depth >= deepest) return broken(offset, say`this nests deeper than ${deepest} levels`)
    if (!aliased && node.anchor !== undefined) anchors.set(node.anchor, node)
    if (isScalar(node)) {
      const { value } = node
      return typeof value === "string" ||
        typeof value === "number" ||
        typeof value === "boolean" ||
        value === null
        ? scalar(offset, value, node.source ?? "")
        : broken(offset, say`a value that is neither text, number, boolean, list nor map`)
    }
    open.add(node)
    const tree: Tree = isSeq(node)
      ? { _tag: "List", offset, items: node.items.map((item) => read(item, depth + 1, aliased, offset)) }
      : { _tag: "Mapping", offset, entries: readEntries(node, depth, aliased, offset) }
    open.delete(node)
    return tree
  }

  const readEntries = (
    node: YAMLMap,
    depth: number,
    aliased: boolean,
    offset: number,
  ): ReadonlyMap<string, Entry> => {
    const own = new Map<string, Entry>()
    const merged = new Map<string, Entry>()
    for (const { key, value } of node.items) {
      const keyNode: unknown = isAlias(key) ? anchors.get(key.source) : key
      const keyOffset =
        (isScalar(key) || isAlias(key) || isMap(key) || isSeq(key) ? key.range?.[0] : undefined) ?? offset
      if (!isScalar(keyNode)) {
        complain(keyOffset, say`a key must be a text`)
        continue
      }
      const name = typeof keyNode.value === "string" ? keyNode.value : (keyNode.source ?? "")
      const afterKey = (isScalar(key) ? key.range?.[1] : undefined) ?? keyOffset
      const tree = read(value, depth + 1, aliased, afterKey)
      if (loneSurrogate.test(name)) complain(keyOffset, halfCharacter)
      else if (name === "__proto__") complain(keyOffset, say`this key is not allowed`)
      else if (name === "<<" && keyNode.type === "PLAIN") merge(tree, keyOffset, merged)
      else {
        const first = own.get(name)
        if (first !== undefined && !aliased) {
          complain(
            keyOffset,
            say`${keyTwice(name)} is given twice in one map, first in line ${position(first.keyOffset).line}; remove one`,
          )
        }
        own.set(name, { keyOffset, value: tree })
      }
    }
    return merged.size === 0 ? own : new Map([...merged, ...own])
  }

  /** Takes over the entries of a map or of a list of maps (`<<: *defaults`); of several the earlier wins. */
  const merge = (tree: Tree, keyOffset: number, into: Map<string, Entry>): void => {
    for (const source of tree._tag === "List" ? tree.items : [tree]) {
      if (source._tag !== "Mapping") {
        complain(keyOffset, say`<< merges a map or a list of maps, as in \`<<: *defaults\``)
        continue
      }
      for (const [name, entry] of source.entries) if (!into.has(name)) into.set(name, entry)
    }
  }

  const root = read(document.contents, 0, false, 0)
  return nodes > mostNodes
    ? Either.left([problemAt(0, say`with its aliases followed, the file has more than ${mostNodes} values`)])
    : Either.right({ root, problems, position })
}

/** The entry or item below `tree` at `step`. */
export const below = (tree: Tree | undefined, step: string | number): Tree | undefined => {
  if (tree === undefined || tree._tag === "Scalar") return undefined
  if (tree._tag === "List") return typeof step === "number" ? tree.items[step] : undefined
  return tree.entries.get(String(step))?.value
}

/** The text of a scalar whose references could all be resolved. */
export const textOf = (tree: Tree | undefined): string | undefined =>
  tree?._tag === "Scalar" && typeof tree.value === "string" && isResolved(tree) ? tree.value : undefined

/** Whether a scalar's value is known. */
export const isResolved = (scalar: Scalar): boolean =>
  scalar.unset.length === 0 && scalar.malformed === undefined

/** A text as it is written in the file, never what the environment holds. */
export const shown = (scalar: Scalar): Saying => fromFile(scalar.source)
