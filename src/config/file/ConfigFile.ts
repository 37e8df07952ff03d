/**
 * The text of a configuration file to a checked configuration, or to everything that is wrong with it. Pure: the file and the
 * environment are arguments.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { GatewayConfig, leftovers } from "../schema/GatewayConfig.ts"
import { checkProxies, checkThinkingTags, checkUpstreams } from "./Checks.ts"
import { droppedKeys, type KeyList } from "./DroppedKeys.ts"
import type { Env } from "./Expansion.ts"
import { descend, keysOf, placeOf, type SchemaPlace, takes } from "./Expected.ts"
import { hintsOn, holdsKeys } from "./Hints.ts"
import { findingsOf, type Sections } from "./Issues.ts"
import { checkOwnAddress } from "./OwnAddress.ts"
import { checkPassthrough } from "./PassthroughChecks.ts"
import { type Finding, type Path, type Problem, pathSaid, type Severity } from "./Problem.ts"
import { fromFile, type Saying, say, silence } from "./Saying.ts"
import { below, isResolved, type Scalar, type Tree, textOf } from "./Tree.ts"
import { type ParsedText, parseTree } from "./TreeReader.ts"
import { largestFile } from "./YamlText.ts"

export type { KeyList } from "./DroppedKeys.ts"
export type { Env } from "./Expansion.ts"
export { type Problem, type Severity, toldPublicly, toldToOperator } from "./Problem.ts"

export { largestFile }

export interface LoadedConfig {
  readonly config: GatewayConfig
  readonly warnings: ReadonlyArray<Problem>
  /** Keys stand in the file as they are. */
  readonly holdsKeys: boolean
}

const decode = Schema.decodeUnknownEither(GatewayConfig, { errors: "all", onExcessProperty: "error" })

const schemaPlace = placeOf(GatewayConfig.ast)

/** Those at a place, each with where it belongs. */
const belonging = (
  place: SchemaPlace,
  where: string,
): ReadonlyArray<readonly [key: string, where: string]> =>
  place.ast === undefined ? [] : keysOf(place.ast).map((key) => [key, where])

/** Keys of clients and of the sections, for those that were written too high. One that several have is most likely a section's. */
const sections: Sections = new Map([
  ...belonging(descend(descend(schemaPlace, "openai_clients"), 0), "to an entry of openai_clients"),
  ...keysOf(GatewayConfig.ast).flatMap((section) =>
    belonging(descend(schemaPlace, section), `under ${section}`),
  ),
])

/** How to read. */
export interface ReadOptions {
  /** What a variable is that is not set: `warning` where a file is checked away from the environment it is for. */
  readonly unset?: "error" | "warning"
  /** Which lists hold keys in the configuration that this one is to replace. */
  readonly keysInForce?: ReadonlyArray<KeyList>
}

/**
 * Reads a configuration. Fails with all problems at once, in the order of the text, warnings and notes among them; succeeds with
 * those alone. No problem repeats anything that came out of the environment; for the rest see `Saying`.
 *
 * @param text the file
 * @param env the environment that `${VAR}` refers to
 */
