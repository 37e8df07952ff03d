/** The strategies by their names in the configuration, whose schema, reference and `explain` follow from this table. */
import { deterministic } from "./Deterministic.ts"
import { leastConnections } from "./LeastConnections.ts"
import { random } from "./Random.ts"
import type { StrategyRow } from "./Strategy.ts"

const rows = { random, deterministic, least_connections: leastConnections }

/** The name of one; see docs/routing.md. */
export type Strategy = keyof typeof rows

export const strategies: Readonly<Record<Strategy, StrategyRow>> = rows

const isStrategy = (name: string): name is Strategy => name in rows

/** In the order in which people are told of them. */
export const strategyNames: ReadonlyArray<Strategy> = Object.keys(rows).filter(isStrategy)
