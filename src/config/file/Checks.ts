/** What only shows when the upstreams are seen together. Works on the file's tree, so that it finds what it can when other parts are wrong. */
import * as Either from "effect/Either"
import { servedPathOf } from "../../operations/paths/Endings.ts"
import { environmentProxy } from "../../routing/OutgoingProxy.ts"
import { matchingValue } from "../../routing/Route.ts"
import type { ModelMatch } from "../../routing/Upstream.ts"
import { nearest } from "../../wire/Nearest.ts"
import { holesIn, presetCalled } from "../schema/Presets.ts"
import { addressIn } from "./AddressIn.ts"
import type { Env } from "./Expansion.ts"
import { pathsSaidTwice } from "./OwnPaths.ts"
import type { Finding, Path } from "./Problem.ts"
import { fromFile, literally, ofProgram, type Saying, say, silence } from "./Saying.ts"
import { below, type Scalar, shown, type Tree, textOf } from "./Tree.ts"

/** An upstream as far as it can be read. */
interface Seen {
  readonly path: Path
  readonly name: Scalar | undefined
  readonly fallback: Scalar | undefined
  readonly match: ModelMatch | undefined
  /** The values of `match` as they may be told: with references to variables unexpanded. */
  readonly matchShown: ReadonlyArray<Saying>
  readonly model: string | undefined
  /** `model` is there, whether or not it can be read. */
  readonly hasModel: boolean
}

const scalarAt = (tree: Tree, key: string): Scalar | undefined => {
  const found = below(tree, key)
  return textIn(found) === undefined || found?._tag !== "Scalar" ? undefined : found
}

/** A text, also one that is read as a number for want of quotes: told elsewhere, and meant as a text all the same. */
const textIn = (tree: Tree | undefined): string | undefined =>
  tree?._tag === "Scalar" && tree.value !== null && typeof tree.value !== "string"
    ? tree.source
    : textOf(tree)

const matchOf = (tree: Tree | undefined): ModelMatch | undefined => {
  const list = below(tree, "value")
  if (list === undefined || list._tag === "Mapping") return undefined
  // A value without its brackets is meant as a list of one, a type that is none at most as keyword, which admits more than exact does.
  const values = (list._tag === "List" ? list.items : [list]).map(textIn)
  return values.every(isText)
    ? {
        type: textOf(below(tree, "type")) === "exact" ? "exact" : "keyword",
        values: values.filter((value) => value !== ""),
      }
    : undefined
}

const matchShownOf = (tree: Tree | undefined): ReadonlyArray<Saying> => {
  const list = below(tree, "value")
  return list?._tag === "List"
    ? list.items.map((item) => (item._tag === "Scalar" ? shown(item) : fromFile("")))
    : []
}

const isText = (value: string | undefined): value is string => value !== undefined

const see = (tree: Tree, position: number): Seen => {
  const model = below(tree, "model")
  return {
    path: ["openai_clients", position],
    name: scalarAt(tree, "name"),
    fallback: scalarAt(tree, "fallback"),
    match: matchOf(below(tree, "model_match")),
    matchShown: matchShownOf(below(tree, "model_match")),
    model: textOf(model) || undefined,
    hasModel: model?._tag === "Scalar" && model.value !== null && model.value !== "",
  }
}

/**
 * All findings over the upstreams of a file.
 *
 * @param lineOf the line, from 1, in which an offset lies
 */
export const checkUpstreams = (root: Tree, lineOf: (offset: number) => number): ReadonlyArray<Finding> => {
  const list = below(root, "openai_clients")
  if (list?._tag !== "List") return []
  const upstreams = list.items.map(see)
  if (upstreams.length === 0) {
    return [warning(["openai_clients"], say`there are no clients, so every model is unknown`)]
  }
  return [
    ...repeatedNames(upstreams, lineOf),
    ...checkFallbacks(upstreams),
    ...foreignModels(upstreams),
    ...list.items.flatMap(checkAddress),
    ...list.items.flatMap(checkBaseUrl),
    ...list.items.flatMap(pathsSaidTwice),
    ...list.items.flatMap(checkEmptyKey),
  ]
}

const error = (path: Path, message: Saying): Finding => ({ path, message, severity: "error", atKey: false })

const warning = (path: Path, message: Saying): Finding => ({
  path,
  message,
  severity: "warning",
  atKey: false,
})

