/** What the start says: where to click, who listens and who may come in, where requests go and where they are kept. */
import { keyCount } from "../access/AccessKey.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { printable } from "../terminal/Printable.ts"

export interface Started {
  readonly version: string
  /** The address that is listened on, and the port: `::`, 8000. */
  readonly host: string
  readonly port: number
  readonly configPath: string
  /** The database's path. */
  readonly audit: string
  readonly workers: number
  readonly snapshot: Pick<Snapshot, "routes" | "server" | "audit" | "adminAddress" | "adminKeys">
}

const everywhere: ReadonlySet<string> = new Set(["::", "0.0.0.0"])

/** An address a browser takes. */
export const addressOf = ({ host, port }: Pick<Started, "host" | "port">): string =>
  `http://${everywhere.has(host) ? "localhost" : host.includes(":") ? `[${host}]` : host}:${port}`

const namesOf = ({ snapshot }: Started): ReadonlyArray<string> =>
  snapshot.routes.upstreams.map(({ name }) => name)

/** For machines. */
export const membersOf = (started: Started): Readonly<Record<string, unknown>> => ({
  address: addressOf(started),
  host: started.host,
  version: started.version,
  config: started.configPath,
  clients: namesOf(started),
  access_keys: keyCount(started.snapshot.server.accessKeys),
  audit: started.audit,
  bodies: started.snapshot.audit.bodies,
  workers: started.workers,
})

/** Where the dashboard is, and who may see it. */
const dashboardOf = (started: Started): string => {
  const { adminAddress, adminKeys, server } = started.snapshot
  if (adminAddress === undefined && keyCount(adminKeys) === 0 && keyCount(server.accessKeys) > 0) {
    return "nobody may see the dashboard: set admin.keys"
  }
  const who = keyCount(adminKeys) === 0 ? "everybody who reaches the port sees it" : "needs one of admin.keys"
  return `${addressOf(adminAddress ?? started)}/dashboard: ${who}`
}

/** More names would wrap. */
const mostNames = 8

const listed = (names: ReadonlyArray<string>): string =>
  names.length === 0
    ? "no client yet; every request is answered 404"
    : names.length <= mostNames
      ? names.join(", ")
      : `${names.slice(0, mostNames).join(", ")} and ${names.length - mostNames} more`

/** For people. */
export const textOf = (started: Started): string => {
  const { audit, configPath, host, snapshot, version, workers } = started
  const keys = keyCount(snapshot.server.accessKeys)
  const lines = [
    `sluice ${version} on ${addressOf(started)}${everywhere.has(host) ? " (all interfaces)" : ""}${workers === 1 ? "" : `, ${workers} workers`}`,
    `  config   ${configPath}: ${listed(namesOf(started))}`,
    `  callers  ${keys === 0 ? "everybody who reaches the port is served" : `need one of ${keys} access ${keys === 1 ? "key" : "keys"}`}`,
    `  look     ${dashboardOf(started)}`,
    `  audit    ${audit}, ${snapshot.audit.bodies === "full" ? "bodies kept" : "bodies not kept"}`,
    `  try      curl ${addressOf(started)}/v1/models${keys === 0 ? "" : ' -H "Authorization: Bearer <access key>"'}; sluice explain MODEL`,
  ]
  return lines.map(printable).join("\n")
}
