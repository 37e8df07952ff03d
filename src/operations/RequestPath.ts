/**
 * Which path a request means, in the ways that clients spell one: they join base URLs with too many slashes or too few parts, send whole URLs as
 * their target, escape letters, or build the paths of Azure, where the model stands in the path.
 */
import { percentDecoded } from "../wire/PercentEncoding.ts"
import { allOperations, type ServedOperation } from "./Operations.ts"

/** What may stand before an operation's path: OpenAI's base URL, Azure's old and new one, one below the other, or nothing. */
const prefixes = ["", "/v1", "/openai", "/openai/v1", "/v1/openai"]

/** All spellings of an operation's path. */
export const spellingsOf = (path: string): ReadonlyArray<string> =>
  prefixes.map((prefix) => `${prefix}${path}`)

/** A target with nothing to tidy, as nearly all are. */
const tidyTarget = /^(?:\/[\w.~-]+)+$/

/** The scheme and authority of a target in absolute form (RFC 9112 §3.2.2). */
const authority = /^https?:\/\/[^/?#]*/i

/** RFC 3986 §2.3: characters that mean the same escaped and plain. A slash is none of them: escaped, it belongs to a name. */
const escapedUnreserved = /%(?:2[de]|3\d|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/gi

const characterOf = (escape: string): string => String.fromCharCode(Number.parseInt(escape.slice(1), 16))

/** The path of a target as it was written: without scheme, authority and query. */
const writtenPath = (target: string): string => target.replace(authority, "").replace(/[?#].*$/s, "")

/** The path of a request's target: each slash once, none at the end, nothing escaped that need not be, no query. */
export const pathOf = (target: string): string => {
  if (tidyTarget.test(target)) return target
  const path = writtenPath(target)
    .replace(escapedUnreserved, characterOf)
    .replace(/\/{2,}/g, "/")
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path === "" ? "/" : path
}

const modelPath = /^(?:\/+(?:v1|openai))*\/+models\/(.+)$/s

/**
 * The id in the path of one model, as it was written: it may hold slashes, escaped or not, and begin with one, as the path of a model in a file
 * does. Only of a target whose `pathOf` leads below `/models`.
 */
export const modelIn = (target: string): string =>
  percentDecoded(modelPath.exec(writtenPath(target))?.[1] ?? "")

/** An id as a client meant it whose base URL ends with a slash, or that wrote one behind the id. */
export const withoutOuterSlashes = (id: string): string => id.replace(/^\/+/, "").replace(/(?<!\/)\/+$/, "")

const modelPrefixes = spellingsOf("/models/")

/** Whether a path leads to one model. */
export const isModelPath = (path: string): boolean =>
  modelPrefixes.some((prefix) => path.length > prefix.length && path.startsWith(prefix))

/** An operation asked of a deployment. */
export interface Deployment {
  readonly operation: ServedOperation
  /** Its name, which is the model whatever the body says. */
  readonly name: string
}

const deploymentPrefixes = spellingsOf("/deployments/")

/** The longest first: `/chat/completions` ends with `/completions`. */
const longestFirst = [...allOperations].sort((one, other) => other.path.length - one.path.length)

/** Which operation a path of Azure's kind asks of which deployment: `/openai/deployments/{name}/chat/completions`. */
export const deploymentIn = (path: string): Deployment | undefined => {
  const prefix = deploymentPrefixes.find((one) => path.startsWith(one))
  if (prefix === undefined) return undefined
  const operation = longestFirst.find((one) => path.endsWith(one.path))
  if (operation === undefined || path.length <= prefix.length + operation.path.length) return undefined
  return { operation, name: percentDecoded(path.slice(prefix.length, -operation.path.length)) }
}

const belowBaseUrl = [...longestFirst.map(({ path }) => path), "/models"]

/** The path below a base URL that an address ends with, if it is one of those that are served. */
export const servedPathOf = (address: string): string | undefined =>
  belowBaseUrl.find((path) => address.endsWith(path))

/** What is served, in the order in which it is told. */
export const servedPaths: ReadonlyArray<string> = [...allOperations.map(({ path }) => path), "/models"].map(
  (path) => `/v1${path}`,
)

/** The served path that somebody meant whose base URL has too much in it, or something else: the one that theirs ends with. */
export const meantPath = (path: string): string | undefined => {
  const served = servedPathOf(path.toLowerCase())
  return served === undefined ? undefined : `/v1${served}`
}

/** The base URL that leads to an address, where that is one of an API rather than a page. */
export const baseUrlOf = (address: string): string | undefined => {
  if (!address.startsWith("http")) return undefined
  const operation = longestFirst.find(({ path }) => address.endsWith(path))
  return operation === undefined ? undefined : address.slice(0, -operation.path.length)
}
