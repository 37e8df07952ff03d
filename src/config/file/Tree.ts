/** A tree of values that know where they stand in the file, with aliases and merges followed and environment variables expanded. */
import { fromFile, type Saying } from "./Saying.ts"

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