export const loadConfig = (
  text: string,
  env: Env,
  { keysInForce = [], unset = "error" }: ReadOptions = {},
): Either.Either<LoadedConfig, ReadonlyArray<Problem>> => {
  const parsed = parseTree(text, env)
  if (Either.isLeft(parsed)) return Either.left(parsed.left)
  const { root, problems: readable } = parsed.right
  if (root._tag !== "Mapping") {
    const message = say`expected a map of keys, of which \`openai_clients\` is one`
    return Either.left([
      ...readable,
      locate(parsed.right, { path: [], message, severity: "error", atKey: false }),
    ])
  }
  const decoded = decode(plain(withoutLeftovers(root), schemaPlace))
  const findings: ReadonlyArray<Finding> = [
    ...leftovers.flatMap((key) => (root.entries.has(key) ? [leftover(key)] : [])),
    ...references(root, [], root, unset),
    ...(Either.isLeft(decoded)
      ? findingsOf(decoded.left.issue, root, schemaPlace, sections).filter(({ path }) => isKnown(root, path))
      : []),
    ...checkUpstreams(root, (offset) => parsed.right.position(offset).line),
    ...checkThinkingTags(root),
    ...checkPassthrough(root),
    ...droppedKeys(root, keysInForce),
    ...hintsOn(root),
    ...checkProxies(root, env),
    ...checkOwnAddress(root, env),
  ]
  const problems = inOrder([...readable, ...findings.map((finding) => locate(parsed.right, finding))])
  return Either.isRight(decoded) && problems.every(({ severity }) => severity !== "error")
    ? Either.right({ config: decoded.right, warnings: problems, holdsKeys: holdsKeys(root) })
    : Either.left(problems)
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text of a file's bytes, or `undefined` if they are not UTF-8. */
export const textOfBytes = (bytes: Uint8Array): string | undefined =>
  Either.getOrUndefined(Either.try(() => utf8.decode(bytes)))

const withoutLeftovers = (root: Tree): Tree =>
  root._tag === "Mapping"
    ? { ...root, entries: new Map([...root.entries].filter(([key]) => !leftovers.includes(key))) }
    : root

const leftover = (key: string): Finding => ({
  path: [key],
  message: say`a leftover of GPT_API without meaning here; it is ignored`,
  severity: "warning",
  atKey: true,
})

/** YAML 1.2's decimal numbers. */
const decimal = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/

/**
 * A value out of the environment is a text, whatever it looks like. Only where the key takes no text but a number or a boolean is it
 * read as one, so that `max_tokens: ${MAX_TOKENS}` works and `api_key: ${KEY}` stays a text even if the key is all digits.
 */
const plainScalar = ({ value, expanded }: Scalar, place: SchemaPlace): unknown => {
  if (!expanded || typeof value !== "string" || takes(place, "string")) return value
  if (takes(place, "number") && decimal.test(value)) return Number(value)
  return takes(place, "boolean") && (value === "true" || value === "false") ? value === "true" : value
}

const plain = (tree: Tree, place: SchemaPlace): unknown => {
  switch (tree._tag) {
    case "Scalar":
      return plainScalar(tree, place)
    case "List":
      return tree.items.map((item, position) => plain(item, descend(place, position)))
    case "Mapping":
      return Object.fromEntries(
        [...tree.entries].map(([key, { value }]) => [key, plain(value, descend(place, key))]),
      )
  }
}

/** What is wrong with references to the environment, anywhere in the file but under the leftovers. */
const references = (
  tree: Tree,
  path: Path,
  root: Tree,
  unset: "error" | "warning",
): ReadonlyArray<Finding> => {
  switch (tree._tag) {
    case "Scalar": {
      const finding = (severity: Severity, message: Saying): Finding => ({
        path,
        message,
        severity,
        atKey: false,
      })
      if (tree.malformed !== undefined) return [finding("error", tree.malformed)]
      return tree.unset.map((name) =>
        finding(
          unset,
          say`${variableSaid(name)} is not set${neededBy(path, root)}; set it, or write ${defaultSaid(name)}`,
        ),
      )
    }
    case "List":
      return tree.items.flatMap((item, position) => references(item, [...path, position], root, unset))
    case "Mapping":
      return [...tree.entries].flatMap(([key, { value }]) =>
        path.length === 0 && leftovers.includes(key) ? [] : references(value, [...path, key], root, unset),
      )
  }
}

const variableSaid = (name: string): Saying =>
  fromFile(`\${${name}}`, {
    as: () => `the environment variable ${name}`,
    otherwise: say`an environment variable`,
  })

const defaultSaid = (name: string): Saying =>
  fromFile(`\${${name}}`, { as: () => `\${${name}:-default}`, otherwise: say`\${NAME:-default}` })

/** Names the upstream a path lies in. */
const neededBy = (path: Path, root: Tree): Saying => {
  const upstream = upstreamAt(path, root)
  return upstream === undefined
    ? silence
    : fromFile(upstream, { as: (name) => `, and the client "${name}" needs it`, otherwise: silence })
}

/** The name of the upstream a path lies in, unless that is from the environment too. */
const upstreamAt = (path: Path, root: Tree): string | undefined => {
  if (path[0] !== "openai_clients" || typeof path[1] !== "number") return undefined
  const name = below(below(below(root, "openai_clients"), path[1]), "name")
  return textOf(name) === undefined || name?._tag !== "Scalar" || name.expanded ? undefined : name.source
}

/** Whether the value at a path is known; what an unset variable holds can be neither right nor wrong. */
const isKnown = (root: Tree, path: Path): boolean => {
  const found = path.reduce<Tree | undefined>(below, root)
  return found?._tag !== "Scalar" || isResolved(found)
}

/** Where a finding stands: at its key, at its value, or where nothing is there, at the nearest thing around it. */
const locate = ({ root, position }: ParsedText, { path, message, severity, atKey }: Finding): Problem => {
  let offset = root.offset
  let tree: Tree | undefined = root
  for (const [depth, step] of path.entries()) {
    const entry: { readonly keyOffset: number } | undefined =
      tree?._tag === "Mapping" ? tree.entries.get(String(step)) : undefined
    tree = below(tree, step)
    if (tree === undefined) break
    offset = atKey && depth === path.length - 1 && entry !== undefined ? entry.keyOffset : tree.offset
  }
  const upstream = upstreamAt(path, root)
  return {
    message,
    ...position(offset),
    path: pathSaid(path, schemaPlace, leftovers),
    severity,
    upstream:
      upstream === undefined ? silence : fromFile(upstream, { as: (name) => name, otherwise: silence }),
  }
}

const inOrder = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column)
