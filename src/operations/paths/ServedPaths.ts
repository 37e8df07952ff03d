/** All paths at which something is served. */
import { allOperations, servedOperations } from "../Operations.ts"
import { modelsPath } from "./Endings.ts"
import { isModelPath } from "./ModelPath.ts"
import { deploymentIn, deploymentPrefixes } from "./NamedPath.ts"
import { spellingsOf, toldAs } from "./Spellings.ts"

/** What is served, each once, in the order in which it is told. */
export const servedPaths: ReadonlyArray<string> = [
  ...new Set(servedOperations.map(({ paths: [path] }) => toldAs(path))),
  toldAs(modelsPath),
]

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
