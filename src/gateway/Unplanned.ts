/** Why the plan of a request is empty: nobody serves its model, or nobody who does speaks its dialect. */
import { DialectNotSpoken, ModelNotFound } from "../errors/RequestErrors.ts"
import { allOperations, type ServedOperation } from "../operations/Operations.ts"
import { toldAs } from "../operations/RequestPath.ts"
import type { Dialect } from "../routing/Dialect.ts"
import { type RoutingTable, route } from "../routing/Route.ts"
import type { Upstream } from "../routing/Upstream.ts"

/**
 * The error of a request that no upstream takes.
 *
 * @param spokenBy the dialects of an upstream, as far as is known
 */
export const unplanned = (
  routes: RoutingTable,
  { dialect }: Pick<ServedOperation, "dialect">,
  model: string,
  spokenBy: (upstream: Upstream) => ReadonlyArray<Dialect>,
): ModelNotFound | DialectNotSpoken => {
  const serving = route(routes, model)
  if (dialect === undefined || serving.length === 0) return new ModelNotFound({ model })
  const spoken = new Set(serving.flatMap(spokenBy))
  return new DialectNotSpoken({
    model,
    dialect,
    speakers: serving.map((upstream) => ({ upstream: upstream.name, dialects: spokenBy(upstream) })),
    paths: allOperations.flatMap((operation) =>
      operation.stream !== undefined && operation.dialect !== undefined && spoken.has(operation.dialect)
        ? [toldAs(operation.paths[0])]
        : [],
    ),
  })
}
