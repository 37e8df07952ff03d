/** The names that models are told apart by in metrics: those of the configuration, since callers can make up any other. */
import { matchingValue, type RoutingTable } from "./Route.ts"

/** What every other model is called. */
const otherModel = "other"

/** How many names asked are remembered with what they are called, and how long ones. */
const mostRemembered = 1_000
const longestRemembered = 200

const keywordIn = ({ upstreams }: RoutingTable, asked: string): string | undefined => {
  for (const { match } of upstreams) {
    const value = match.type === "keyword" ? matchingValue(match, asked) : undefined
    if (value !== undefined) return value
  }
  return undefined
}

/**
 * Finds what a model is called: itself where the configuration names it, else the first keyword that admits it.
 *
 * @param told names to be told apart that only a keyword admits
 */
export const modelNames = (table: RoutingTable, told: ReadonlyArray<string>): ((asked: string) => string) => {
  const names = new Set([...told, ...table.exact.keys()])
  const remembered = new Map<string, string>()
  return (asked) => {
    if (names.has(asked)) return asked
    const known = remembered.get(asked)
    if (known !== undefined) return known
    const name = keywordIn(table, asked) ?? otherModel
    if (remembered.size < mostRemembered && asked.length <= longestRemembered) remembered.set(asked, name)
    return name
  }
}
