/** YAML text to a tree: follows aliases and merges, expands environment variables, and bounds what either makes of a small file. */
import * as Either from "effect/Either"
import { isAlias, isNode, isScalar, isSeq, type Node, type YAMLMap, type Scalar as YamlScalar } from "yaml"
import { type Env, expand } from "./Expansion.ts"
import type { Problem } from "./Problem.ts"
import { fromFile, type Saying, say } from "./Saying.ts"
import type { Entry, Scalar, Tree } from "./Tree.ts"
import { type LineAndColumn, parseYaml, problemAt } from "./YamlText.ts"

/** A tree, the problems that did not keep it from being read, and how offsets become lines and columns. */
export interface ParsedText {
  readonly root: Tree
  readonly problems: ReadonlyArray<Problem>
  readonly position: (offset: number) => LineAndColumn
}

/** As `"\ud800"` writes one; nothing that has it can be sent. */
const loneSurrogate = /\p{Cs}/u

const halfCharacter = say`half a character (a surrogate without its other half), which no text that is sent can hold`

/** Why no entry is kept under this name. */
const unfitKey = (name: string): Saying | undefined =>
  loneSurrogate.test(name) ? halfCharacter : name === "__proto__" ? say`this key is not allowed` : undefined

const keyTwice = (name: string): Saying =>
  fromFile(name, { as: (key) => `the key "${key}"`, otherwise: say`this key` })

/** Aliases may repeat a value at most so often that the whole has this many nodes (against "a billion laughs"). */
const mostNodes = 200_000

/** How deep values may nest. */
const deepest = 64

/** A value that holds no reference to a variable. */
const plainScalar = (offset: number, value: Scalar["value"], source: string): Scalar => ({
  _tag: "Scalar",
  offset,
  source,
  value,
  expanded: false,
  unset: [],
  malformed: undefined,
})

const expandedScalar = (offset: number, source: string, env: Env): Scalar => {
  const { expanded, malformed, text, unset } = expand(source, env)
  return {
    _tag: "Scalar",
    offset,
    source,
    value: text,
    expanded,
    unset,
    malformed: malformed ?? (loneSurrogate.test(text) ? halfCharacter : undefined),
  }
}

const nothing = (offset: number): Scalar => plainScalar(offset, null, "")

/** Stands for what cannot be read; the message is reported with the path, once that is known. */
const broken = (offset: number, message: Saying): Scalar => ({ ...nothing(offset), malformed: message })

/** Where a node stands. */
interface Spot {
  /** How many lists and maps it stands in. */
  readonly depth: number
  /** What is read stands elsewhere, and its anchors are known already. */
  readonly aliased: boolean
  /** Where it is said to be if it is empty. */
  readonly offset: number
}

/** Mutable on purpose: reads one document. */
class TreeReader {
  readonly problems: Array<Problem>
  readonly #env: Env
  readonly #position: (offset: number) => LineAndColumn
  readonly #anchors = new Map<string, Node>()
  /** Lists and maps being read, from the root inwards. */
  readonly #open = new Set<Node>()
  #nodes = 0

  /** @param complaints of the parser, which come first */
  constructor(env: Env, position: (offset: number) => LineAndColumn, complaints: ReadonlyArray<Problem>) {
    this.#env = env
    this.#position = position
    this.problems = [...complaints]
  }

  /** More nodes than it goes on reading. */
  get isTooMuch(): boolean {
    return this.#nodes > mostNodes
  }

