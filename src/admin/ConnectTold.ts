/** What a caller's program needs to be set up. */
import { keyCount } from "../access/AccessKey.ts"
import type { Snapshot } from "../config/Snapshot.ts"
import { dialects } from "../routing/Dialect.ts"
import type { ConnectReport } from "./api/ConnectReport.ts"

/** The names that the configuration has of models: those that match exactly, and those that clients are renamed to. */
const modelsIn = ({ routes }: Snapshot): ReadonlyArray<string> => [
  ...new Set(
    [...routes.byName.values()].flatMap(({ match }) => (match.type === "exact" ? match.values : [])),
  ),
]

export const connectTold = (snapshot: Snapshot, port: number, isOwnPort: boolean): ConnectReport => ({
  port,
  same_port: !isOwnPort,
  keys: keyCount(snapshot.server.accessKeys) > 0,
  models: modelsIn(snapshot),
  dialects: [...dialects],
})
