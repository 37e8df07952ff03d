/** The path that was meant by one that is not served. */
import { distance } from "../../wire/Nearest.ts"
import type { ServedPath } from "../Operation.ts"
import { belowBaseUrl, servedPathOf } from "./Endings.ts"
import { toldAs } from "./Spellings.ts"

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