const repeatedNames = (
  upstreams: ReadonlyArray<Seen>,
  lineOf: (offset: number) => number,
): ReadonlyArray<Finding> => {
  const first = new Map<string, Scalar>()
  const found: Array<Finding> = []
  for (const { path, name } of upstreams) {
    if (name === undefined) continue
    const value = String(name.value)
    const before = first.get(value)
    if (before === undefined) first.set(value, name)
    else {
      found.push(
        error(
          [...path, "name"],
          say`the name ${shown(name)} is taken in line ${lineOf(before.offset)}; names are unique`,
        ),
      )
    }
  }
  return found
}

const checkFallbacks = (upstreams: ReadonlyArray<Seen>): ReadonlyArray<Finding> => {
  const names: ReadonlySet<string | undefined> = new Set(upstreams.map(({ name }) => textIn(name)))
  // An upstream that cannot be read may be the one that is meant.
  const isCertain = !names.has(undefined) && upstreams.every(({ match }) => match !== undefined)
  return upstreams.flatMap((upstream) => checkFallback(upstream, upstreams, names, isCertain))
}

/** A fallback leads to an upstream by its name, else to the upstreams that match it as a model, and to something the plan does not hold yet. */
const checkFallback = (
  upstream: Seen,
  upstreams: ReadonlyArray<Seen>,
  names: ReadonlySet<string | undefined>,
  isCertain: boolean,
): ReadonlyArray<Finding> => {
  const { fallback } = upstream
  const path = [...upstream.path, "fallback"]
  const target = textOf(fallback)
  if (fallback === undefined || target === undefined || target === "") return []
  if (target === textOf(upstream.name)) {
    return [
      error(
        path,
        say`the client falls back to itself, so nothing new would be tried; name another client or a model, or write false`,
      ),
    ]
  }
  if (names.has(target) || !isCertain) return []
  const serving = upstreams.filter(
    ({ match }) => match !== undefined && matchingValue(match, target) !== undefined,
  )
  if (serving.length === 0) {
    const readable = upstreams.flatMap(({ name }) =>
      name === undefined || name.expanded ? [] : [String(name.value)],
    )
    const meant = fallback.expanded ? undefined : nearest(target, readable)
    return [
      error(
        path,
        say`${shown(fallback)} is neither a client's name nor a model that a client matches${meant === undefined ? silence : say`; did you mean ${fromFile(meant)}?`}`,
      ),
    ]
  }
  if (serving.length > 1 || serving[0] !== upstream) return []
  // Only the upstream itself serves that model. Under another model name that is another target; under the same it is not.
  const { match } = upstream
  const asksOnlyThis = match?.type === "exact" && match.values.every((value) => value === target)
  return upstream.hasModel || asksOnlyThis
    ? [
        error(
          path,
          say`as a model, ${shown(fallback)} leads back to this client alone and to the same upstream model, so nothing new would be tried`,
        ),
      ]
    : [
        warning(
          path,
          say`as a model, ${shown(fallback)} is served by this client alone: no other client takes over`,
        ),
      ]
}

/** The upstreams that take over from one, by its fallback: that of this name, else those that match a model of this name. */
const takingOver = (
  target: string,
  upstreams: ReadonlyArray<Seen>,
  byName: ReadonlyMap<string | undefined, Seen>,
): ReadonlyArray<Seen> => {
  const named = byName.get(target)
  if (named !== undefined) return [named]
  return upstreams.filter(({ match }) => match !== undefined && matchingValue(match, target) !== undefined)
}

/** Upstreams that one request is followed to. Chains of thousands would be walked once for each of their upstreams. */
const longestChain = 100

/**
 * An upstream that is a fallback by its name is asked for the model that was asked for at first, unless it has a `model` or exact names of its own. One
 * that serves others by keywords is, as a rule, a provider that does not know that model.
 */
const foreignModels = (upstreams: ReadonlyArray<Seen>): ReadonlyArray<Finding> => {
  const found = new Map<Seen, Finding>()
  // Of several of one name the first.
  const byName = new Map(upstreams.toReversed().map((upstream) => [textOf(upstream.name), upstream]))
  for (const origin of upstreams) {
    const { match, matchShown } = origin
    if (match === undefined) continue
    const reached = new Set([origin])
    for (const upstream of reached) {
      if (reached.size > longestChain) break
      const { fallback } = upstream
      const target = textOf(fallback)
      if (fallback === undefined || target === undefined || target === "") continue
      for (const next of takingOver(target, upstreams, byName)) {
        reached.add(next)
        const foreign = textOf(next.name) === target ? foreignTo(next, match, matchShown) : undefined
        if (foreign === undefined || found.has(upstream)) continue
        found.set(
          upstream,
          warning(
            [...upstream.path, "fallback"],
            say`${shown(fallback)} would be asked for ${foreign}, which its model_match does not name; give it a \`model\`, or name here a model instead of a client`,
          ),
        )
      }
    }
  }
  return [...found.values()]
}

