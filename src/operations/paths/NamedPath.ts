/** Paths that name what is asked: Azure's, which hold the model, and those with an id. */
import { percentDecoded } from "../../wire/PercentEncoding.ts"
import type { AskedTarget } from "../Operation.ts"
import { type ServedOperation, servedOperations } from "../Operations.ts"
import { endingOf } from "./Endings.ts"
import { spellingsOf } from "./Spellings.ts"

/** An operation asked of a deployment. */
export interface Deployment {
  readonly operation: ServedOperation
  /** Its name, which is the model whatever the body says. */
  readonly name: string
}

export const deploymentPrefixes = spellingsOf("/deployments/")

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