  read(node: unknown, spot: Spot): Tree {
    this.#nodes++
    if (this.isTooMuch || !isNode(node)) return nothing(spot.offset)
    const here = { ...spot, offset: node.range?.[0] ?? spot.offset }
    if (isAlias(node)) return this.#follow(node.source, here)
    if (here.depth >= deepest) return broken(here.offset, say`this nests deeper than ${deepest} levels`)
    if (!here.aliased && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isScalar(node)) return this.#scalar(node, here.offset)
    this.#open.add(node)
    const inside = { ...here, depth: here.depth + 1 }
    const { offset } = here
    const tree: Tree = isSeq(node)
      ? { _tag: "List", offset, items: node.items.map((item) => this.read(item, inside)) }
      : { _tag: "Mapping", offset, entries: this.#entries(node, inside) }
    this.#open.delete(node)
    return tree
  }

  #follow(anchor: string, { depth, offset }: Spot): Tree {
    const target = this.#anchors.get(anchor)
    if (target === undefined) return broken(offset, say`an alias to an anchor that is not set before it`)
    return this.#open.has(target)
      ? broken(offset, say`an alias that stands inside its own anchor`)
      : this.read(target, { depth: depth + 1, aliased: true, offset })
  }

  #scalar({ source, value }: YamlScalar, offset: number): Scalar {
    if (typeof value === "string") return expandedScalar(offset, value, this.#env)
    return typeof value === "number" || typeof value === "boolean" || value === null
      ? plainScalar(offset, value, source ?? "")
      : broken(offset, say`a value that is neither text, number, boolean, list nor map`)
  }

  #entries(node: YAMLMap, spot: Spot): ReadonlyMap<string, Entry> {
    const own = new Map<string, Entry>()
    const merged = new Map<string, Entry>()
    for (const { key, value } of node.items) {
      const keyOffset = (isNode(key) ? key.range?.[0] : undefined) ?? spot.offset
      const keyNode: unknown = isAlias(key) ? this.#anchors.get(key.source) : key
      if (!isScalar(keyNode)) {
        this.#complain(keyOffset, say`a key must be a text`)
        continue
      }
      const name = typeof keyNode.value === "string" ? keyNode.value : (keyNode.source ?? "")
      const afterKey = (isScalar(key) ? key.range?.[1] : undefined) ?? keyOffset
      const entry = { keyOffset, value: this.read(value, { ...spot, offset: afterKey }) }
      if (name === "<<" && keyNode.type === "PLAIN") this.#merge(entry, merged)
      else this.#keep(name, entry, own, spot.aliased)
    }
    return merged.size === 0 ? own : new Map([...merged, ...own])
  }

  #keep(name: string, entry: Entry, into: Map<string, Entry>, aliased: boolean): void {
    const { keyOffset } = entry
    const unfit = unfitKey(name)
    if (unfit !== undefined) {
      this.#complain(keyOffset, unfit)
      return
    }
    const first = into.get(name)
    if (first !== undefined && !aliased) {
      const { line } = this.#position(first.keyOffset)
      this.#complain(
        keyOffset,
        say`${keyTwice(name)} is given twice in one map, first in line ${line}; remove one`,
      )
    }
    into.set(name, entry)
  }

  /** Takes over the entries of a map or of a list of maps (`<<: *defaults`); of several the earlier wins. */
  #merge({ keyOffset, value }: Entry, into: Map<string, Entry>): void {
    for (const source of value._tag === "List" ? value.items : [value]) {
      if (source._tag !== "Mapping") {
        this.#complain(keyOffset, say`<< merges a map or a list of maps, as in \`<<: *defaults\``)
        continue
      }
      for (const [name, entry] of source.entries) if (!into.has(name)) into.set(name, entry)
    }
  }

  #complain(offset: number, message: Saying): void {
    this.problems.push(problemAt(this.#position(offset), message))
  }
}

/**
 * Reads one YAML 1.2 document. Fails with the problems if it cannot be read, or not without guessing. A byte order mark is ignored.
 *
 * @param env the environment, in which `${VAR}` in string values is looked up
 */
export const parseTree = (text: string, env: Env): Either.Either<ParsedText, ReadonlyArray<Problem>> =>
  Either.flatMap(parseYaml(text), ({ complaints, document, position }) => {
    const reader = new TreeReader(env, position, complaints)
    const root = reader.read(document.contents, { depth: 0, aliased: false, offset: 0 })
    return reader.isTooMuch
      ? Either.left([
          problemAt(position(0), say`with its aliases followed, the file has more than ${mostNodes} values`),
        ])
      : Either.right({ root, problems: reader.problems, position })
  })
