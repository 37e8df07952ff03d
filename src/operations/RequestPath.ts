/**
 * Which path a request means, in the ways that clients spell one: they join base URLs with too many slashes or too few parts, send whole URLs as
 * their target, escape letters, or build the paths of Azure, where the model stands in the path.
 */
import { distance } from "../wire/Nearest.ts"
import { percentDecoded } from "../wire/PercentEncoding.ts"
import type { AskedTarget, ServedPath } from "./Operation.ts"
import { allOperations, type ServedOperation, servedOperations } from "./Operations.ts"

/** What may stand before an operation's path: OpenAI's base URL, Azure's old and new one, one below the other, or nothing. */
const prefixes = ["", "/v1", "/openai", "/openai/v1", "/v1/openai"]

const isAtRoot = (path: string): boolean => path.startsWith("//")

/** All spellings of a path. */
export const spellingsOf = (path: string): ReadonlyArray<string> =>
  isAtRoot(path) ? [path.slice(1)] : prefixes.map((prefix) => `${prefix}${path}`)

/** A path as people are told it. */
export const toldAs = (path: ServedPath): string => (isAtRoot(path) ? path.slice(1) : `/v1${path}`)

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

const longestQuery = 2_048

/** RFC 3986 §3.4. */
const query = /^[\w.~%!$&'()*+,;=:@/?-]+$/

/** The query of a request's target, without its `?`, where there is one that can be sent on. */
export const queryOf = (target: string): string | undefined => {
  const from = target.indexOf("?")
  if (from === -1 || target.length - from > longestQuery) return undefined
  const written = target.slice(from + 1).replace(/#.*$/s, "")
  return query.test(written) ? written : undefined
}

const azureVersion = /^api-version(?:=|$)/i

/** What of a query upstreams are told: all but the version of Azure's addresses, which says how this one is read. Theirs stands in their base URLs. */
export const passedQuery = (target: string): string | undefined => {
  const written = queryOf(target)
  return written
    ?.split("&")
    .filter((parameter) => !azureVersion.test(parameter))
    .join("&")
}

const modelPath = /^(?:\/+(?:v1|openai|anthropic))*\/+models\/(.+)$/s

/**
 * The id in the path of one model, as it was written: it may hold slashes, escaped or not, and begin with one, as the path of a model in a file
 * does. Only of a target whose `pathOf` leads below `/models`.
 */
export const modelIn = (target: string): string =>
  percentDecoded(modelPath.exec(writtenPath(target))?.[1] ?? "")

/** An id as a client meant it whose base URL ends with a slash, or that wrote one behind the id. */
export const withoutOuterSlashes = (id: string): string => id.replace(/^\/+/, "").replace(/(?<!\/)\/+$/, "")

const modelPrefixes = ["/models/", "//anthropic/v1/models/"].flatMap(spellingsOf)

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

/** What stands at the end of an address that leads to an operation. */
interface Ending {
  readonly path: ServedPath
  readonly operation: ServedOperation
}

/** The longest first: `/chat/completions` ends with `/completions`. */
const endings: ReadonlyArray<Ending> = allOperations
  .flatMap((operation) => operation.paths.map((path) => ({ path, operation })))
  .filter(({ path }) => !isAtRoot(path))
  .sort((one, other) => other.path.length - one.path.length)

const endingOf = (address: string): Ending | undefined => endings.find(({ path }) => address.endsWith(path))

/** Which operation a path of Azure's kind asks of which deployment: `/openai/deployments/{name}/chat/completions`. */
export const deploymentIn = (path: string): Deployment | undefined => {
  const prefix = deploymentPrefixes.find((one) => path.startsWith(one))
  const ending = prefix === undefined ? undefined : endingOf(path)
  if (prefix === undefined || ending === undefined) return undefined
  const name = path.slice(prefix.length, -ending.path.length)
  return path.length > prefix.length + ending.path.length
    ? { operation: ending.operation, name: percentDecoded(name) }
    : undefined
}

/** A path with an id in it, in one of its spellings. */
interface IdPath {
  readonly before: string
  readonly behind: string
  readonly operation: ServedOperation
}

const idPaths: ReadonlyArray<IdPath> = servedOperations.flatMap((operation) =>
  operation.paths.flatMap((path) => {
    const [before = "", behind] = path.split("{id}")
    return behind === undefined
      ? []
      : spellingsOf(before).map((spelling) => ({ before: spelling, behind, operation }))
  }),
)

/** The id that stands there in a path, as it was written. */
const idIn = (path: string, { before, behind }: IdPath): string | undefined => {
  if (!path.startsWith(before) || !path.endsWith(behind)) return undefined
  const id = path.slice(before.length, path.length - behind.length)
  return id === "" || id.includes("/") ? undefined : id
}

/** What is asked at a path that names something: each operation by a method of its own. */
export interface NamedPath {
  readonly operations: ReadonlyArray<ServedOperation>
  readonly names: Pick<AskedTarget, "deployment" | "id">
}

/** What a path with the name of a deployment, or an id, leads to. */
export const namedIn = (path: string): NamedPath | undefined => {
  const deployment = deploymentIn(path)
  if (deployment !== undefined) {
    return { operations: [deployment.operation], names: { deployment: deployment.name } }
  }
  const found = idPaths.filter((one) => idIn(path, one) !== undefined)
  const id = found[0] === undefined ? undefined : idIn(path, found[0])
  return id === undefined
    ? undefined
    : { operations: found.map(({ operation }) => operation), names: { id: percentDecoded(id) } }
}

const modelsPath = "/models"

const belowBaseUrl: ReadonlyArray<ServedPath> = [...endings.map(({ path }) => path), modelsPath]

/** The path below a base URL that an address ends with, if it is one of those that are served. */
export const servedPathOf = (address: string): ServedPath | undefined =>
  belowBaseUrl.find((path) => address.endsWith(path))

/** What is served, each once, in the order in which it is told. */
export const servedPaths: ReadonlyArray<string> = [
  ...allOperations.map(({ paths: [path] }) => toldAs(path)),
  toldAs(modelsPath),
]

/** How many letters of a path may be mistyped: more make another word of it. */
const mistypedIn = (path: string): number => Math.min(2, Math.floor(path.length / 4))

/** How far the end of a path is from one that is served; `undefined` where it is no slip of it. */
const slipFrom = (path: string, served: string): number | undefined => {
  const end = `/${path
    .split("/")
    .slice(1 - served.split("/").length)
    .join("/")}`
  const most = mistypedIn(served)
  if (Math.abs(end.length - served.length) > most) return undefined
  const far = distance(end, served)
  return far <= most ? far : undefined
}

/** The path that another is but a slip of, whatever stands before it: `/v1/embedding`, `/openai/re-rank`. */
const slipOf = (path: string): ServedPath | undefined => {
  let found: ServedPath | undefined
  let least = Number.POSITIVE_INFINITY
  for (const served of belowBaseUrl) {
    const far = slipFrom(path, served)
    if (far === undefined || far >= least) continue
    least = far
    found = served
  }
  return found
}

/** The served path that somebody meant whose base URL has too much in it, or something else, or who mistyped it. */
export const meantPath = (path: string): string | undefined => {
  const written = path.toLowerCase()
  const served = servedPathOf(written) ?? slipOf(written)
  return served === undefined ? undefined : toldAs(served)
}

/** The base URL that leads to an address, where that is one of an API rather than a page. */
export const baseUrlOf = (address: string): string | undefined => {
  if (!address.startsWith("http")) return undefined
  const ending = endingOf(address)
  return ending === undefined ? undefined : address.slice(0, -ending.path.length)
}

const formPaths: ReadonlySet<string> = new Set(
  allOperations.flatMap(({ form, paths }) => (form === undefined ? [] : paths.flatMap(spellingsOf))),
)

/** Whether a path leads to an operation that takes forms. */
export const takesForms = (path: string): boolean =>
  formPaths.has(path) || deploymentIn(path)?.operation.form !== undefined

/** What is told of this gateway itself. */
const ownPaths = ["/health", "/livez", "/readyz", "/metrics", "/dashboard"]

const servedBySpelling = [
  ...allOperations.flatMap(({ paths }) => paths.flatMap(spellingsOf)),
  ...spellingsOf("/models"),
]

/** What is served at a path or below it, or at all that is below another; `undefined` where nothing is. */
export const servedBelow = (path: string): string | undefined => {
  if (isModelPath(path)) return toldAs(modelsPath)
  const deployments = deploymentPrefixes.find((prefix) => `${path}/`.startsWith(prefix))
  if (deployments !== undefined) return deployments
  return [...ownPaths, ...servedBySpelling, ...deploymentPrefixes].find(
    (served) => served === path || served.startsWith(`${path}/`),
  )
}
