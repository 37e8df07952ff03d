/** The audit's files are for their owner alone: prompts stand in them, and the secret that keys the fingerprints. */
import { chmodSync, lstatSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { AuditFiles } from "./AuditUrl.ts"
import { monthOfArchive } from "./sqlite/Months.ts"

/** Bits of a mode for anybody but the owner. */
const forOthers = 0o077

/** What the system calls this user; nothing where it has no such numbers. */
export const ownUser = (): number | undefined => process.geteuid?.()

const besides = ["-wal", "-shm", "-journal"]

/** Whether a name in the audit's directory is one of its files. The secret is looked after where it is read. */
const isOurs = ({ lock, name, spillPrefix, directory }: AuditFiles, found: string): boolean => {
  const database = besides.reduce((text, ending) => text.replace(new RegExp(`${ending}$`), ""), found)
  return (
    database === name ||
    monthOfArchive(name, database) !== undefined ||
    join(directory, found) === lock ||
    found.startsWith(spillPrefix)
  )
}

/** What was found open to others: closed to them, or not to be closed. */
interface Found {
  readonly closed: ReadonlyArray<string>
  readonly open: ReadonlyArray<string>
}

/** By path and without opening, which would drop SQLite's locks; links are left alone, for what they lead to may be anybody's. */
const closeToOthers = (files: AuditFiles): Found => {
  const closed: Array<string> = []
  const open: Array<string> = []
  for (const name of readdirSync(files.directory)) {
    if (!isOurs(files, name)) continue
    const path = join(files.directory, name)
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found === undefined || !found.isFile() || (found.mode & forOthers) === 0) continue
    try {
      chmodSync(path, found.mode & 0o700)
      closed.push(name)
    } catch {
      open.push(name)
    }
  }
  return { closed, open }
}

/**
 * Takes away what rights others have on files that are there already: GPT_API made its database for everybody to read, and SQLite makes what stands beside one
 * like it. Says what it did, and what it could not.
 */
export const makePrivate = (files: AuditFiles): Effect.Effect<void> =>
  Effect.try(() => closeToOthers(files)).pipe(
    Effect.flatMap(({ closed, open }) =>
      Effect.zipRight(
        closed.length === 0
          ? Effect.void
          : Effect.logInfo(`other users could read the audit in ${files.directory}, and no longer can`, {
              files: closed.join(", "),
            }),
        open.length === 0
          ? Effect.void
          : Effect.logWarning(
              `other users can read the audit in ${files.directory}: its files belong to somebody else; chmod 600 them`,
              { files: open.join(", ") },
            ),
      ),
    ),
    Effect.when(() => ownUser() !== undefined),
    Effect.ignore,
  )
