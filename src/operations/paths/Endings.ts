/** What an address ends with: the path of an operation, and before it a base URL. */
import type { ServedPath } from "../Operation.ts"
import { allOperations, type ServedOperation } from "../Operations.ts"
import { isAtRoot } from "./Spellings.ts"

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

export const endingOf = (address: string): Ending | undefined =>
  endings.find(({ path }) => address.endsWith(path))

export const modelsPath = "/models"

/** All that is served below a base URL. */
export const belowBaseUrl: ReadonlyArray<ServedPath> = [...endings.map(({ path }) => path), modelsPath]

/** The path below a base URL that an address ends with, if it is one of those that are served. */
export const servedPathOf = (address: string): ServedPath | undefined =>
  belowBaseUrl.find((path) => address.endsWith(path))

/** The base URL that leads to an address, where that is one of an API rather than a page. */
export const baseUrlOf = (address: string): string | undefined => {
  if (!address.startsWith("http")) return undefined
  const ending = endingOf(address)
  return ending === undefined ? undefined : address.slice(0, -ending.path.length)
}
