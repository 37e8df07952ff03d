/** Which of a database's files this user cannot write: SQLite says only that it is read-only. */
import { accessSync, constants, existsSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { AuditFiles } from "../AuditUrl.ts"
import { DatabaseFault } from "./DatabaseFault.ts"

const isUnwritable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch {
    return existsSync(path)
  }
}

/** The folder too, in which SQLite makes the other two. */
const unwritable = ({ database, directory }: AuditFiles): ReadonlyArray<string> =>
  [database, `${database}-wal`, `${database}-shm`, directory].filter(isUnwritable)

/** Names the files that may not be written where that may be the fault. */
export const namingUnwritable =
  (files: AuditFiles) =>
  <A, R>(effect: Effect.Effect<A, DatabaseFault, R>): Effect.Effect<A, DatabaseFault, R> =>
    Effect.mapError(effect, (fault) => {
      if (fault.kind !== "read_only" && fault.kind !== "unreachable") return fault
      const paths = unwritable(files)
      return paths.length === 0
        ? fault
        : new DatabaseFault({
            kind: fault.kind,
            detail: `${fault.detail}; this user cannot write ${paths.join(", ")}`,
          })
    })