/** A model that `match` admits and the upstream does not, where it would be sent that name all the same. */
const foreignTo = (
  upstream: Seen,
  match: ModelMatch,
  matchShown: ReadonlyArray<Saying>,
): Saying | undefined => {
  const own = upstream.match
  if (upstream.hasModel || own?.type !== "keyword") return undefined
  const at = match.values.findIndex((name) => matchingValue(own, name) === undefined)
  const shownAt = matchShown[at]
  if (shownAt === undefined) return undefined
  return match.type === "exact" ? shownAt : say`models with ${shownAt} in their names`
}

const isThere = (tree: Tree | undefined): boolean =>
  tree?._tag !== "Scalar" ? tree !== undefined : tree.value !== null

/** A client says where it answers, or names a preset that knows. */
const checkAddress = (tree: Tree, position: number): ReadonlyArray<Finding> => {
  if (tree._tag !== "Mapping" || isThere(below(tree, "base_url"))) return []
  const path = ["openai_clients", position]
  const preset = below(tree, "preset")
  if (!isThere(preset)) {
    // It is there, misspelt, and told so.
    const isMisspelt = [...tree.entries.keys()].some(
      (key) => nearest(key, ["base_url", "preset"]) !== undefined,
    )
    return isMisspelt
      ? []
      : [error([...path, "base_url"], say`missing; expected an http(s) URL, or a preset that knows it`)]
  }
  const baseUrl = presetCalled(textOf(preset))?.baseUrl
  const [hole, ...more] = baseUrl === undefined ? [] : holesIn(baseUrl)
  return baseUrl === undefined || hole === undefined
    ? []
    : [
        error(
          [...path, "preset"],
          say`needs a base_url of your own: write base_url: ${ofProgram(baseUrl)} with yours in place of ${ofProgram([hole, ...more].join(" and "))}`,
        ),
      ]
}

const checkBaseUrl = (tree: Tree, position: number): ReadonlyArray<Finding> => {
  const url = textOf(below(tree, "base_url"))?.replace(/\?.*$/, "").replace(/\/+$/, "")
  const ending = url === undefined ? undefined : servedPathOf(url)
  return ending === undefined
    ? []
    : [
        warning(
          ["openai_clients", position, "base_url"],
          say`ends with ${ofProgram(ending)}, which is appended again for each request; leave it out`,
        ),
      ]
}

/** A variable that is set but empty changes whose key is sent: worth a word unless the file allows for it. */
const checkEmptyKey = (tree: Tree, position: number): ReadonlyArray<Finding> => {
  const key = scalarAt(tree, "api_key")
  return key?.expanded && key.value === "" && !key.source.includes(":-")
    ? [
        warning(
          ["openai_clients", position, "api_key"],
          say`the environment variable is empty, so the callers' own keys are passed through`,
        ),
      ]
    : []
}

/** A tag that is named twice may be a slip for another, and is searched for once anyway. */
export const checkThinkingTags = (root: Tree): ReadonlyArray<Finding> => {
  const clients = below(root, "openai_clients")
  return [
    ...repeatedTags(root, []),
    ...(clients?._tag === "List"
      ? clients.items.flatMap((tree, position) => repeatedTags(tree, ["openai_clients", position]))
      : []),
  ]
}

const repeatedTags = (tree: Tree, path: Path): ReadonlyArray<Finding> => {
  const list = below(tree, "thinking_tags")
  const names = list?._tag === "List" ? list.items.map(textOf) : []
  return names.flatMap((name, position) =>
    name !== undefined && names.indexOf(name) < position
      ? [error([...path, "thinking_tags", position], say`this tag is in the list already; remove one`)]
      : [],
  )
}

/** An upstream that names no proxy goes out as the environment says, which must then name one that can be used. */
export const checkProxies = (root: Tree, env: Env): ReadonlyArray<Finding> => {
  const list = below(root, "openai_clients")
  if (list?._tag !== "List") return []
  return list.items.flatMap((tree, position) => {
    const own = below(tree, "proxy_url")
    const url = addressIn(tree)
    if (url === undefined || (own?._tag === "Scalar" && own.value !== null)) return []
    const found = environmentProxy(url, env)
    return found === undefined || Either.isRight(found.proxy)
      ? []
      : [
          error(
            ["openai_clients", position, "base_url"],
            say`calls would go through the ${literally(found.variable)} of the environment, which cannot be used: ${literally(found.proxy.left)}; correct it, or give the client a proxy_url (false for none)`,
          ),
        ]
  })
}
