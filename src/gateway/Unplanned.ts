/** Why nobody answers a request: nobody serves its model, or nobody who does speaks its dialect or has its endpoint. */
import type { GatewayError } from "../errors/GatewayError.ts"
import { DialectNotSpoken, EndpointLacking, ModelNotFound } from "../errors/RequestErrors.ts"
import { allOperations, type ServedOperation } from "../operations/Operations.ts"
import { toldAs } from "../operations/paths/Spellings.ts"
import type { Dialect } from "../routing/Dialect.ts"
import { type RoutingTable, route } from "../routing/Route.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { errorOfAll, type Failed } from "../upstream/policy/LastError.ts"

/** What is known of the dialects of upstreams. */
interface KnownOfDialects {
  readonly spokenBy: (upstream: Upstream) => ReadonlyArray<Dialect>
  readonly lackedBy: (
    upstream: Upstream,
  ) => ReadonlyArray<{ readonly dialect: Dialect; readonly status: number }>
}

/** The one at whose path a dialect is spoken. */
const speaksAt = (dialect: Dialect): string =>
  allOperations.flatMap((operation) =>
    operation.stream !== undefined && operation.dialect === dialect ? [toldAs(operation.paths[0])] : [],
  )[0] ?? dialect

/** The error of a request that no upstream takes. */
export const unplanned = (
  routes: RoutingTable,
  { dialect, name, stream }: Pick<ServedOperation, "dialect" | "name" | "stream">,
  model: string,
  known: KnownOfDialects,
): ModelNotFound | DialectNotSpoken => {
  const serving = route(routes, model)
  if (dialect === undefined || serving.length === 0) return new ModelNotFound({ model })
  const spoken = new Set(serving.flatMap((upstream) => known.spokenBy(upstream)))
  const lackOf = (upstream: Upstream) => {
    const lack = known.lackedBy(upstream).find((one) => one.dialect === dialect)
    return lack === undefined ? undefined : { status: lack.status, path: speaksAt(dialect) }
  }
  return new DialectNotSpoken({
    model,
    dialect,
    speakers: serving.map((upstream) => ({
      upstream: upstream.name,
      dialects: known.spokenBy(upstream),
      lacking: lackOf(upstream),
    })),
    // What counts or shortens a conversation has no like in another dialect.
    part: stream === undefined ? name : undefined,
    paths:
      stream === undefined
        ? []
        : allOperations.flatMap((operation) =>
            operation.stream !== undefined && operation.dialect !== undefined && spoken.has(operation.dialect)
              ? [toldAs(operation.paths[0])]
              : [],
          ),
  })
}

/** The error of a request of which all that were asked lack the dialect or the endpoint. */
export const lacked = (
  routes: RoutingTable,
  {
    dialect,
    mayLack,
    name,
    paths,
    stream,
  }: Pick<ServedOperation, "dialect" | "mayLack" | "name" | "paths" | "stream">,
  model: string,
  known: KnownOfDialects,
  lacking: ReadonlyArray<Failed>,
): GatewayError => {
  if (mayLack === true) {
    return new EndpointLacking({
      model,
      path: toldAs(paths[0]),
      lacking: lacking.flatMap(({ failure, target }) =>
        failure._tag === "Refused" ? [{ upstream: target.upstream.name, status: failure.status }] : [],
      ),
    })
  }
  // That it has no chat is said, as a rule, of a wrong base_url: its own words tell more.
  return dialect === "chat" ? errorOfAll(lacking) : unplanned(routes, { dialect, name, stream }, model, known)
}
